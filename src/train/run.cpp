#include "chronotope/train/run.hpp"

#include <bit>

#include "chronotope/ops/matmul.hpp"
#include "chronotope/train/place_task.hpp"
#include "chronotope/train/ranking.hpp"
#include "core/fingerprint.hpp"
#include "train/run_folder.hpp"

namespace chronotope {
namespace {

using B = any_backend;

GeoCells cells_of(const ModelConfig& m) { return m.geo == "grid" ? GeoCells::grid : GeoCells::geohash; }

AskOptions ask_options(const Config& config) { return {config.model.length, config.model.target_time, config.evaluation.batch}; }

bool has_targets(const CheckinTable& table, Split split) {
  return std::any_of(table.rows.begin(), table.rows.end(), [&](const Checkin& row) { return row.split == split && row.target; });
}

/// Over what a training reads of each row. The users' and places' names take no part: the vocabulary is compared by itself.
std::uint64_t fingerprint(const CheckinTable& table) {
  Fingerprint hash;
  for (const std::size_t begin : table.begin) hash.add(begin);
  for (const Checkin& row : table.rows) {
    hash.add(static_cast<std::uint64_t>(row.place) << 32 | static_cast<std::uint32_t>(row.category));
    hash.add(std::bit_cast<std::uint64_t>(row.latitude)), hash.add(std::bit_cast<std::uint64_t>(row.longitude));
    hash.add(static_cast<std::uint64_t>(row.utc)), hash.add(static_cast<std::uint64_t>(row.local));
    hash.add(static_cast<std::uint64_t>(row.split) << 1 | row.target);
  }
  return hash.value();
}

/// The values that a model of this config has at least, in its large tables.
double least_values(const ModelConfig& m, const PlaceTokenizer& tokenizer) {
  const auto D = static_cast<double>(m.width), F = static_cast<double>(m.feed_forward);
  const double pointer = m.head == "history_pointer" ? 2 * D * static_cast<double>(m.pointer_heads * m.pointer_width) : 0;
  return static_cast<double>(m.layers) * (4 * D * D + 2 * D * F) + D * static_cast<double>(2 * tokenizer.places() + m.geo_rows) + pointer;
}

/// The parts must belong together before a model is made of them: ids of a foreign vocabulary would reach beyond the
/// tables, and a damaged width would ask for any amount of memory.
void check_parts(const Checkpoint& c, const PlaceTokenizer& tokenizer) {
  const ModelConfig& m = c.config.model;
  if (m.geo_rows != tokenizer.geo_table_rows() || (m.geo == "grid") != (tokenizer.cells() == GeoCells::grid))
    throw FormatError("its vocabulary was made for other position tables than its config names");
  if (values_of(c) < least_values(m, tokenizer)) throw FormatError("its weights are fewer than a model of its config has");
}

/// A TrainedSystem: Spacetime-GR on check-ins. Its parts refer to each other, so it stays where it was made.
class PlaceSystem {
 public:
  PlaceSystem(Context<B>& context, const CheckinTable& table, const Config& config)
      : context_(context), table_(table), config_(config),
        tokenizer_(make_tokenizer(table, cells_of(config.model), static_cast<std::int32_t>(config.model.geo_rows))),
        histories_(table, tokenizer_), model_(make_place_model(context, config.model, tokenizer_.places(), tokenizer_.categories())),
        task_(context, model_, config_, histories_), fingerprint_(chronotope::fingerprint(table)) {}
  PlaceSystem(const PlaceSystem&) = delete;

  std::string vocabulary() const { return tokenizer_.to_json(); }
  std::uint64_t fingerprint() const { return fingerprint_; }
  PlaceTask<AnyPlaceModel<B>>& task() { return task_; }
  std::map<std::string, HostTensor> extras() const { return {}; }

  std::optional<Validation> validate() const {
    if (!has_targets(table_, Split::validation)) return {};
    const EvaluationResult r = evaluate(rank_targets(context_, model_, table_, histories_, Split::validation, ask_options(config_)));
    const double first = r.all.accuracy[0].mean, mrr = r.all.mrr.mean;
    return Validation{first + 0.5 * mrr, {{"acc@1", first}, {"acc@10", r.all.accuracy[2].mean}, {"mrr", mrr}}};
  }

 private:
  Context<B>& context_;
  const CheckinTable& table_;
  Config config_;
  PlaceTokenizer tokenizer_;
  Histories histories_;
  AnyPlaceModel<B> model_;
  PlaceTask<AnyPlaceModel<B>> task_;
  std::uint64_t fingerprint_;
};

}  // namespace

TrainingState train_checkins(Context<B>& context, const CheckinTable& table, const Config& config, const std::string& folder,
                             const RunOptions& options, const RunObserver& observer) {
  return run_training(context, config, folder, options, observer, [&](const Config& used, const Checkpoint* from) {
    if (from) place_tokenizer(*from);
    return PlaceSystem(context, table, used);
  });
}

PlaceTokenizer place_tokenizer(const Checkpoint& checkpoint) {
  if (checkpoint.config.system != "spacetime_gr") throw ConfigError(checkpoint.path + " holds a model of clicks, not of places");
  return in_checkpoint(checkpoint, [&] {
    PlaceTokenizer tokenizer = PlaceTokenizer::parse(checkpoint.vocabulary);
    check_parts(checkpoint, tokenizer);
    return tokenizer;
  });
}

AnyPlaceModel<B> load_model(Context<B>& context, const Checkpoint& checkpoint) {
  const PlaceTokenizer tokenizer = place_tokenizer(checkpoint);
  return in_checkpoint(checkpoint, [&] {
    const BlankParameters blank;
    AnyPlaceModel<B> model = make_place_model(context, checkpoint.config.model, tokenizer.places(), tokenizer.categories());
    load_state(context, model, checkpoint.tensors, "model.");
    return model;
  });
}

std::vector<RankedTarget> rank_checkpoint(Context<B>& context, const Checkpoint& checkpoint, const CheckinTable& table, Split split) {
  const AnyPlaceModel<B> model = load_model(context, checkpoint);
  return rank_targets(context, model, table, Histories(table, place_tokenizer(checkpoint)), split, ask_options(checkpoint.config));
}

double step_flops(const ModelConfig& m, std::int64_t places, std::int64_t actions, std::int64_t targets) {
  const auto D = static_cast<double>(m.width), F = static_cast<double>(m.feed_forward);
  const bool pointer = m.head == "history_pointer";
  const double tokens = 2.0 * static_cast<double>(actions), asked = static_cast<double>(pointer ? actions : targets);
  const double half = D * D + (m.decoder == "gpt" ? 2 : 3) * D * F;  // output projection and feed-forward
  double forward = static_cast<double>(m.layers - 1) * tokens * (3 * D * D + half);
  forward += tokens * 2 * D * D + asked * (D * D + half);  // the last block asks only where it must
  forward += static_cast<double>(targets) * D * static_cast<double>(places);
  if (pointer) forward += static_cast<double>(actions + targets) * D * static_cast<double>(m.pointer_heads * m.pointer_width);
  return 3 * 2 * forward;
}

double measure_gemm_peak(Context<B>& context) {
  const NoGrad no_grad;
  const Tensor<B> a = full<B>(context, {512, 1024}, 1), b = full<B>(context, {1024, 1024}, 1);
  double best = 0;
  for (int i = 0; i < 6; ++i) {
    const Stopwatch watch;
    const Tensor<B> product = matmul(a, b);
    context.synchronize();
    best = std::max(best, 2.0 * 512 * 1024 * 1024 / watch.seconds());
  }
  return best;
}

}  // namespace chronotope
