#pragma once
// The host side of the history pointer: which past actions each asking action may point to, and how both relate.

#include <cstdint>
#include <vector>

#include "chronotope/components/actions.hpp"

namespace chronotope {

/// Numbers of bins of each relation between an asking action i and a past action j.
struct PointerBins {
  static constexpr std::int32_t recency = 20;   ///< floor(log2 of hours between them) + 6, clamped: a minute to a year
  static constexpr std::int32_t hour = 26;      ///< circular hour difference 0..12, + 13 when both or neither are on a weekend
  static constexpr std::int32_t weekday = 2;    ///< same weekday
  static constexpr std::int32_t distance = 16;  ///< floor(log2 of km from the position before i to the place of j) + 5, clamped
  static constexpr std::int32_t follow = 4;     ///< actions before both: same place + 2 x same category; two unknown ones count as the same
};

/// S sequences padded to N keys and M queries, and how both relate.
struct PointerGrid {
  std::int64_t sequences = 0, keys = 0, queries = 0;         ///< S, N, M
  std::vector<std::int32_t> key_action, query_action;        ///< [S, N], [S, M] numbers of actions, 0 in padding
  std::vector<std::int32_t> key_category;                    ///< [S, N]
  std::vector<std::int32_t> recency, hour, weekday, distance, follow;  ///< [S, M, N] bins

  /// Room for S x M x N, all 0.
  void resize(std::size_t S, std::size_t M, std::size_t N) {
    sequences = static_cast<std::int64_t>(S), queries = static_cast<std::int64_t>(M), keys = static_cast<std::int64_t>(N);
    key_action.assign(S * N, 0), key_category.assign(S * N, 0), query_action.assign(S * M, 0);
    for (auto* bins : {&recency, &hour, &weekday, &distance, &follow}) bins->assign(S * M * N, 0);
  }
};

/// A query is a selected action, a key any action of the sequence.
struct PointerLayout : PointerGrid {
  std::vector<std::int32_t> key_place;                       ///< [S, N] place token
  std::vector<std::int32_t> slot;                            ///< [Q] where selected action q stands in the flattened [S, M]
  std::vector<std::uint8_t> hidden;                          ///< [S, M, N] 1: padding, not in the past, or an unknown place
  std::vector<float> match;                                  ///< [S, M, N] 1 where a visible key has the query's target
  std::vector<std::uint8_t> alone;                           ///< [Q] 1 where no key is visible

  explicit PointerLayout(const ActionBatch& batch);
};

}  // namespace chronotope
