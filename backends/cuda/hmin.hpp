#pragma once
// The interest unit of STIM in chunks of samples, whose hidden values [n k, H F] and weights [n, Q M, k] fit into bounded scratch. The first layers
// are one product of all keys of a chunk (cuBLAS), the second ones one for each head; bias, ReLU and padding are dealt with where hidden
// values are read. A sample's few queries and masks meet its behaviours in the kernels of skinny.hpp. Nothing of padding is read.
// The floor is the first layers: 2 k H F D operations a sample, three times that backwards, and 2 k H F Q M for each pass over hidden values.

#include <algorithm>
#include <cmath>
#include <utility>

#include "chronotope/backend/cuda_backend.hpp"
#include "fused.hpp"
#include "rows.hpp"
#include "skinny.hpp"

namespace chronotope::cuda {

struct HminSizes {
  std::int64_t samples, queries, masks, kept, width, heads, hidden, out;  ///< B, Q, M, k, D, H, F, O

  explicit HminSizes(const HminViews& x)
      : samples(x.query.shape[0]),
        queries(x.query.shape[1]),
        masks(x.mask.shape[1]),
        kept(x.keys.shape[1]),
        width(x.query.shape[2]),
        heads(x.weight2.shape[0]),
        hidden(x.weight2.shape[2]),
        out(x.weight2.shape[1]) {}

  std::int64_t rows() const { return queries * masks; }
  std::int64_t inner() const { return heads * hidden; }
  std::int64_t outer() const { return heads * out; }
  Skinny by_query() const { return {samples, queries, kept, width}; }
  Skinny by_head() const { return {samples, rows(), kept, inner()}; }
};

/// Whether the hooks cover them: dense, of one floating dtype, of shapes that agree, none empty.
bool covers_hmin(const HminViews& x, const View& out);

/// A chunk's part of the inputs, and its scratch. `size` counts the chunk's samples.
template <class T> struct HminChunk {
  HminSizes size;
  std::int64_t first = 0;  ///< of its samples
  const T *query, *keys, *mask, *bias1, *temperature;
  const std::uint8_t* valid;
  T *unit, *query_scale, *key_scale, *cosine, *weights, *hidden, *pooled;  ///< [n, Q, D], [n, Q], [n, k], [n, Q, k], [n, Q M, k], [n k, H F], [n Q M, H F]
  T *slope = nullptr, *pull = nullptr, *dpooled = nullptr;                 ///< [n, Q M, k], [n, k], [n Q M, H F]: for the backward pass

  HminChunk(const HminViews& x, std::int64_t from, std::int64_t samples) : size(x), first(from) {
    size.samples = samples;
    query = x.query.as<T>() + first * size.queries * size.width;
    keys = x.keys.as<T>() + first * size.kept * size.width;
    mask = x.mask.as<T>() + first * size.masks * size.kept;
    bias1 = x.bias1.as<T>();
    temperature = x.temperature.as<T>();
    valid = x.valid.as<std::uint8_t>() + first * size.kept;
  }

  /// Lays the scratch out; how many elements that takes, also without memory.
  std::int64_t lay_out(T* memory, bool backward) {
    std::int64_t used = 0;
    const auto take = [&](std::int64_t each) {
      T* at = memory ? memory + used : nullptr;
      used += (size.samples * each + 63) / 64 * 64;
      return at;
    };
    unit = take(size.queries * size.width), query_scale = take(size.queries), key_scale = take(size.kept), cosine = take(size.queries * size.kept);
    weights = take(size.rows() * size.kept), hidden = take(size.kept * size.inner()), pooled = take(size.rows() * size.inner());
    if (backward) slope = take(size.rows() * size.kept), pull = take(size.kept), dpooled = take(size.rows() * size.inner());
    return used;
  }
};

inline View matrix_view(const void* data, DType dtype, std::int64_t rows, std::int64_t columns) {
  return contiguous_view(const_cast<void*>(data), dtype, {rows, columns});
}

/// The last two axes change places.
inline View flipped(View v) {
  const int last = v.shape.rank() - 1;
  std::swap(v.shape[last], v.shape[last - 1]);
  std::swap(v.strides[static_cast<std::size_t>(last)], v.strides[static_cast<std::size_t>(last - 1)]);
  return v;
}

/// Rows of all heads [rows, H width] as [H, rows, width].
inline View head_views(const void* data, DType dtype, std::int64_t rows, std::int64_t heads, std::int64_t width) {
  View v = contiguous_view(const_cast<void*>(data), dtype, {heads, rows, width});
  v.strides[0] = width;
  v.strides[1] = heads * width;
  return v;
}

/// Calls f(chunk) for chunks of samples, one after the other in the same scratch.
template <class T, class F> void for_chunks(const Queue& queue, const char* operation, const HminViews& x, bool backward, F f) {
  const std::int64_t samples = x.query.shape[0], each = HminChunk<T>(x, 0, 1).lay_out(nullptr, backward) * static_cast<std::int64_t>(sizeof(T));
  const std::int64_t count = std::clamp<std::int64_t>(CHRONOTOPE_CHUNK_BYTES / each, 1, samples);
  const Scratch scratch(queue, static_cast<std::size_t>(HminChunk<T>(x, 0, count).lay_out(nullptr, backward)) * sizeof(T), operation);
  for (std::int64_t first = 0; first < samples; first += count) {
    HminChunk<T> chunk(x, first, std::min(count, samples - first));
    chunk.lay_out(scratch.as<T>(), backward);
    f(chunk);
  }
}

/// Whether a sample has behaviours, for all threads of a team.
template <class Team> __device__ bool has_any(const std::uint8_t* valid, std::int64_t kept) {
  Max<int> any;
  each_element<Team>(kept, [&](std::int64_t j) { any.add(valid[j] != 0); });
  Team::merge(any);
  return any.result() > 0;
}

/// Unit queries and 1 / |query|.
template <class T> struct HminUnits {
  HminChunk<T> c;
  template <class Team> __device__ void row(std::int64_t r) const {
    const std::int64_t width = c.size.width;
    const T* in = c.query + r * width;
    const T scale = T{1} / std::sqrt(row_sum<Team, T>(width, [&](std::int64_t i) { return in[i] * in[i]; }) + static_cast<T>(1e-20));
    if (threadIdx.x == 0) c.query_scale[r] = scale;
    each_element<Team>(width, [&](std::int64_t i) { c.unit[r * width + i] = in[i] * scale; });
  }
};

template <class T> struct HminKeys {
  HminChunk<T> c;
  __device__ bool there(std::int64_t sample, std::int64_t j) const { return c.valid[sample * c.size.kept + j] != 0; }
  __device__ T value(std::int64_t sample, std::int64_t j, std::int64_t d) const { return c.keys[(sample * c.size.kept + j) * c.size.width + d]; }
};

/// What the first layers make of the keys.
template <class T> struct HminHidden {
  HminChunk<T> c;
  __device__ bool there(std::int64_t sample, std::int64_t j) const { return c.valid[sample * c.size.kept + j] != 0; }
  __device__ T value(std::int64_t sample, std::int64_t j, std::int64_t column) const {
    const std::int64_t inner = c.size.heads * c.size.hidden;
    return cpu::max_nan(c.hidden[(sample * c.size.kept + j) * inner + column] + c.bias1[column], T{0});
  }
};

/// From a unit query times a key to their cosine.
template <class T> struct HminCosines {
  HminChunk<T> c;
  __device__ void operator()(std::int64_t sample, std::int64_t q, std::int64_t j, T dot, T square) const {
    const T scale = T{1} / std::sqrt(square + static_cast<T>(1e-20));
    c.cosine[(sample * c.size.queries + q) * c.size.kept + j] = dot * scale;
    if (q == 0) c.key_scale[sample * c.size.kept + j] = scale;
  }
};

/// A sample, query and mask: cosines and masks of the behaviours, and what is there of them.
template <class T> struct HminRow {
  const T *cosine, *mask;
  const std::uint8_t* valid;

  __device__ HminRow(const HminChunk<T>& c, std::int64_t r) {
    const std::int64_t query = r / c.size.masks, sample = query / c.size.queries, kept = c.size.kept;
    cosine = c.cosine + query * kept;
    mask = c.mask + (sample * c.size.masks + r % c.size.masks) * kept;
    valid = c.valid + sample * kept;
  }
  __device__ T product(std::int64_t j) const { return cosine[j] * mask[j]; }
};

/// Softmax over the behaviours that are there, 0 in padding.
template <class T> struct HminWeights {
  HminChunk<T> c;
  template <class Team> __device__ void row(std::int64_t r) const {
    const std::int64_t kept = c.size.kept;
    const HminRow<T> at(c, r);
    const T temperature = *c.temperature;
    T* out = c.weights + r * kept;
    Max<T> largest;
    each_element<Team>(kept, [&](std::int64_t j) {
      if (at.valid[j] != 0) largest.add(at.product(j) * temperature);
    });
    Team::merge(largest);
    const T most = largest.result();
    const T total = row_sum<Team, T>(kept, [&](std::int64_t j) {
      return out[j] = at.valid[j] != 0 ? std::exp(at.product(j) * temperature - most) : T{0};
    });
    const T over = total == 0 ? T{0} : T{1} / total;
    each_element<Team>(kept, [&](std::int64_t j) { out[j] *= over; });
  }
};

/// All of a chunk but the second layers: what `pooled` and those before it in HminChunk are.
template <class T> void hmin_pool(const Queue& queue, cuda_backend::stream& s, const char* operation, const HminChunk<T>& c, const View& weight1) {
  const HminSizes& n = c.size;
  const DType dtype = weight1.dtype;
  for_rows(queue, operation, n.samples * n.queries, n.width, HminUnits<T>{c});
  run_dots(queue, operation, n.by_query(), c.unit, HminKeys<T>{c}, HminCosines<T>{c});
  for_rows(queue, operation, n.samples * n.rows(), n.kept, HminWeights<T>{c});
  cuda_backend::matmul(s, matrix_view(c.hidden, dtype, n.samples * n.kept, n.inner()), matrix_view(c.keys, dtype, n.samples * n.kept, n.width),
                       flipped(weight1), 0);
  run_pool(queue, operation, n.by_head(), c.weights, HminHidden<T>{c}, c.pooled);
}

}  // namespace chronotope::cuda
