#include "chronotope/train/run.hpp"

#include <bit>
#include <filesystem>
#include <limits>

#include "chronotope/ops/matmul.hpp"
#include "core/folder_lock.hpp"
#include "train/run_log.hpp"

namespace chronotope {
namespace {

using B = any_backend;

GeoCells cells_of(const ModelConfig& m) { return m.geo == "grid" ? GeoCells::grid : GeoCells::geohash; }

AskOptions ask_options(const Config& config) { return {config.model.length, config.model.target_time, config.evaluation.batch}; }

bool has_targets(const CheckinTable& table, Split split) {
  return std::any_of(table.rows.begin(), table.rows.end(), [&](const Checkin& row) { return row.split == split && row.target; });
}

/// FNV-1a (Fowler, Noll, Vo) over what a training reads of each row. The users' and places' names take no part: the
/// vocabulary is compared by itself.
std::uint64_t fingerprint(const CheckinTable& table) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto mix = [&](std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) hash = (hash ^ (value >> shift & 255)) * 0x100000001b3u;
  };
  for (const std::size_t begin : table.begin) mix(begin);
  for (const Checkin& row : table.rows) {
    mix(static_cast<std::uint64_t>(row.place) << 32 | static_cast<std::uint32_t>(row.category));
    mix(std::bit_cast<std::uint64_t>(row.latitude)), mix(std::bit_cast<std::uint64_t>(row.longitude));
    mix(static_cast<std::uint64_t>(row.utc)), mix(static_cast<std::uint64_t>(row.local));
    mix(static_cast<std::uint64_t>(row.split) << 1 | row.target);
  }
  return std::max<std::uint64_t>(hash, 1);
}

void make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw FileError("cannot create the folder " + folder + ": " + error.message());
}

/// The pieces of one run and how they act together.
class Run {
 public:
  Run(Context<B>& context, const CheckinTable& table, const Config& config, const std::string& folder, const RunObserver& observer)
      : context_(context), table_(table), folder_(folder), observer_(observer), config_(config), data_(fingerprint(table)) {}

  TrainingState train(bool resume) {
    std::optional<FolderLock> lock;
    std::optional<Checkpoint> from;
    if (resume) {
      if (!std::filesystem::is_directory(folder_)) throw FileError(folder_ + ": there is no such folder to resume from");
      lock.emplace(folder_);
      from = read_checkpoint(folder_, last_checkpoint);
      config_ = from->config;
    } else if (has_checkpoint(folder_, last_checkpoint)) {
      throw ConfigError(folder_ + " already holds a checkpoint; go on with --resume or choose another --out");
    }
    checkpoint_.config = config_;
    checkpoint_.tokenizer = make_tokenizer(table_, cells_of(config_.model), static_cast<std::int32_t>(config_.model.geo_rows));
    if (from) check_data(*from);
    context_.random() = {static_cast<std::uint64_t>(config_.seed), 0};
    AnyPlaceModel<B> model = make_place_model(context_, config_.model, checkpoint_.tokenizer.places(), checkpoint_.tokenizer.categories());
    const Histories histories(table_, checkpoint_.tokenizer);
    Trainer trainer(context_, model, config_, histories);
    if (from) resume_from(trainer, *from);
    make_folder(folder_);
    if (!lock) lock.emplace(folder_);
    remove_leftovers(folder_);
    RunLog log(folder_, from ? &from->state : nullptr);
    from.reset();
    if (observer_.on_start) observer_.on_start(config_, parameter_count(model), trainer.total_steps());
    trainer.run(hooks(trainer, model, histories, log));
    return trainer.state();
  }

 private:
  void check_data(const Checkpoint& from) const {
    if (from.tokenizer.to_json() != checkpoint_.tokenizer.to_json())
      throw DataError("the data is not what " + folder_ + " was trained on: its places differ; resume with the same file");
    if (from.state.data != 0 && from.state.data != data_)
      throw DataError("the data is not what " + folder_ + " was trained on: its check-ins differ; resume with the same file");
  }

  static void resume_from(Trainer<AnyPlaceModel<B>>& trainer, const Checkpoint& from) {
    try {
      trainer.resume(from);
    } catch (const FormatError& e) {
      throw FormatError(from.path + ": " + e.what());
    }
  }

  TrainerHooks hooks(Trainer<AnyPlaceModel<B>>& trainer, const AnyPlaceModel<B>& model, const Histories& histories, RunLog& log) {
    TrainerHooks h;
    h.on_step = [this, &log](const StepReport& r) {
      log.step(r);
      if (observer_.on_step) observer_.on_step(r);
    };
    if (has_targets(table_, Split::validation))
      h.validate = [this, &model, &histories](std::int64_t) -> std::optional<double> {
        validation_ = evaluate(rank_targets(context_, model, table_, histories, Split::validation, ask_options(config_)));
        return validation_->all.accuracy[0].mean + 0.5 * validation_->all.mrr.mean;
      };
    h.on_epoch = [this, &log](const EpochReport& r) {
      const EvaluationResult* validation = validation_ ? &*validation_ : nullptr;
      log.epoch(r, validation);
      if (observer_.on_epoch) observer_.on_epoch(r, validation);
    };
    h.save = [this, &trainer, &log](const TrainingState& state, bool best) {
      log.flush();
      checkpoint_.state = state;
      checkpoint_.state.data = data_;
      if (best) {  // first, so that last never names a best epoch that is not on disk
        checkpoint_.tensors = trainer.tensors(false);
        write_checkpoint(folder_, best_checkpoint, checkpoint_);
      }
      checkpoint_.tensors = trainer.tensors(true);
      write_checkpoint(folder_, last_checkpoint, checkpoint_);
      checkpoint_.tensors.clear();
    };
    return h;
  }

  Context<B>& context_;
  const CheckinTable& table_;
  std::string folder_;
  const RunObserver& observer_;
  Config config_;
  std::uint64_t data_;
  Checkpoint checkpoint_;
  std::optional<EvaluationResult> validation_;
};

}  // namespace

TrainingState train_checkins(Context<B>& context, const CheckinTable& table, const Config& config, const std::string& folder,
                             bool resume, const RunObserver& observer) {
  return Run(context, table, config, folder, observer).train(resume);
}

AnyPlaceModel<B> load_model(Context<B>& context, const Checkpoint& checkpoint) {
  const BlankParameters blank;
  AnyPlaceModel<B> model = make_place_model(context, checkpoint.config.model, checkpoint.tokenizer.places(), checkpoint.tokenizer.categories());
  try {
    load_state(context, model, checkpoint.tensors, "model.");
  } catch (const FormatError& e) {
    throw FormatError(checkpoint.path.empty() ? e.what() : checkpoint.path + ": " + e.what());
  }
  return model;
}

std::vector<RankedTarget> rank_checkpoint(Context<B>& context, const Checkpoint& checkpoint, const CheckinTable& table, Split split) {
  const AnyPlaceModel<B> model = load_model(context, checkpoint);
  return rank_targets(context, model, table, Histories(table, checkpoint.tokenizer), split, ask_options(checkpoint.config));
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
