#pragma once
// What the measures of clicks share: checking rows, and visiting them by rising score.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "chronotope/eval/clicks.hpp"

namespace chronotope::clicks {

inline bool counts(const ClickRows& rows, std::size_t i) { return rows.subset.empty() || rows.subset[i]; }

/// Throws DataError as ClickRows says; `measure` begins the message. `unit_interval` also refuses what is no
/// probability.
void check(const ClickRows& rows, const std::string& measure, bool unit_interval = false);

/// Throws DataError unless there are `rows` of something called `what`.
void check_length(const std::string& measure, std::size_t rows, const char* what, std::size_t length);

/// Unsigned numbers in the order of the scores; -0 and 0 become one. No NaN.
inline std::uint32_t key_of(float score) {
  const auto bits = std::bit_cast<std::uint32_t>(score + 0.0f);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}
inline float score_of(std::uint32_t key) { return std::bit_cast<float>(key >> 31 ? key & 0x7FFFFFFFu : ~key); }

/// (score key << 32 | row) of the rows that count, sorted: 8 bytes a row.
std::vector<std::uint64_t> rows_by_score(const ClickRows& rows);

/// Rows sorted by the upper 16 bits of their keys, of which only the lower 16 bits are kept, clicks and others apart:
/// the class and the upper half are known from where a half key lies, so a row takes 2 bytes.
class HalfKeys {
 public:
  static constexpr std::size_t buckets = 65536;

  /// Rows must have been checked. Two passes.
  explicit HalfKeys(const ClickRows& rows);

  /// The lower halves in a bucket, in any order; the caller may reorder them. `label` 0 or 1.
  std::span<std::uint16_t> bucket(int label, std::size_t b) {
    return std::span(low_[label]).subspan(begin_[label][b], begin_[label][b + 1] - begin_[label][b]);
  }

 private:
  std::array<std::vector<std::uint32_t>, 2> begin_;  // [2, buckets + 1]
  std::array<std::vector<std::uint16_t>, 2> low_;    // [2, rows of the class]
};

/// visit(low, clicks, others) for every distinct value in `clicks` and `others`, rising. Sorts both.
template <class Visit> void merge_small(std::span<std::uint16_t> clicks, std::span<std::uint16_t> others, Visit visit) {
  std::sort(clicks.begin(), clicks.end());
  std::sort(others.begin(), others.end());
  for (std::size_t c = 0, o = 0; c < clicks.size() || o < others.size();) {
    constexpr std::uint32_t none = 65536;
    const std::uint32_t low = std::min(c < clicks.size() ? clicks[c] : none, o < others.size() ? others[o] : none);
    const std::size_t c0 = c, o0 = o;
    while (c < clicks.size() && clicks[c] == low) ++c;
    while (o < others.size() && others[o] == low) ++o;
    visit(low, static_cast<std::uint32_t>(c - c0), static_cast<std::uint32_t>(o - o0));
  }
}

/// The same by counting: for buckets so full that walking all values costs less than sorting.
template <class Visit> void merge_large(std::span<const std::uint16_t> clicks, std::span<const std::uint16_t> others,
                                        std::vector<std::array<std::uint32_t, 2>>& count, Visit visit) {
  count.assign(65536, {});
  for (const std::uint16_t low : clicks) ++count[low][1];
  for (const std::uint16_t low : others) ++count[low][0];
  for (std::size_t low = 0; low < count.size(); ++low)
    if (count[low][0] || count[low][1]) visit(static_cast<std::uint32_t>(low), count[low][1], count[low][0]);
}

/// visit(score, clicks, others) for every distinct score among the rows that count, rising. Rows must have been
/// checked. O(rows) time, 2 bytes a row and 2 MB of memory.
template <class Visit> void for_each_score(const ClickRows& rows, Visit visit) {
  constexpr std::size_t large = 16384;
  HalfKeys keys(rows);
  std::vector<std::array<std::uint32_t, 2>> count;
  for (std::size_t b = 0; b < HalfKeys::buckets; ++b) {
    const auto clicks = keys.bucket(1, b), others = keys.bucket(0, b);
    const auto one = [&](std::uint32_t low, std::uint32_t c, std::uint32_t o) {
      visit(score_of(static_cast<std::uint32_t>(b << 16) | low), c, o);
    };
    if (clicks.size() + others.size() < large) merge_small(clicks, others, one);
    else merge_large(clicks, others, count, one);
  }
}

}  // namespace chronotope::clicks
