#include "cli/click_evaluation.hpp"

#include <map>

#include "chronotope/core/error.hpp"
#include "chronotope/core/safetensors.hpp"
#include "chronotope/eval/click_counters.hpp"

namespace chronotope::cli {
namespace {

template <class T> std::vector<T> picked(std::span<const T> values, std::span<const std::uint64_t> samples) {
  std::vector<T> some;
  for (const std::uint64_t i : samples) some.push_back(values[i]);
  return some;
}

/// Labels of "clicked and converted".
std::vector<std::uint8_t> conversions(const ClickLog& log) {
  std::vector<std::uint8_t> labels(log.size());
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = log.click[i] & log.conversion[i];
  return labels;
}

void add_counters(ScoredTask& task, const ClickLog& log, std::span<const std::uint8_t> labels, Split split) {
  for (ClickScores& scores : click_counter_scores(fit_click_counters(log, labels), log, split)) task.predictors.push_back(std::move(scores));
}

}  // namespace

std::string truth_path(const std::string& log) { return log + ".truth"; }

void write_truth(const std::vector<double>& truth, const std::string& path) {
  write_safetensors(path, {{{"truth", HostTensor::of(truth, {static_cast<std::int64_t>(truth.size())})}}, {}});
}

std::vector<double> read_truth(const std::string& path, std::size_t samples) {
  const Safetensors file = read_safetensors(path);
  const auto found = file.tensors.find("truth");
  if (found == file.tensors.end() || found->second.dtype != DType::f64 || found->second.shape != Shape{static_cast<std::int64_t>(samples)})
    throw FormatError(path + " is not the truth of this log: it needs a tensor \"truth\" of " + std::to_string(samples) + " f64");
  return found->second.values<double>();
}

ScoredClicks click_rows(const ClickLog& log, Split split, bool with_conversions) {
  const std::vector<std::uint64_t> samples = samples_of(log, split);
  if (samples.empty()) throw DataError("the log has no sample of the split asked for: there is nothing to evaluate");
  ScoredClicks rows;
  rows.split = split;
  rows.semi_synthetic = log.semi_synthetic;
  const IdColumn& user = log.id_column("user");
  for (const std::uint64_t i : samples) {
    rows.users.push_back(static_cast<std::uint32_t>(user.values[i]));
    rows.behaviours.push_back(static_cast<std::uint32_t>(log.last[i] - log.first[i]));
  }
  rows.tasks.push_back({"ctr", picked(log.click, samples), {}});
  if (with_conversions) rows.tasks.push_back({"ctcvr", picked(std::span<const std::uint8_t>(conversions(log)), samples), {}});
  return rows;
}

ScoredClicks score_checkpoints(const std::vector<NamedCheckpoint>& checkpoints, const ClickLog& log, Split split,
                               const std::vector<double>& truth, const Device& device) {
  const std::vector<std::uint64_t> samples = samples_of(log, split);
  bool conversion = !log.conversion.empty();
  for (const NamedCheckpoint& c : checkpoints) conversion = conversion && c.checkpoint.config.click_model.tasks == "ctr ctcvr";
  ScoredClicks rows = click_rows(log, split, conversion);
  Context<any_backend> context(device.stream());
  for (const NamedCheckpoint& c : checkpoints) {
    TaskLogits scores = score_clicks(context, c.checkpoint, log, samples, device.usable_threads());
    for (std::size_t t = 0; t < rows.tasks.size(); ++t) rows.tasks[t].predictors.push_back({c.name, std::move(scores.logits[t])});
  }
  add_counters(rows.tasks[0], log, log.click, split);
  if (conversion) add_counters(rows.tasks[1], log, conversions(log), split);
  if (!truth.empty()) rows.tasks[0].predictors.push_back(best_possible(picked(std::span<const double>(truth), samples)));
  return rows;
}

std::string click_model_name(const ClickModelConfig& m) {
  static const std::map<std::string, std::string> names{{"stim", "STIM"}, {"none", "no behaviours"}, {"gsu", "GSU only"}, {"din", "DIN"},
                                                        {"dien", "DIEN"}, {"sim", "SIM"}, {"twin_v2", "TWIN V2"}, {"ic", "IC"}, {"lic", "LIC"},
                                                        {"fim", "FIM"}, {"st_pil", "ST-PIL"}, {"mha", "multi-head attention"}};
  return names.at(m.behaviour);
}

}  // namespace chronotope::cli
