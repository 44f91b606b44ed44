#include "chronotope/eval/click_counters.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "chronotope/core/error.hpp"
#include "chronotope/data/click_batcher.hpp"
#include "data/mix.hpp"
#include "eval/click_cells.hpp"
#include "eval/logistic_fit.hpp"

namespace chronotope {
namespace {

using counting::Cells;
using Rates = std::vector<double>;  // of each cell
using Labels = std::vector<std::uint8_t>;

constexpr std::array<double, 7> smoothings{1, 3, 10, 30, 100, 300, 1000};
constexpr double usual_smoothing = 30, ridge = 1;
constexpr std::size_t number_parts = 32;
constexpr std::uint64_t folds = 5;

double logit(double rate) { return std::log(rate / (1 - rate)); }

/// Rows and clicks of each cell.
struct Counts {
  std::vector<std::uint32_t> rows, clicks;

  template <class Use> Counts(const Cells& cells, const Labels& labels, Use use) : rows(cells.count), clicks(cells.count) {
    for (std::size_t n = 0; n < labels.size(); ++n)
      if (use(n)) ++rows[cells.of_row[n]], clicks[cells.of_row[n]] += labels[n];
  }
  /// `above`: rates of the part before, for parts that are finer than it.
  Rates rates(const Cells& cells, double smoothing, double prior, const Rates& above) const {
    Rates result(rows.size());
    for (std::size_t c = 0; c < result.size(); ++c) {
      const double towards = cells.above ? above[c / cells.above] : prior;
      result[c] = (clicks[c] + smoothing * towards) / (rows[c] + smoothing);
    }
    return result;
  }
};

double log_loss(const Rates& rates, const Cells& cells, const Labels& labels) {
  double sum = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const double p = rates[cells.of_row[n]];
    sum -= std::log(labels[n] ? p : 1 - p);
  }
  return sum;
}

/// The rows of one split: their cells and labels.
struct Half {
  std::vector<std::uint64_t> rows;
  std::vector<Cells> cells;
  Labels labels;

  Half(const ClickLog& log, std::span<const std::uint8_t> all, std::vector<std::uint64_t> of_split,
       const std::vector<std::vector<float>>& bounds)
      : rows(std::move(of_split)), cells(counting::cells_of(log, rows, bounds)) {
    for (const std::size_t i : rows) labels.push_back(all[i]);
  }
};

double best_smoothing(const Counts& counts, const Cells& train, const Cells& validation, const Labels& labels, double prior,
                      const Rates& above) {
  if (labels.empty()) return usual_smoothing;
  double best = usual_smoothing, lowest = std::numeric_limits<double>::infinity();
  for (const double s : smoothings)
    if (const double loss = log_loss(counts.rates(train, s, prior, above), validation, labels); loss < lowest) lowest = loss, best = s;
  return best;
}

void fit_parts(ClickCounters& counters, const Half& train, const Half& validation) {
  Rates rates;  // those of the part before while a part is fitted
  for (std::size_t k = 0; k < train.cells.size(); ++k) {
    const Cells& cells = train.cells[k];
    const Counts counts(cells, train.labels, [](std::size_t) { return true; });
    const double s = best_smoothing(counts, cells, validation.cells[k], validation.labels, counters.prior, rates);
    rates = counts.rates(cells, s, counters.prior, rates);
    counters.parts.push_back({cells.name, s, {}});
    for (const double rate : rates) counters.parts.back().logit.push_back(static_cast<float>(logit(rate)));
  }
}

/// [rows, parts] logits less the prior's, each from the folds the row is not in.
std::vector<float> fold_features(const ClickCounters& counters, const Half& train) {
  const std::size_t width = train.cells.size();
  const auto fold_of = [](std::size_t n) { return mix(n + 1) % folds; };
  std::vector<float> features(train.rows.size() * width);
  for (std::uint64_t fold = 0; fold < folds; ++fold) {
    Rates rates;
    for (std::size_t k = 0; k < width; ++k) {
      const Cells& cells = train.cells[k];
      const Counts counts(cells, train.labels, [&](std::size_t n) { return fold_of(n) != fold; });
      rates = counts.rates(cells, counters.parts[k].smoothing, counters.prior, rates);
      for (std::size_t n = 0; n < train.rows.size(); ++n)
        if (fold_of(n) == fold) features[n * width + k] = static_cast<float>(logit(rates[cells.of_row[n]]) - logit(counters.prior));
    }
  }
  return features;
}

void check_cells(const ClickCounters& counters, const std::vector<Cells>& cells) {
  const std::string advice = "; score the log they were fitted on, or one of the same columns and tables";
  if (cells.size() != counters.parts.size() || counters.weights.size() != cells.size())
    throw DataError("click counters: " + std::to_string(counters.parts.size()) + " parts for a log of " + std::to_string(cells.size()) + advice);
  for (std::size_t k = 0; k < cells.size(); ++k)
    if (cells[k].name != counters.parts[k].name || cells[k].count != counters.parts[k].logit.size())
      throw DataError("click counters: \"" + counters.parts[k].name + "\" has " + std::to_string(counters.parts[k].logit.size()) +
                      " cells, the log has " + std::to_string(cells[k].count) + " of \"" + cells[k].name + "\"" + advice);
}

}  // namespace

ClickCounters fit_click_counters(const ClickLog& log, std::span<const std::uint8_t> labels) {
  if (labels.size() != log.size())
    throw DataError("click counters: " + std::to_string(labels.size()) + " labels for " + std::to_string(log.size()) + " samples");
  if (const auto odd = std::find_if(labels.begin(), labels.end(), [](std::uint8_t l) { return l > 1; }); odd != labels.end())
    throw DataError("click counters: the label of sample " + std::to_string(odd - labels.begin()) + " is " + std::to_string(*odd) +
                    "; labels are 0 or 1");
  std::vector<std::uint64_t> rows = samples_of(log, Split::train);
  if (rows.empty()) throw DataError("click counters: the log has no training row; there is nothing to count");
  ClickCounters counters;
  counters.bounds = counting::number_bounds(log, rows, number_parts);
  const Half train(log, labels, std::move(rows), counters.bounds);
  const Half validation(log, labels, samples_of(log, Split::validation), counters.bounds);
  const auto clicks = static_cast<double>(std::count(train.labels.begin(), train.labels.end(), 1));
  counters.prior = (clicks + .5) / (static_cast<double>(train.labels.size()) + 1);
  fit_parts(counters, train, validation);
  const std::vector<double> weights = counting::fit_logistic(fold_features(counters, train), train.labels, ridge);
  counters.bias = weights[0];
  counters.weights.assign(weights.begin() + 1, weights.end());
  return counters;
}

std::vector<ClickScores> click_counter_scores(const ClickCounters& counters, const ClickLog& log, Split split) {
  const std::vector<std::uint64_t> rows = samples_of(log, split);
  const std::vector<Cells> cells = counting::cells_of(log, rows, counters.bounds);
  check_cells(counters, cells);
  std::vector<ClickScores> result;
  std::vector<double> sum(rows.size(), counters.bias);
  for (std::size_t k = 0; k < cells.size(); ++k) {
    std::vector<float> scores;
    for (std::size_t n = 0; n < rows.size(); ++n) {
      scores.push_back(counters.parts[k].logit[cells[k].of_row[n]]);
      sum[n] += counters.weights[k] * (static_cast<double>(scores.back()) - logit(counters.prior));
    }
    result.push_back({counters.parts[k].name, std::move(scores), false, PredictorKind::counter});
  }
  result.push_back({"counter_combination", {sum.begin(), sum.end()}, false, PredictorKind::counter});
  return result;
}

}  // namespace chronotope
