#include "chronotope/eval/clicks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "chronotope/core/error.hpp"
#include "eval/click_rows.hpp"

namespace chronotope {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

double cost(double share) { return share > 0 ? -share * std::log(share) : 0; }

// loss(score, clicked) of every row that counts.
template <class Loss> LogLoss log_loss(const ClickRows& rows, Loss loss) {
  LogLoss result;
  double sum = 0, clicks = 0;
  for (std::size_t i = 0; i < rows.scores.size(); ++i) {
    if (!clicks::counts(rows, i)) continue;
    const double one = loss(static_cast<double>(rows.scores[i]), rows.labels[i] != 0);
    ++result.rows;
    clicks += rows.labels[i];
    if (std::isinf(one)) ++result.impossible;
    else sum += one;
  }
  const auto n = static_cast<double>(result.rows);
  const std::uint64_t possible = result.rows - result.impossible;
  result.mean_possible = possible ? sum / static_cast<double>(possible) : undefined;
  result.mean = result.impossible ? std::numeric_limits<double>::infinity() : result.mean_possible;
  result.base = result.rows ? cost(clicks / n) + cost(1 - clicks / n) : undefined;
  return result;
}

// Sums of a bin, and of all.
struct Sums {
  std::uint64_t rows = 0, clicks = 0;
  double predicted = 0;
  double lowest = 0, highest = 0;

  void add(double p, std::uint64_t clicked, std::uint64_t others) {
    if (rows == 0) lowest = p;
    highest = p;
    rows += clicked + others;
    clicks += clicked;
    predicted += p * static_cast<double>(clicked + others);
  }
  CalibrationBin bin() const {
    const auto n = static_cast<double>(rows);
    return {rows, lowest, highest, predicted / n, static_cast<double>(clicks) / n};
  }
};

std::uint64_t rows_that_count(const ClickRows& rows) {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i < rows.scores.size(); ++i) n += clicks::counts(rows, i);
  return n;
}

}  // namespace

std::vector<std::uint8_t> rows_with_behaviours(std::span<const std::uint32_t> behaviours, std::uint32_t from,
                                               std::uint32_t below) {
  std::vector<std::uint8_t> subset;
  subset.reserve(behaviours.size());
  for (const std::uint32_t n : behaviours) subset.push_back(from <= n && (n < below || below == no_limit));
  return subset;
}

Auc auc(const ClickRows& rows) {
  clicks::check(rows, "auc");
  Auc result;
  std::uint64_t half_pairs = 0;  // won pairs count 2, level ones 1: at most 2 x 2^31 x 2^31
  clicks::for_each_score(rows, [&](float, std::uint64_t clicked, std::uint64_t others) {
    half_pairs += clicked * (2 * result.others + others);
    result.clicks += clicked;
    result.others += others;
  });
  const double pairs = static_cast<double>(result.clicks) * static_cast<double>(result.others);
  result.value = pairs > 0 ? static_cast<double>(half_pairs) / (2 * pairs) : undefined;
  return result;
}

LogLoss log_loss_of_probabilities(const ClickRows& rows) {
  clicks::check(rows, "log_loss_of_probabilities", true);
  return log_loss(rows, [](double p, bool clicked) { return clicked ? -std::log(p) : -std::log1p(-p); });
}

LogLoss log_loss_of_logits(const ClickRows& rows) {
  clicks::check(rows, "log_loss_of_logits");
  return log_loss(rows, [](double z, bool clicked) {
    const double against = clicked ? -z : z;  // ln(1 + exp(against)) without overflow
    return std::max(against, 0.0) + std::log1p(std::exp(-std::abs(against)));
  });
}

Calibration calibration(const ClickRows& rows, std::size_t bins) {
  if (bins == 0) throw ConfigError("calibration: 0 bins; at least one is needed");
  clicks::check(rows, "calibration", true);
  const std::uint64_t total = rows_that_count(rows);
  Calibration result{total, undefined, undefined, undefined, undefined, {}};
  if (total == 0) return result;
  Sums all, bin;
  const auto n = static_cast<double>(total);
  const std::uint64_t shares = std::min<std::uint64_t>(bins, total);
  clicks::for_each_score(rows, [&](float p, std::uint64_t clicked, std::uint64_t others) {
    all.add(p, clicked, others);
    bin.add(p, clicked, others);
    // Shares end at b / bins of the rows; a run of equal predictions may run past several such ends.
    const std::uint64_t share = (all.rows - bin.rows) * shares / total;
    if (all.rows * shares < total * (share + 1)) return;
    result.bins.push_back(bin.bin());
    bin = {};
  });
  const CalibrationBin whole = all.bin();
  result.predicted = whole.predicted;
  result.observed = whole.observed;
  result.ratio = all.clicks ? all.predicted / static_cast<double>(all.clicks) : undefined;
  result.expected_error = 0;
  for (const CalibrationBin& b : result.bins)
    result.expected_error += static_cast<double>(b.rows) / n * std::abs(b.predicted - b.observed);
  return result;
}

}  // namespace chronotope
