#include "chronotope/train/action_run.hpp"

#include <bit>

#include "chronotope/data/geo_index_folder.hpp"
#include "chronotope/train/action_task.hpp"
#include "core/fingerprint.hpp"
#include "train/run_folder.hpp"

namespace chronotope {
namespace {

using B = any_backend;

GeoCells cells_of(const ModelConfig& m) { return m.geo == "grid" ? GeoCells::grid : GeoCells::geohash; }

/// Over what a training reads of each action; names of users take no part.
std::uint64_t fingerprint(const ActionHistories& h) {
  Fingerprint hash;
  for (const std::size_t begin : h.begin) hash.add(begin);
  for (const PastAction& a : h.actions) {
    hash.add(std::uint64_t{a.place} << 32 | static_cast<std::uint32_t>(a.category));
    hash.add(static_cast<std::uint64_t>(a.utc)), hash.add(static_cast<std::uint64_t>(a.local));
    hash.add(std::uint64_t{std::bit_cast<std::uint32_t>(a.latitude)} << 32 | std::bit_cast<std::uint32_t>(a.longitude));
    hash.add(std::uint64_t{std::bit_cast<std::uint32_t>(a.user_latitude)} << 32 | std::bit_cast<std::uint32_t>(a.user_longitude));
    hash.add(static_cast<std::uint64_t>(a.type) << 1 | a.interest);
  }
  return hash.value();
}

ActionTokenizer make_tokenizer(const ActionSource& source, const Config& config, const Checkpoint* from) {
  const ActionsConfig& a = config.actions;
  if (from) {
    ActionVocabulary v = ActionVocabulary::parse(from->vocabulary);
    return {PlaceCatalogue(open_index(a.index, v.index), place_codes(a.codes)), std::move(v)};
  }
  PlaceCatalogue places(open_index(a.index, 0), place_codes(a.codes));
  ActionVocabulary v = make_vocabulary(source, places, cells_of(config.model), static_cast<std::int32_t>(config.model.geo_rows), a.validation_share, a.test_share);
  return {std::move(places), std::move(v)};
}

/// A TrainedSystem. Its parts refer to each other, so it stays where it was made.
class ActionSystem {
 public:
  ActionSystem(Context<B>& context, const ActionSource& source, const Config& config, const Checkpoint* from)
      : context_(context), config_(config), tokenizer_(make_tokenizer(source, config, from)), histories_(source, tokenizer_, config.actions.travel_km),
        tokens_(histories_, tokenizer_, config.actions.profile_tokens), model_(make_generative_model(context, config, generative_sizes(tokenizer_, config.actions, 0))),
        task_(context, model_, tokens_, {config.actions.curriculum, config.training.epochs, config.model.length, static_cast<std::uint64_t>(config.seed)}),
        validation_(some_windows(target_windows(histories_, config.model.length, tokenizer_.vocabulary().validation_from, tokenizer_.vocabulary().test_from),
                                 config.evaluation.targets, static_cast<std::uint64_t>(config.seed))),
        fingerprint_(chronotope::fingerprint(histories_)) {}
  ActionSystem(const ActionSystem&) = delete;

  std::string vocabulary() const { return tokenizer_.vocabulary().to_json(); }
  std::uint64_t fingerprint() const { return fingerprint_; }
  PretrainingTask<AnyGenerativeModel<B>>& task() { return task_; }
  std::map<std::string, HostTensor> extras() const { return {}; }

  std::optional<Validation> validate() const {
    if (validation_.empty()) return {};
    double first = 0, ten = 0, mrr = 0;
    const auto ranks = generated_ranks(context_, model_, tokens_, validation_, {}, config_.evaluation.batch);
    for (const std::int64_t rank : ranks) first += rank == 1, ten += rank >= 1 && rank <= 10, mrr += rank ? 1.0 / static_cast<double>(rank) : 0;
    const auto n = static_cast<double>(ranks.size());
    return Validation{(first + mrr / 2) / n, {{"hr@1", first / n}, {"hr@10", ten / n}, {"mrr", mrr / n}}};
  }

 private:
  Context<B>& context_;
  Config config_;
  ActionTokenizer tokenizer_;
  ActionHistories histories_;
  ActionTokens tokens_;
  AnyGenerativeModel<B> model_;
  PretrainingTask<AnyGenerativeModel<B>> task_;
  std::vector<ActionWindow> validation_;
  std::uint64_t fingerprint_;
};

}  // namespace

GeoIndex open_index(const std::string& path, std::uint64_t fingerprint) {
  const GeoIndexFolder folder(path);
  if (fingerprint == 0) return folder.open();
  std::string there;
  for (const GeoIndexInfo& version : folder.versions()) {
    if (version.fingerprint == fingerprint) return folder.open(version.version, fingerprint);
    there += (there.empty() ? "" : ", ") + std::to_string(version.version);
  }
  throw DataError(path + ": none of its versions (" + there + ") is the one that the model was made for: its codes mean other places");
}

TrainingState train_actions(Context<B>& context, const std::string& log, const Config& config, const std::string& folder, const RunOptions& options,
                            const RunObserver& observer) {
  if (config.actions.index.empty()) throw ConfigError("actions.index must name the folder of an index of places: chronotope index build makes one");
  const ActionSource source = actions_in(log);
  return run_training(context, config, folder, options, observer,
                      [&](const Config& used, const Checkpoint* from) { return ActionSystem(context, source, used, from); });
}

TrainedActions load_actions(Context<B>& context, const Checkpoint& checkpoint, const std::string& index) {
  const Config& config = checkpoint.config;
  if (config.system != "actions") throw ConfigError(checkpoint.path + " holds no model of actions");
  return in_checkpoint(checkpoint, [&] {
    ActionVocabulary v = ActionVocabulary::parse(checkpoint.vocabulary);
    PlaceCatalogue places(open_index(index.empty() ? config.actions.index : index, v.index), place_codes(config.actions.codes));
    ActionTokenizer tokenizer(std::move(places), std::move(v));
    const BlankParameters blank;
    AnyGenerativeModel<B> model = make_generative_model(context, config, generative_sizes(tokenizer, config.actions, 0));
    load_state(context, model, checkpoint.tensors, "model.");
    return TrainedActions{config, std::move(tokenizer), std::move(model)};
  });
}

}  // namespace chronotope
