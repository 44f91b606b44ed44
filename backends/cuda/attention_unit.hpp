#pragma once
// What a block does for a unit of queries, forward and for their gradient alike: which keys it visits, and which warps have a query that sees some.

#include "attention_tile.hpp"

namespace chronotope::cuda {

/// Up to 32 neighbouring keys, some of which a query of the unit sees: as keys of the root or as those of its own segment.
struct KeyTile {
  std::int32_t begin, count;
  bool of_segment;
};

/// The tiles of a unit, one after another, the same for all threads: those of the root, then those of branches. Each has a key that is
/// seen, so there are no more than tiles of visible pairs.
template <class S> class Visits {
 public:
  __device__ Visits(S& sights, int count) : sights_(sights), count_(count) {
    const Sight first = sights[0], last = sights[count - 1];
    at_ = first.root;
    end_ = last.row + 1;
    for (int i = 0; i < count; ++i) {
      const Sight s = sights[i];
      root_end_ = s.seen > root_end_ ? s.seen : root_end_;
    }
  }
  __device__ bool next(KeyTile& tile) {
    if (at_ < root_end_) {
      take(tile, at_, root_end_, false);
      return true;
    }
    for (; i_ < count_; ++i_) {
      const Sight s = sights_[i_];
      if (!s.in_branch() || s.row < at_) continue;
      take(tile, s.own > at_ ? s.own : at_, end_, true);
      return true;
    }
    return false;
  }

 private:
  __device__ void take(KeyTile& tile, std::int32_t begin, std::int32_t end, bool of_segment) {
    tile = {begin, end - begin < tile_columns ? end - begin : tile_columns, of_segment};
    at_ = begin + tile.count;
  }

  S& sights_;
  int count_, i_ = 0;
  std::int32_t at_, end_, root_end_ = 0;
};

/// Whether a query of this warp sees a key of the tile.
template <class Team, class S> __device__ bool warp_sees(S& sights, const KeyTile& tile) {
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  bool sees = false;
  if (lane < Team::warp_rows) {
    const Sight s = sights[warp * Team::warp_rows + lane];
    sees = s.range(tile.of_segment).meets(tile.begin, tile.begin + tile.count);
  }
  return __ballot_sync(0xFFFFFFFFu, sees) != 0;
}

/// Numbers and sights of a unit's queries; -1 and nothing for rows that it does not have.
template <class Team, class N, class S> __device__ void load_unit(const Sequences& from, const Unit& unit, N& numbers, S& sights) {
  for (int i = static_cast<int>(threadIdx.x); i < Team::rows; i += Team::threads) {
    const std::int32_t number = i < unit.count ? from.query(unit.first + i) : -1;
    numbers[i] = number;
    sights[i] = number < 0 ? Sight::nothing() : from.sights[number];
  }
}

/// Head `head` of a tile's row i, or null.
template <class T> __device__ const T* key_head(const HeadRows<T>& x, const KeyTile& tile, int i, int head) {
  return i < tile.count ? x.at(tile.begin + i, head) : nullptr;
}
/// Head `head` of the query at row i, or null.
template <class T, class N> __device__ const T* query_head(const HeadRows<T>& x, N& numbers, int i, int head) {
  const std::int32_t number = numbers[i];
  return number < 0 ? nullptr : x.at(number, head);
}

}  // namespace chronotope::cuda
