#include "eval/click_rows.hpp"

#include <cmath>
#include <limits>

#include "chronotope/core/error.hpp"

namespace chronotope::clicks {

void check_length(const std::string& measure, std::size_t rows, const char* what, std::size_t length) {
  if (length != rows)
    throw DataError(measure + ": " + std::to_string(length) + " " + what + " for " + std::to_string(rows) +
                    " scores; there must be one a score");
}

void check(const ClickRows& rows, const std::string& measure, bool unit_interval) {
  const std::size_t n = rows.scores.size();
  check_length(measure, n, "labels", rows.labels.size());
  if (!rows.subset.empty()) check_length(measure, n, "subset flags", rows.subset.size());
  if (n > std::numeric_limits<std::uint32_t>::max())
    throw DataError(measure + ": " + std::to_string(n) + " rows; at most 2^32 - 1 can be measured");
  for (std::size_t i = 0; i < n; ++i) {
    if (!counts(rows, i)) continue;
    const float s = rows.scores[i];
    if (rows.labels[i] > 1)
      throw DataError(measure + ": the label of row " + std::to_string(i) + " is " + std::to_string(rows.labels[i]) +
                      "; labels are 0 or 1");
    if (std::isnan(s)) throw DataError(measure + ": the score of row " + std::to_string(i) + " is NaN");
    if (unit_interval && !(s >= 0 && s <= 1))
      throw DataError(measure + ": the score of row " + std::to_string(i) + " is " + std::to_string(s) +
                      "; probabilities lie in [0, 1]");
  }
}

std::vector<std::uint64_t> rows_by_score(const ClickRows& rows) {
  std::vector<std::uint64_t> order;
  order.reserve(rows.scores.size());
  for (std::size_t i = 0; i < rows.scores.size(); ++i)
    if (counts(rows, i)) order.push_back(std::uint64_t{key_of(rows.scores[i])} << 32 | i);
  std::sort(order.begin(), order.end());
  return order;
}

HalfKeys::HalfKeys(const ClickRows& rows) {
  for (auto& begin : begin_) begin.assign(buckets + 1, 0);
  const std::size_t n = rows.scores.size();
  for (std::size_t i = 0; i < n; ++i)
    if (counts(rows, i)) ++begin_[rows.labels[i]][(key_of(rows.scores[i]) >> 16) + 1];
  std::array<std::vector<std::uint32_t>, 2> next;
  for (int label = 0; label < 2; ++label) {
    for (std::size_t b = 0; b < buckets; ++b) begin_[label][b + 1] += begin_[label][b];
    next[label] = begin_[label];
    low_[label].resize(begin_[label][buckets]);
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (!counts(rows, i)) continue;
    const std::uint32_t key = key_of(rows.scores[i]);
    const int label = rows.labels[i];
    low_[label][next[label][key >> 16]++] = static_cast<std::uint16_t>(key);
  }
}

}  // namespace chronotope::clicks
