#include "train/action_parts.hpp"

#include <bit>

#include "chronotope/data/geo_index_folder.hpp"
#include "chronotope/data/place_vectors.hpp"
#include "core/fingerprint.hpp"

namespace chronotope {
namespace {

using B = any_backend;

ActionTokenizer make_tokenizer(const ActionSource& source, const Config& config, const Checkpoint* from) {
  const ActionsConfig& a = config.actions;
  if (a.index.empty()) throw ConfigError("actions.index must name the folder of an index of places: chronotope index build makes one");
  if (from) {
    ActionVocabulary v = ActionVocabulary::parse(from->vocabulary);
    return {PlaceCatalogue(open_index(a.index, v.index), place_codes(a.codes)), std::move(v)};
  }
  PlaceCatalogue places(open_index(a.index, 0), place_codes(a.codes));
  ActionVocabulary v = make_vocabulary(source, places, {config.model.geo == "grid" ? GeoCells::grid : GeoCells::geohash, static_cast<std::int32_t>(config.model.geo_rows),
                                                        static_cast<std::int32_t>(a.profile_pieces), a.validation_share, a.test_share});
  return {std::move(places), std::move(v)};
}

/// Vectors of all places of the catalogue behind a row of zeros for the unknown place.
Matrix vectors_of(const PlaceCatalogue& places, const std::string& path) {
  std::vector<std::string> ids(places.places() + 1);
  for (std::uint32_t n = 1; n <= places.places(); ++n)
    if (const auto place = places.place(n)) ids[n] = place->id;
  return read_place_vectors(path, ids).vectors;
}

std::uint64_t halves(float a, float b) { return std::uint64_t{std::bit_cast<std::uint32_t>(a)} << 32 | std::bit_cast<std::uint32_t>(b); }

}  // namespace

AnyGenerativeModel<B> fresh_model(Context<B>& context, const Config& config, const ActionTokenizer& tokenizer) {
  Matrix vectors;
  if (!config.actions.vectors.empty()) vectors = vectors_of(tokenizer.places(), config.actions.vectors);
  AnyGenerativeModel<B> model = make_generative_model(context, config, generative_sizes(tokenizer, config.actions, vectors.width));
  if (vectors.width > 0) model.encoder.set_vectors(Tensor<B>::from_host(context, vectors.values, {vectors.rows, vectors.width}));
  return model;
}

void load_weights(Context<B>& context, AnyGenerativeModel<B>& model, const Checkpoint& checkpoint) {
  const std::string project = "model.encoder.project.weight";
  if (!model.encoder.project || checkpoint.tensors.contains(project)) return load_state(context, model, checkpoint.tensors, "model.");
  auto tensors = checkpoint.tensors;
  const Tensor<B>& weight = model.encoder.project->weight();
  tensors.emplace(project, to_host_tensor(full<B>(context, weight.shape(), 0)));
  load_state(context, model, tensors, "model.");
}

ActionParts::ActionParts(Context<B>& context, const ActionSource& source, const Config& config, const Checkpoint* from)
    : config(config), tokenizer(make_tokenizer(source, config, from)), histories(source, tokenizer, config.actions.travel_km),
      tokens(histories, tokenizer, config.actions.profile_tokens), model(fresh_model(context, config, tokenizer)) {}

std::vector<ActionWindow> ActionParts::validation_targets() const {
  return some_windows(target_windows(histories, config.model.length, validation_from(), test_from()), config.evaluation.targets, static_cast<std::uint64_t>(config.seed));
}

/// Over what a training reads of each action; names of users take no part.
std::uint64_t ActionParts::fingerprint() const {
  Fingerprint hash;
  for (const std::size_t begin : histories.begin) hash.add(begin);
  for (const PastAction& a : histories.actions) {
    hash.add(std::uint64_t{a.place} << 32 | static_cast<std::uint32_t>(a.category));
    hash.add(static_cast<std::uint64_t>(a.utc)), hash.add(static_cast<std::uint64_t>(a.local));
    hash.add(halves(a.latitude, a.longitude)), hash.add(halves(a.user_latitude, a.user_longitude));
    hash.add(static_cast<std::uint64_t>(a.type) << 1 | a.interest);
  }
  return hash.value();
}

Validation generation_validation(std::span<const std::int64_t> ranks) {
  double first = 0, ten = 0, mrr = 0;
  for (const std::int64_t rank : ranks) first += rank == 1, ten += rank >= 1 && rank <= 10, mrr += rank ? 1.0 / static_cast<double>(rank) : 0;
  const auto n = static_cast<double>(ranks.size());
  return {(first + mrr / 2) / n, {{"hr@1", first / n}, {"hr@10", ten / n}, {"mrr", mrr / n}}};
}

}  // namespace chronotope
