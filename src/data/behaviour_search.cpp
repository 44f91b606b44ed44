#include "chronotope/data/behaviour_search.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace chronotope {
namespace {

constexpr std::size_t block = 64;  // ids compared at once: four lines of cache

// Without a branch, so that the compiler makes wide compares of it.
bool occurs(const std::int32_t* ids, std::int32_t id) {
  std::int32_t found = 0;
  for (std::size_t i = 0; i < block; ++i) found |= ids[i] == id;
  return found != 0;
}

/// Writes the indices of `id`, the newest first, from the end of `kept` to its front, until that is full or the list ends.
/// Returns how many. Most blocks hold none; at most k that do are gone through one by one.
std::size_t find_newest(std::span<const std::int32_t> ids, std::int32_t id, std::span<std::size_t> kept) {
  std::size_t free = kept.size();
  const auto take = [&](std::size_t begin, std::size_t end) {
    while (end > begin && free > 0)
      if (ids[--end] == id) kept[--free] = end;
  };
  std::size_t end = ids.size();
  for (; end >= block && free > 0; end -= block)
    if (occurs(ids.data() + end - block, id)) take(end - block, end);
  take(0, end);
  return kept.size() - free;
}

constexpr std::size_t ahead = 16;  // rows of a table lie anywhere: asked for this many behaviours before they are needed

// Lanes that are added up at the end: vector instructions, and the same sum wherever the code is compiled.
float inner_product(const float* a, const float* b, std::int64_t width) {
  constexpr std::int64_t lanes = 8;
  float sums[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= width; i += lanes)
    for (std::int64_t l = 0; l < lanes; ++l) sums[l] += a[i + l] * b[i + l];
  for (; i < width; ++i) sums[i % lanes] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

/// The worst on top of a heap: the lowest score, of equal ones the oldest.
bool better(const ScoredBehaviour& a, const ScoredBehaviour& b) { return a.score != b.score ? a.score > b.score : a.index > b.index; }

}  // namespace

std::size_t search_recent(std::size_t behaviours, std::span<std::size_t> kept) {
  const std::size_t n = std::min(behaviours, kept.size());
  std::iota(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(n), behaviours - n);
  return n;
}

std::size_t search_hard(std::span<const std::int32_t> categories, std::int32_t category, std::span<std::size_t> kept) {
  const std::size_t n = std::min(categories.size(), kept.size());
  kept = kept.first(n);
  const std::size_t same = category == 0 ? 0 : find_newest(categories, category, kept);
  if (same == n) return n;
  // From `cut` on everything is kept: n - same of the rest, and those of the category among them.
  std::size_t cut = categories.size(), newer = 0;
  for (std::size_t others = n - same; others > 0;) {
    --cut;
    if (category != 0 && categories[cut] == category) ++newer;
    else --others;
  }
  std::copy(kept.end() - static_cast<std::ptrdiff_t>(same), kept.end() - static_cast<std::ptrdiff_t>(newer), kept.begin());
  std::iota(kept.begin() + static_cast<std::ptrdiff_t>(same - newer), kept.end(), cut);
  return n;
}

std::size_t search_soft(std::span<const std::int32_t> ids, std::int32_t id, const EmbeddingRows& rows, std::span<std::size_t> kept,
                        std::vector<ScoredBehaviour>& scratch) {
  const std::size_t n = std::min(ids.size(), kept.size());
  if (n == 0) return 0;
  scratch.clear();
  const float* const candidate = rows.row(id);
  for (std::size_t i = ids.size(); i-- > 0;) {
    if (i >= ahead) __builtin_prefetch(rows.row(ids[i - ahead]));
    const float product = inner_product(rows.row(ids[i]), candidate, rows.width);
    const ScoredBehaviour scored{product == product ? product : -std::numeric_limits<float>::infinity(), i};
    if (scratch.size() == n) {
      if (!better(scored, scratch.front())) continue;
      std::pop_heap(scratch.begin(), scratch.end(), better);
      scratch.pop_back();
    }
    scratch.push_back(scored);
    std::push_heap(scratch.begin(), scratch.end(), better);
  }
  for (std::size_t i = 0; i < n; ++i) kept[i] = scratch[i].index;
  std::sort(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(n));
  return n;
}

}  // namespace chronotope
