#pragma once
// The layout of packed attention as kernels use it, made on the device from AttentionLayout, for nobody waits for the device. A
// sequence is a root and the branches that hang on it; its queries are cut into units, each of which a block takes.

#include "chronotope/backend/fused.hpp"
#include "launch.hpp"

namespace chronotope::cuda {

/// Keys low … high - 1.
struct KeyRange {
  std::int32_t low, high;
  __device__ bool meets(std::int32_t begin, std::int32_t end) const { return low < end && begin < high; }
  __device__ bool holds(std::int32_t key) const { return low <= key && key < high; }
};

/// What a query sees: keys root … seen - 1 of the sequence's root, and own … row of its segment, which are the same keys where the
/// segment is the root.
struct Sight {
  std::int32_t root, seen, own, row;
  __device__ static Sight nothing() { return {0, 0, 0, -1}; }
  __device__ bool in_branch() const { return own != root; }
  __device__ KeyRange range(bool of_segment) const { return of_segment ? KeyRange{own, row + 1} : KeyRange{root, seen}; }
};

/// Queries of one sequence, at neighbouring places.
struct Unit {
  std::int32_t first, count;
};

/// Lists on the device. Queries are at places in the order of (sequence, row).
struct Sequences {
  const std::int32_t *offsets, *rows, *prefix;  ///< the caller's; no prefix: null
  std::int32_t segments, queries, tokens;
  Sight* sights;         ///< of each query
  std::int32_t* roots;   ///< the first token of each place's root, ascending
  std::int32_t* order;   ///< the query at each place; null: its number is its place
  Unit* units;           ///< in any order: what a unit computes does not depend on where it stands
  std::int32_t* unit_count;
  std::int32_t* broken;  ///< not 0: the layout is against the rules, and nothing may be done by it

  __device__ std::int32_t query(std::int32_t place) const { return order ? order[place] : place; }
};

/// How many of an ascending list's numbers are less than `value`.
__device__ inline std::int32_t count_below(const std::int32_t* list, std::int32_t count, std::int32_t value) {
  std::int32_t low = 0, high = count;
  while (low < high) {
    const std::int32_t middle = low + (high - low) / 2;
    if (list[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/// Makes the lists in scratch memory. A layout that is against the rules is told by the next wait; there are no units then.
class AttentionPlan {
 public:
  /// Units of at most `unit_rows` queries. Only for layouts that covers() takes.
  AttentionPlan(const Queue& queue, const AttentionLayout& layout, std::int64_t tokens, int unit_rows);

  static bool covers(const AttentionLayout& layout, std::int64_t queries, std::int64_t tokens);

  const Sequences& sequences() const { return sequences_; }
  std::int64_t most_units() const { return most_units_; }

 private:
  void sort_queries(const Queue& queue, std::int32_t* scratch);

  std::int64_t most_units_;
  Scratch scratch_;
  Sequences sequences_{};
};

}  // namespace chronotope::cuda
