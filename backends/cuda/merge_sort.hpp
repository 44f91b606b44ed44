#pragma once
// A stable merge sort of (key, value) pairs, in which each element finds its own place: its rank in its run plus the
// number of elements of the neighbouring run that go before it, by binary search. No atomics, no order of threads: the
// result is one.

#include <utility>

#include "walk.hpp"

namespace chronotope::cuda {

template <class K, class V> struct Pairs {
  K* keys;
  V* values;
};

/// Elements of [begin, end) that go before `key` in ascending order, equal ones too where `equal` says so.
template <class K> __device__ std::int64_t count_before(const K* keys, std::int64_t begin, std::int64_t end, K key, bool equal) {
  std::int64_t low = begin, high = end;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (keys[middle] < key || (equal && keys[middle] == key)) low = middle + 1;
    else high = middle;
  }
  return low - begin;
}

/// Puts element i, of sorted runs of length `run` in [begin, end), to its place in runs twice as long.
template <class K, class V>
__device__ void merge_element(const Pairs<K, V>& from, const Pairs<K, V>& to, std::int64_t begin, std::int64_t end, std::int64_t run, std::int64_t i) {
  const std::int64_t number = (i - begin) / run, left = begin + number / 2 * 2 * run;
  const std::int64_t middle = left + run < end ? left + run : end, right = left + 2 * run < end ? left + 2 * run : end;
  const K key = from.keys[i];
  const bool first = number % 2 == 0;
  const std::int64_t others = first ? count_before(from.keys, middle, right, key, false) : count_before(from.keys, left, middle, key, true);
  const std::int64_t to_place = left + (i - (first ? left : middle)) + others;
  to.keys[to_place] = key;
  to.values[to_place] = from.values[i];
}

/// A block sorts [begin, end) of `from` by itself, `to` being scratch: returns with the result in `from`.
template <class K, class V> __device__ void sort_in_block(Pairs<K, V>& from, Pairs<K, V>& to, std::int64_t begin, std::int64_t end) {
  for (std::int64_t run = 1; run < end - begin; run *= 2) {
    __syncthreads();
    for (std::int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) merge_element(from, to, begin, end, run, i);
    const Pairs<K, V> swapped = from;
    from = to;
    to = swapped;
  }
  __syncthreads();
}

inline constexpr int sort_threads = 256;
inline constexpr std::int64_t sort_chunk_size = 2048;  // what one block sorts

/// The same, with the result where the elements were.
template <class K, class V> __device__ void sort_chunk(const Pairs<K, V>& pairs, const Pairs<K, V>& scratch, std::int64_t begin, std::int64_t end) {
  Pairs<K, V> from = pairs, to = scratch;
  sort_in_block(from, to, begin, end);
  if (from.keys == pairs.keys) return;
  for (std::int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
    pairs.keys[i] = from.keys[i];
    pairs.values[i] = from.values[i];
  }
}

template <class K, class V> __global__ void merge_runs(Pairs<K, V> from, Pairs<K, V> to, std::int64_t count, std::int64_t run) {
  for (std::int64_t i = first_item(); i < count; i += item_step()) merge_element(from, to, 0, count, run, i);
}

/// Merges sorted chunks; the result is in `sorted`, which may have become what `other` was.
template <class K, class V>
void merge_chunks(const Queue& queue, const char* operation, Pairs<K, V>& sorted, Pairs<K, V>& other, std::int64_t count) {
  for (std::int64_t run = sort_chunk_size; run < count; run *= 2) {
    launch(queue, operation, merge_runs<K, V>, blocks_for(count, sort_threads), sort_threads, sorted, other, count, run);
    std::swap(sorted, other);
  }
}

}  // namespace chronotope::cuda
