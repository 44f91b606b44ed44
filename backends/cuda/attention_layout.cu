// What queries see, and the units of queries. A thread a query or a segment; a sequence's queries are brought together by a
// stable sort only where segments branch.
#include <algorithm>
#include <limits>

#include "attention_layout.hpp"
#include "merge_sort.hpp"
#include "rows.hpp"
#include "status.hpp"

namespace chronotope::cuda {

namespace {

constexpr int threads = 256;
using Places = Pairs<std::int32_t, std::int32_t>;  // root, query

__device__ void report(const Sequences& s, BadId* bad, LayoutPart part, std::int64_t value, std::int64_t position) {
  *s.broken = 1;  // whoever else writes it writes the same
  if (atomicCAS(&bad->found, 0u, 1u) != 0u) return;
  bad->layout = part;
  bad->id = value;
  bad->position = position;
  bad->rows = s.tokens;
}

__device__ bool is_branch(const Sequences& s, std::int32_t segment) { return s.prefix && s.prefix[2 * segment] != s.prefix[2 * segment + 1]; }

/// The last of the first `count` segments that begins at `token` or before; -1: none does.
__device__ std::int32_t segment_at(const Sequences& s, std::int32_t count, std::int32_t token) {
  return count_below(s.offsets, count, token + 1) - 1;
}

__device__ bool offset_fits(const Sequences& s, std::int32_t i) {
  const std::int32_t offset = s.offsets[i];
  return (i == 0 ? offset == 0 : offset >= s.offsets[i - 1]) && (i < s.segments || offset == s.tokens);
}

__device__ bool prefix_fits(const Sequences& s, std::int32_t i) {
  if (!is_branch(s, i)) return true;
  const std::int32_t begin = s.prefix[2 * i], end = s.prefix[2 * i + 1];
  if (begin < 0 || end < begin || end > s.offsets[i]) return false;
  const std::int32_t root = segment_at(s, i + 1, begin);
  return root >= 0 && s.offsets[root] == begin && end <= s.offsets[root + 1] && !is_branch(s, root);
}

__device__ bool row_fits(const Sequences& s, std::int32_t i) {
  const std::int32_t row = s.rows[i];
  return row >= 0 && row < s.tokens && (i == 0 || s.rows[i - 1] < row);
}

/// Reads and writes nothing outside the lists whatever they hold.
__device__ void look(const Sequences& s, std::int32_t i) {
  const std::int32_t row = s.rows[i], found = segment_at(s, s.segments, row), segment = found < 0 ? 0 : found;
  const std::int32_t own = s.offsets[segment];
  const Sight sight = is_branch(s, segment) ? Sight{s.prefix[2 * segment], s.prefix[2 * segment + 1], own, row} : Sight{own, row + 1, own, row};
  s.sights[i] = sight;
  s.roots[i] = sight.root;
  if (s.order) s.order[i] = i;
}

__global__ void read_layout(Sequences s, BadId* bad) {
  const std::int64_t most = s.queries > s.segments ? s.queries : std::int64_t{s.segments} + 1;
  for (std::int64_t item = first_item(); item < most; item += item_step()) {
    const auto i = static_cast<std::int32_t>(item);
    if (i <= s.segments && !offset_fits(s, i)) report(s, bad, LayoutPart::offset, s.offsets[i], i);
    if (i < s.segments && !prefix_fits(s, i)) report(s, bad, LayoutPart::prefix, s.prefix[2 * i + 1], i);
    if (i >= s.queries) continue;
    if (!row_fits(s, i)) report(s, bad, LayoutPart::query_row, s.rows[i], i);
    else if (s.segments > 0) look(s, i);
  }
}

__global__ void sort_chunks(Places places, Places scratch, std::int64_t count) {
  for (std::int64_t begin = blockIdx.x * sort_chunk_size; begin < count; begin += gridDim.x * sort_chunk_size)
    sort_chunk(places, scratch, begin, begin + sort_chunk_size < count ? begin + sort_chunk_size : count);
}

/// A unit begins at every `unit_rows`-th place of a sequence.
__global__ void list_units(Sequences s, std::int32_t unit_rows) {
  if (*s.broken) return;
  for (std::int64_t item = first_item(); item < s.queries; item += item_step()) {
    const auto place = static_cast<std::int32_t>(item);
    const std::int32_t root = s.roots[place];
    if ((place - count_below(s.roots, s.queries, root)) % unit_rows != 0) continue;
    const std::int32_t left = count_below(s.roots, s.queries, root + 1) - place;
    s.units[atomicAdd(s.unit_count, 1)] = {place, left < unit_rows ? left : unit_rows};
  }
}

/// Each sequence has at most one unit that is not full.
std::int64_t count_units(const AttentionLayout& layout, int unit_rows) {
  const std::int64_t queries = layout.query_rows.shape[0], segments = layout.offsets.shape[0] - 1;
  return std::min(queries, queries / unit_rows + segments);
}

/// Lists of a number for each query: roots, and with prefixes the order and both once more to sort.
std::size_t bytes_of(const AttentionLayout& layout, std::int64_t units) {
  const std::int64_t queries = layout.query_rows.shape[0], lists = layout.prefix.data ? 4 : 1;
  return static_cast<std::size_t>(queries) * sizeof(Sight) + static_cast<std::size_t>(units) * sizeof(Unit) +
         static_cast<std::size_t>(2 + lists * queries) * sizeof(std::int32_t);
}

}  // namespace

bool AttentionPlan::covers(const AttentionLayout& layout, std::int64_t queries, std::int64_t tokens) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max() - 256;  // the end of a tile is a number too
  if (layout.offsets.shape.rank() != 1 || layout.offsets.shape[0] < 1 || std::max({layout.offsets.shape[0], queries, tokens}) > most) return false;
  const Shape prefixes{layout.offsets.shape[0] - 1, 2};
  if (layout.prefix.data && (layout.prefix.dtype != DType::i32 || !(layout.prefix.shape == prefixes) || !layout.prefix.contiguous())) return false;
  return is_vector(layout.offsets, DType::i32, layout.offsets.shape[0]) && is_vector(layout.query_rows, DType::i32, queries);
}

AttentionPlan::AttentionPlan(const Queue& queue, const AttentionLayout& layout, std::int64_t tokens, int unit_rows)
    : most_units_(count_units(layout, unit_rows)), scratch_(queue, bytes_of(layout, most_units_), "attention") {
  Sequences& s = sequences_;
  s.offsets = layout.offsets.as<std::int32_t>();
  s.rows = layout.query_rows.as<std::int32_t>();
  s.prefix = layout.prefix.as<std::int32_t>();
  s.segments = static_cast<std::int32_t>(layout.offsets.shape[0] - 1);
  s.queries = static_cast<std::int32_t>(layout.query_rows.shape[0]);
  s.tokens = static_cast<std::int32_t>(tokens);
  s.sights = scratch_.as<Sight>();
  s.units = reinterpret_cast<Unit*>(s.sights + s.queries);
  s.unit_count = reinterpret_cast<std::int32_t*>(s.units + most_units_);
  s.broken = s.unit_count + 1;
  s.roots = s.broken + 1;
  s.order = s.prefix ? s.roots + s.queries : nullptr;
  check(cudaMemsetAsync(s.unit_count, 0, 2 * sizeof(std::int32_t), queue.stream), "attention");
  const std::int64_t most = std::max<std::int64_t>(s.queries, s.segments + std::int64_t{1});
  launch(queue, "attention", read_layout, blocks_for(most, threads), threads, s, queue.bad_id);
  if (s.queries == 0) return;
  if (s.order) sort_queries(queue, s.order + s.queries);
  launch(queue, "attention", list_units, blocks_for(s.queries, threads), threads, s, unit_rows);
}

/// Both lists once more lie in `scratch`.
void AttentionPlan::sort_queries(const Queue& queue, std::int32_t* scratch) {
  Sequences& s = sequences_;
  Places sorted{s.roots, s.order}, other{scratch, scratch + s.queries};
  launch(queue, "attention", sort_chunks, blocks_for(s.queries, sort_chunk_size), sort_threads, sorted, other, std::int64_t{s.queries});
  merge_chunks(queue, "attention", sorted, other, s.queries);
  s.roots = sorted.keys;
  s.order = sorted.values;
}

}  // namespace chronotope::cuda
