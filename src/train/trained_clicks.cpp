#include "chronotope/train/trained_clicks.hpp"

#include <cmath>

#include "chronotope/components/click_tasks.hpp"
#include "chronotope/nn/state.hpp"
#include "train/run_folder.hpp"

namespace chronotope {
namespace {

using B = any_backend;
constexpr const char* rows_name = "search.rows";
constexpr const char* calibration_name = "calibration";

/// The values that a model of this config has at least, in its tables: a damaged checkpoint must not ask for any amount of memory.
double least_values(const ClickModelConfig& m, const ClickSchema& schema) {
  std::map<std::string, double> rows;
  for (const auto* columns : {&schema.ids, &schema.behaviour_ids})
    for (const ClickSchema::Ids& column : *columns) rows[column.table] = column.rows;
  double sum = 0;
  for (const auto& [table, n] : rows) sum += n;
  return sum * static_cast<double>(m.embedding);
}

const ClickSchema::Ids& item_column(const ClickSchema& schema) {
  for (const ClickSchema::Ids& column : schema.behaviour_ids)
    if (column.name == "item") return column;
  throw FormatError("its schema has no items among the behaviours");
}

/// A tensor of the checkpoint as rows of items.
SearchRows as_rows(const Checkpoint& checkpoint, const std::string& name, const ClickSchema& schema) {
  const auto found = checkpoint.tensors.find(name);
  const std::int64_t items = item_column(schema).rows;
  if (found == checkpoint.tensors.end() || found->second.dtype != DType::f32 || found->second.shape.rank() != 2 || found->second.shape[0] != items)
    throw FormatError("it needs a tensor \"" + name + "\" of " + std::to_string(items) + " rows of f32");
  return {found->second.values<float>(), found->second.shape[1]};
}

std::size_t tasks_of(const ClickModelConfig& m) { return static_cast<std::size_t>(click_tasks(m).count()); }

}  // namespace

BatchRules batch_rules(const ClicksConfig& c, EmbeddingRows rows) {
  BatchRules rules;
  rules.kept = c.kept;
  rules.search = c.search == "recent" ? Search::recent : c.search == "soft" ? Search::soft : Search::hard;
  rules.soft_rows = rows;
  rules.groups = GroupTable({c.hour_groups, c.week_groups, c.geohash_groups});
  rules.holidays = HolidayCalendar(c.holidays);
  return rules;
}

ClickSchema click_schema(const Checkpoint& checkpoint) {
  if (checkpoint.config.system != "clicks") throw ConfigError(checkpoint.path + " holds a model of places, not of clicks");
  return in_checkpoint(checkpoint, [&] {
    const ClickSchema schema = parse_schema(checkpoint.vocabulary);
    if (values_of(checkpoint) < least_values(checkpoint.config.click_model, schema)) throw FormatError("its weights are fewer than a model of its config has");
    return schema;
  });
}

SearchRows item_rows(const Checkpoint& checkpoint) {
  const ClickSchema schema = click_schema(checkpoint);
  return in_checkpoint(checkpoint, [&] { return as_rows(checkpoint, "model.encoder.table." + item_column(schema).table + ".weight", schema); });
}

TrainedClicks load_clicks(Context<B>& context, const Checkpoint& checkpoint) {
  const ClickSchema schema = click_schema(checkpoint);
  return in_checkpoint(checkpoint, [&] {
    const BlankParameters blank;
    const Config& config = checkpoint.config;
    TrainedClicks trained{config, schema, detail::rows_in(checkpoint, schema), detail::calibration_in(checkpoint, tasks_of(config.click_model)),
                          make_click_model(context, config.click_model, schema, config.clicks.kept)};
    load_state(context, trained.model, checkpoint.tensors, "model.");
    return trained;
  });
}

TaskLogits raw_logits(Context<B>& context, const AnyClickModel<B>& model, const Config& config, const ClickBatcher& batcher,
                      std::span<const std::uint64_t> samples, int threads) {
  const NoGrad no_grad;
  const ClickTasks tasks = click_tasks(config.click_model);
  TaskLogits scores{{"ctr"}, {}};
  if (tasks.count() > 1) scores.tasks.push_back("ctcvr");
  scores.logits.resize(scores.tasks.size());
  ClickBatch batch;
  const auto stride = static_cast<std::size_t>(config.evaluation.batch);
  for (std::size_t at = 0; at < samples.size(); at += stride) {
    batcher.make(samples.subspan(at, std::min(stride, samples.size() - at)), batch, threads);
    const std::vector<float> rows = tasks.log_odds(model.logits(context, batch)).template to_host<float>();
    for (std::size_t i = 0; i < rows.size(); ++i) scores.logits[i % scores.tasks.size()].push_back(rows[i]);
  }
  return scores;
}

TaskLogits score_samples(Context<B>& context, const TrainedClicks& trained, const ClickLog& log, std::span<const std::uint64_t> samples, int threads) {
  const ClickBatcher batcher(log, trained.schema, batch_rules(trained.config.clicks, trained.rows.view()));
  TaskLogits scores = raw_logits(context, trained.model, trained.config, batcher, samples, threads);
  for (std::size_t t = 0; t < scores.tasks.size(); ++t)
    for (float& logit : scores.logits[t]) logit = trained.calibration[t](logit);
  return scores;
}

namespace detail {

std::map<std::string, HostTensor> click_extras(const SearchRows& rows, const std::vector<PlattScaling>& calibration) {
  std::vector<double> lines;
  for (const PlattScaling& c : calibration) lines.push_back(c.slope), lines.push_back(c.shift);
  std::map<std::string, HostTensor> extras{{calibration_name, HostTensor::of(lines, {static_cast<std::int64_t>(calibration.size()), 2})}};
  if (rows.width) extras.emplace(rows_name, HostTensor::of(rows.values, {static_cast<std::int64_t>(rows.values.size()) / rows.width, rows.width}));
  return extras;
}

SearchRows rows_in(const Checkpoint& checkpoint, const ClickSchema& schema) {
  if (checkpoint.config.clicks.search != "soft") return {};
  return as_rows(checkpoint, rows_name, schema);
}

std::vector<PlattScaling> calibration_in(const Checkpoint& checkpoint, std::size_t tasks) {
  std::vector<PlattScaling> calibration(tasks);
  const auto found = checkpoint.tensors.find(calibration_name);
  if (found == checkpoint.tensors.end()) return calibration;  // of an earlier version
  if (found->second.dtype != DType::f64 || found->second.shape != Shape{static_cast<std::int64_t>(tasks), 2})
    throw FormatError("its tensor \"calibration\" must be [tasks, 2] of f64");
  const std::vector<double> lines = found->second.values<double>();
  for (std::size_t t = 0; t < tasks; ++t) {
    calibration[t] = {lines[2 * t], lines[2 * t + 1]};
    if (!(calibration[t].slope > 0) || !std::isfinite(calibration[t].slope + calibration[t].shift)) throw FormatError("its tensor \"calibration\" holds no rising line");
  }
  return calibration;
}

}  // namespace detail
}  // namespace chronotope
