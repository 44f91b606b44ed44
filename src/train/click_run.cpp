#include "chronotope/train/click_run.hpp"

#include <cstring>
#include <fstream>
#include <map>

#include "chronotope/components/behaviour/stim.hpp"
#include "chronotope/data/checkin_clicks.hpp"
#include "chronotope/data/click_cache.hpp"
#include "chronotope/eval/clicks.hpp"
#include "chronotope/eval/user_clicks.hpp"
#include "chronotope/train/click_task.hpp"
#include "core/fingerprint.hpp"
#include "train/run_folder.hpp"

namespace chronotope {
namespace {

using B = any_backend;

bool is_cache(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char head[8] = {};
  return file.read(head, sizeof head) && std::memcmp(head, "CHRCLICK", sizeof head) == 0;
}

/// Over all that a training reads: labels, splits, requests, ranges and behaviours. O(bytes).
std::uint64_t fingerprint(const ClickLog& log) {
  Fingerprint hash;
  const auto moments = [&](const Moments& m) { hash.add(m.time), hash.add(m.hour), hash.add(m.weekday), hash.add(m.geohash); };
  hash.add(log.click), hash.add(log.conversion), hash.add(log.split), hash.add(log.first), hash.add(log.last);
  moments(log.at), moments(log.behaviours.at);
  for (const auto* columns : {&log.ids, &log.behaviours.ids})
    for (const IdColumn& column : *columns) hash.add(column.values);
  for (const auto* columns : {&log.numbers, &log.behaviours.numbers})
    for (const NumberColumn& column : *columns) hash.add(column.values);
  return hash.value();
}

/// What a soft search compares: kept in the checkpoint that a training goes on from, or items of the model that the config names.
SearchRows search_rows(const Config& config, const ClickLog& log, std::uint64_t data, const Checkpoint* from) {
  if (config.clicks.search != "soft") return {};
  if (from) return detail::rows_in(*from, click_schema(*from));
  const Checkpoint other = read_trained(config.clicks.soft_from);
  if (other.vocabulary != schema_json(schema_of(log)) || (log.semi_synthetic && other.state.data != data))
    throw DataError("clicks.soft_from: " + config.clicks.soft_from + " was trained on other data: its items are not those of this log");
  return item_rows(other);
}

/// A TrainedSystem: a click model on a log. Its parts refer to each other, so it stays where it was made.
class ClickSystem {
 public:
  ClickSystem(Context<B>& context, const ClickLog& log, const Config& config, int threads, const Checkpoint* from)
      : context_(context), log_(log), config_(config), threads_(threads), fingerprint_(chronotope::fingerprint(log)),
        rows_(search_rows(config, log, fingerprint_, from)), batcher_(log, schema_of(log), batch_rules(config.clicks, rows_.view())),
        tasks_(click_tasks(config.click_model)), calibration_(static_cast<std::size_t>(tasks_.count())),
        model_(make_click_model(context, config.click_model, schema_of(log), config.clicks.kept)),
        task_(context, model_, batcher_, samples_of(log, Split::train), tasks_, static_cast<std::uint64_t>(config.seed), threads, config.clicks.shuffle_block),
        validation_(samples_of(log, Split::validation)) {
    if (tasks_.count() > 1 && log.conversion.empty()) throw ConfigError("click_model.tasks asks for ctcvr, but the log has no conversions");
    if (from) calibration_ = detail::calibration_in(*from, calibration_.size());
  }
  ClickSystem(const ClickSystem&) = delete;

  std::string vocabulary() const { return schema_json(schema_of(log_)); }
  std::uint64_t fingerprint() const { return fingerprint_; }
  ClickTask<AnyClickModel<B>>& task() { return task_; }

  std::map<std::string, HostTensor> extras() const { return detail::click_extras(rows_, calibration_); }

  /// AUC of the first task, GAUC and log loss; fits the calibration. None without validation samples of both classes.
  std::optional<Validation> validate() {
    if (validation_.empty()) return {};
    const TaskLogits scores = raw_logits(context_, model_, config_, batcher_, validation_, threads_);
    const std::vector<std::uint8_t> labels = labels_of(0);
    const ClickRows rows{scores.logits[0], labels};
    const double area = auc(rows).value;
    if (std::isnan(area)) return {};
    for (std::size_t t = 0; t < calibration_.size(); ++t) calibration_[t] = fit_platt_scaling(scores.logits[t], labels_of(t));
    return Validation{area, {{"AUC", area}, {"GAUC", gauc(rows, users()).value}, {"log loss", log_loss_of_logits(rows).mean}}};
  }

 private:
  /// Of the validation samples: clicked (task 0), clicked and converted (task 1).
  std::vector<std::uint8_t> labels_of(std::size_t task) const {
    std::vector<std::uint8_t> labels;
    for (std::uint64_t i : validation_) labels.push_back(task == 0 ? log_.click[i] : log_.click[i] & log_.conversion[i]);
    return labels;
  }
  std::vector<std::uint32_t> users() const {
    std::vector<std::uint32_t> users;
    const IdColumn& user = log_.id_column("user");
    for (std::uint64_t i : validation_) users.push_back(static_cast<std::uint32_t>(user.values[i]));
    return users;
  }

  Context<B>& context_;
  const ClickLog& log_;
  Config config_;
  int threads_;
  std::uint64_t fingerprint_;
  SearchRows rows_;
  ClickBatcher batcher_;
  ClickTasks tasks_;
  std::vector<PlattScaling> calibration_;
  AnyClickModel<B> model_;
  ClickTask<AnyClickModel<B>> task_;
  std::vector<std::uint64_t> validation_;
};

}  // namespace

ClickLog read_clicks(const std::string& path, const ClicksConfig& c) {
  if (is_cache(path)) return open_click_cache(path);
  return checkins_as_clicks(read_checkins(path), {static_cast<int>(c.negatives), static_cast<int>(c.nearby), c.decay_km});
}

TrainingState train_clicks(Context<B>& context, const ClickLog& log, const Config& config, const std::string& folder, const RunOptions& options,
                           int threads, const RunObserver& observer) {
  return run_training(context, config, folder, options, observer, [&](const Config& used, const Checkpoint* from) {
    if (from) check_schema(click_schema(*from), log);
    return ClickSystem(context, log, used, threads, from);
  });
}

std::vector<float> forgetting_masks(Context<B>& context, const Checkpoint& checkpoint, const ClickBatch& batch) {
  const ClickModelConfig& m = checkpoint.config.click_model;
  if (m.behaviour != "stim") throw ConfigError("only STIM has forgetting masks; this model's behaviours are read by " + m.behaviour);
  const std::string prefix = "model.behaviour.mask.";
  std::map<std::string, HostTensor> constants;
  for (const char* name : {"r_init", "r_final", "s", "i"})
    if (const auto found = checkpoint.tensors.find(prefix + name); found != checkpoint.tensors.end()) constants.insert(*found);
  ForgettingOptions options = forgetting_options(m, batch.kept);
  options.layer = MaskLayer::none;
  const NoGrad no_grad;
  return in_checkpoint(checkpoint, [&] {
    ForgettingMask<B> mask(context, options);
    load_state(context, mask, constants, prefix);
    return mask(review_points(batch, m.time == "days" ? ForgettingTime::days : ForgettingTime::position)).template to_host<float>();
  });
}

TaskLogits score_clicks(Context<B>& context, const Checkpoint& checkpoint, const ClickLog& log, std::span<const std::uint64_t> samples, int threads) {
  click_schema(checkpoint);  // says it when this is no click model
  if (log.semi_synthetic && checkpoint.state.data != fingerprint(log))
    throw DataError("the data is not what " + checkpoint.path + " was trained on: the ids of another invented log mean other things");
  return score_samples(context, load_clicks(context, checkpoint), log, samples, threads);
}

}  // namespace chronotope
