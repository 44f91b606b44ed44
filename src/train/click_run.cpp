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

/// Logits of samples, a row a sample.
template <class M>
TaskLogits score(Context<B>& context, const M& model, const ClickBatcher& batcher, std::span<const std::uint64_t> samples, const ClickTasks& tasks,
                  std::int64_t batch_size, int threads) {
  const NoGrad no_grad;
  TaskLogits scores{{"ctr"}, {}};
  if (tasks.count() > 1) scores.tasks.push_back("ctcvr");
  scores.logits.resize(scores.tasks.size());
  ClickBatch batch;
  const auto stride = static_cast<std::size_t>(batch_size);
  for (std::size_t at = 0; at < samples.size(); at += stride) {
    batcher.make(samples.subspan(at, std::min(stride, samples.size() - at)), batch, threads);
    const std::vector<float> rows = tasks.log_odds(model.logits(context, batch)).template to_host<float>();
    for (std::size_t i = 0; i < rows.size(); ++i) scores.logits[i % scores.tasks.size()].push_back(rows[i]);
  }
  return scores;
}

/// The values that a model of this config has at least, in its tables: a damaged checkpoint must not ask for any amount of memory.
double least_values(const ClickModelConfig& m, const ClickSchema& schema) {
  std::map<std::string, double> rows;
  for (const auto* columns : {&schema.ids, &schema.behaviour_ids})
    for (const ClickSchema::Ids& column : *columns) rows[column.table] = column.rows;
  double sum = 0;
  for (const auto& [table, n] : rows) sum += n;
  return sum * static_cast<double>(m.embedding);
}

/// A TrainedSystem: a click model on a log. Its parts refer to each other, so it stays where it was made.
class ClickSystem {
 public:
  ClickSystem(Context<B>& context, const ClickLog& log, const Config& config, int threads)
      : context_(context), log_(log), config_(config), threads_(threads), fingerprint_(chronotope::fingerprint(log)),
        batcher_(log, schema_of(log), batch_rules(config.clicks)), tasks_(click_tasks(config.click_model)),
        model_(make_click_model(context, config.click_model, schema_of(log), config.clicks.kept)),
        task_(context, model_, batcher_, samples_of(log, Split::train), tasks_, static_cast<std::uint64_t>(config.seed), threads),
        validation_(samples_of(log, Split::validation)) {
    if (tasks_.count() > 1 && log.conversion.empty()) throw ConfigError("click_model.tasks asks for ctcvr, but the log has no conversions");
  }
  ClickSystem(const ClickSystem&) = delete;

  std::string vocabulary() const { return schema_json(schema_of(log_)); }
  std::uint64_t fingerprint() const { return fingerprint_; }
  ClickTask<AnyClickModel<B>>& task() { return task_; }

  /// AUC of the first task, GAUC and log loss. None without validation samples of both classes.
  std::optional<Validation> validate() const {
    if (validation_.empty()) return {};
    const TaskLogits scores = score(context_, model_, batcher_, validation_, tasks_, config_.evaluation.batch, threads_);
    std::vector<std::uint8_t> labels;
    std::vector<std::uint32_t> users;
    const IdColumn& user = log_.id_column("user");
    for (std::uint64_t i : validation_) labels.push_back(log_.click[i]), users.push_back(static_cast<std::uint32_t>(user.values[i]));
    const ClickRows rows{scores.logits[0], labels};
    const double area = auc(rows).value;
    if (std::isnan(area)) return {};
    return Validation{area, {{"AUC", area}, {"GAUC", gauc(rows, users).value}, {"log loss", log_loss_of_logits(rows).mean}}};
  }

 private:
  Context<B>& context_;
  const ClickLog& log_;
  Config config_;
  int threads_;
  std::uint64_t fingerprint_;
  ClickBatcher batcher_;
  ClickTasks tasks_;
  AnyClickModel<B> model_;
  ClickTask<AnyClickModel<B>> task_;
  std::vector<std::uint64_t> validation_;
};

}  // namespace

ClickLog read_clicks(const std::string& path, const ClicksConfig& c) {
  if (is_cache(path)) return open_click_cache(path);
  return checkins_as_clicks(read_checkins(path), {static_cast<int>(c.negatives), static_cast<int>(c.nearby), c.decay_km});
}

ClickSchema click_schema(const Checkpoint& checkpoint) {
  if (checkpoint.config.system != "clicks") throw ConfigError(checkpoint.path + " holds a model of places, not of clicks");
  return in_checkpoint(checkpoint, [&] {
    const ClickSchema schema = parse_schema(checkpoint.vocabulary);
    if (values_of(checkpoint) < least_values(checkpoint.config.click_model, schema)) throw FormatError("its weights are fewer than a model of its config has");
    return schema;
  });
}

BatchRules batch_rules(const ClicksConfig& c) {
  BatchRules rules;
  rules.kept = c.kept;
  rules.search = c.search == "recent" ? Search::recent : Search::hard;
  rules.groups = GroupTable({c.hour_groups, c.week_groups, c.geohash_groups});
  rules.holidays = HolidayCalendar(c.holidays);
  return rules;
}

TrainingState train_clicks(Context<B>& context, const ClickLog& log, const Config& config, const std::string& folder, const RunOptions& options,
                           int threads, const RunObserver& observer) {
  return run_training(context, config, folder, options, observer, [&](const Config& used, const Checkpoint* from) {
    if (from) check_schema(click_schema(*from), log);
    return ClickSystem(context, log, used, threads);
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

AnyClickModel<B> load_click_model(Context<B>& context, const Checkpoint& checkpoint) {
  const ClickSchema schema = click_schema(checkpoint);
  return in_checkpoint(checkpoint, [&] {
    const BlankParameters blank;
    AnyClickModel<B> model = make_click_model(context, checkpoint.config.click_model, schema, checkpoint.config.clicks.kept);
    load_state(context, model, checkpoint.tensors, "model.");
    return model;
  });
}

TaskLogits score_samples(Context<B>& context, const AnyClickModel<B>& model, const Config& config, const ClickSchema& schema, const ClickLog& log,
                         std::span<const std::uint64_t> samples, int threads) {
  const ClickBatcher batcher(log, schema, batch_rules(config.clicks));
  return score(context, model, batcher, samples, click_tasks(config.click_model), config.evaluation.batch, threads);
}

TaskLogits score_clicks(Context<B>& context, const Checkpoint& checkpoint, const ClickLog& log, std::span<const std::uint64_t> samples, int threads) {
  const ClickSchema schema = click_schema(checkpoint);
  if (log.semi_synthetic && checkpoint.state.data != fingerprint(log))
    throw DataError("the data is not what " + checkpoint.path + " was trained on: the ids of another invented log mean other things");
  return score_samples(context, load_click_model(context, checkpoint), checkpoint.config, schema, log, samples, threads);
}

}  // namespace chronotope
