// The interest unit backwards: a chunk is computed again, then gradients go the same way back. See hmin.hpp.
#include "column_sums.hpp"
#include "hmin.hpp"

namespace chronotope::cuda {

namespace {

/// Gradients of the weights.
template <class T> struct HminSlopes {
  HminChunk<T> c;
  __device__ void operator()(std::int64_t sample, std::int64_t r, std::int64_t j, T dot, T) const {
    c.slope[(sample * c.size.queries * c.size.masks + r) * c.size.kept + j] = dot;
  }
};

/// Back through the softmax: slopes become the gradients of the scores. along[r] is their product with the scores but for the temperature.
template <class T> struct WeightsBackward {
  HminChunk<T> c;
  T* along;
  template <class Team> __device__ void row(std::int64_t r) const {
    const std::int64_t kept = c.size.kept;
    const HminRow<T> at(c, r);
    const T* weights = c.weights + r * kept;
    T* slope = c.slope + r * kept;
    const T mean = row_sum<Team, T>(kept, [&](std::int64_t j) { return slope[j] * weights[j]; });
    const T total = row_sum<Team, T>(kept, [&](std::int64_t j) {
      slope[j] = weights[j] * (slope[j] - mean);
      return at.valid[j] != 0 ? slope[j] * at.product(j) : T{0};
    });
    if (threadIdx.x == 0) along[r] = total;
  }
};

/// From the scores to masks and cosines, a thread for each behaviour: cosines become their gradients, `pull` gets the sums over the queries of both
/// multiplied.
template <class T> __global__ void scores_backward(HminChunk<T> c, T* dmask) {
  const std::int64_t kept = c.size.kept, queries = c.size.queries, masks = c.size.masks;
  const T temperature = *c.temperature;
  for (std::int64_t i = first_item(); i < c.size.samples * kept; i += item_step()) {
    const std::int64_t sample = i / kept, j = i % kept;
    const bool there = c.valid[i] != 0;
    const T *slope = c.slope + sample * queries * masks * kept + j, *mask = c.mask + sample * masks * kept + j;
    T *cosine = c.cosine + sample * queries * kept + j, pull = 0;
    for (std::int64_t m = 0; m < masks; ++m) {
      T sum = 0;
      for (std::int64_t q = 0; there && q < queries; ++q) sum += slope[(q * masks + m) * kept] * cosine[q * kept];
      dmask[(sample * masks + m) * kept + j] = sum * temperature;
    }
    for (std::int64_t q = 0; q < queries; ++q) {
      T sum = 0;
      for (std::int64_t m = 0; there && m < masks; ++m) sum += slope[(q * masks + m) * kept] * mask[m * kept];
      pull += sum * temperature * cosine[q * kept];
      cosine[q * kept] = sum * temperature;
    }
    c.pull[i] = pull;
  }
}

template <class T> struct UnitKeys {
  HminChunk<T> c;
  __device__ bool there(std::int64_t sample, std::int64_t j) const { return c.valid[sample * c.size.kept + j] != 0; }
  __device__ T value(std::int64_t sample, std::int64_t j, std::int64_t d) const {
    const std::int64_t at = sample * c.size.kept + j;
    return c.keys[at * c.size.width + d] * c.key_scale[at];
  }
};

/// From unit queries to queries, in place: what lies along a query goes.
template <class T> struct UnitsBackward {
  HminChunk<T> c;
  T* dquery;
  template <class Team> __device__ void row(std::int64_t r) const {
    const T* unit = c.unit + r * c.size.width;
    T* grad = dquery + r * c.size.width;
    const T pull = row_sum<Team, T>(c.size.width, [&](std::int64_t i) { return unit[i] * grad[i]; });
    each_element<Team>(c.size.width, [&](std::int64_t i) { grad[i] = c.query_scale[r] * (grad[i] - unit[i] * pull); });
  }
};

/// Hidden values become their gradients.
template <class T> struct HiddenBackward {
  HminChunk<T> c;
  __device__ void operator()(std::int64_t sample, std::int64_t j, std::int64_t column, T sum) const {
    const std::int64_t at = sample * c.size.kept + j;
    T& hidden = c.hidden[at * c.size.heads * c.size.hidden + column];
    hidden = c.valid[at] != 0 && hidden + c.bias1[column] > 0 ? sum : T{0};
  }
};

/// Adds what comes by the cosines to what came by the heads; what lies along a key goes.
template <class T> struct KeysBackward {
  HminChunk<T> c;
  T* dkeys;
  __device__ void operator()(std::int64_t sample, std::int64_t j, std::int64_t d, T sum) const {
    const std::int64_t at = sample * c.size.kept + j, i = at * c.size.width + d;
    const T scale = c.key_scale[at];
    dkeys[i] = c.valid[at] != 0 ? dkeys[i] + scale * (sum - c.keys[i] * scale * c.pull[at]) : T{0};
  }
};

/// Keys, 0 in padding: their products with gradients of 0 must be 0 whatever stands there.
template <class T> __global__ void copy_present(HminChunk<T> c, T* to) {
  for (std::int64_t i = first_item(); i < c.size.samples * c.size.kept * c.size.width; i += item_step())
    to[i] = c.valid[i / c.size.width] != 0 ? c.keys[i] : T{0};
}

template <class T> struct Plain {
  const T* data;
  std::int64_t columns;
  __device__ std::array<T, 1> values(std::int64_t r, std::int64_t column) const { return {data[r * columns + column]}; }
};

/// Gradients of the results of samples that have behaviours, whose numbers `any` are.
template <class T> struct PresentOut {
  const T *dout, *any;
  std::int64_t rows, columns;
  __device__ std::array<T, 1> values(std::int64_t r, std::int64_t column) const { return {any[r / rows] != 0 ? dout[r * columns + column] : T{0}}; }
};

template <class T> struct FindAny {
  std::int64_t kept;
  const std::uint8_t* valid;
  T* any;
  template <class Team> __device__ void row(std::int64_t b) const {
    const bool found = has_any<Team>(valid + b * kept, kept);
    if (threadIdx.x == 0) any[b] = found ? T{1} : T{0};
  }
};

constexpr const char* operation = "hmin_backward";

template <class T> struct Backward {
  const Queue& queue;
  cuda_backend::stream& s;
  const HminViews &gradient, &x;
  const View& dout;
  const HminSizes all{x};
  const DType dtype = dout.dtype;

  void run() const {
    const std::int64_t chunk_sums = all.samples * all.inner(), alongs = all.samples * all.rows();
    const Scratch scratch(queue, static_cast<std::size_t>(chunk_sums + alongs + all.samples) * sizeof(T), operation);
    T *const dbias1 = scratch.as<T>(), *const along = dbias1 + chunk_sums, *const any = along + alongs;
    std::int64_t chunks = 0;
    for_chunks<T>(queue, operation, x, true, [&](const HminChunk<T>& c) {
      hmin_pool(queue, s, operation, c, x.weight1);
      second_layers(c);
      first_layers(c, dbias1 + chunks++ * all.inner());
      attention(c, along);
    });
    for_rows(queue, operation, all.samples, all.kept, FindAny<T>{all.kept, x.valid.as<std::uint8_t>(), any});
    column_sums<T, 1>(queue, operation, alongs, all.outer(), PresentOut<T>{dout.as<T>(), any, all.rows(), all.outer()}, {gradient.bias2.as<T>()});
    column_sums<T, 1>(queue, operation, chunks, all.inner(), Plain<T>{dbias1, all.inner()}, {gradient.bias1.as<T>()});
    column_sums<T, 1>(queue, operation, alongs, 1, Plain<T>{along, 1}, {gradient.temperature.as<T>()});
  }

 private:
  /// From the results to what was pooled, and the second layers' own.
  void second_layers(const HminChunk<T>& c) const {
    const std::int64_t rows = c.size.samples * all.rows();
    const View from = head_views(dout.as<T>() + c.first * all.rows() * all.outer(), dtype, rows, all.heads, all.out);
    cuda_backend::matmul(s, head_views(c.dpooled, dtype, rows, all.heads, all.hidden), from, x.weight2, 0);
    cuda_backend::matmul(s, gradient.weight2, flipped(from), head_views(c.pooled, dtype, rows, all.heads, all.hidden), c.first > 0 ? 1 : 0);
  }

  /// Slopes of the weights; from hidden values to the keys, and the first layers' own. The copy of the keys lies where their gradients come.
  void first_layers(const HminChunk<T>& c, T* dbias1) const {
    const std::int64_t behaviours = c.size.samples * all.kept;
    T* const dkeys = gradient.keys.as<T>() + c.first * all.kept * all.width;
    const View dhidden = matrix_view(c.hidden, dtype, behaviours, all.inner()), to_keys = matrix_view(dkeys, dtype, behaviours, all.width);
    run_dots(queue, operation, c.size.by_head(), c.dpooled, HminHidden<T>{c}, HminSlopes<T>{c});
    run_spread(queue, operation, c.size.by_head(), c.weights, c.dpooled, HiddenBackward<T>{c});
    column_sums<T, 1>(queue, operation, behaviours, all.inner(), Plain<T>{c.hidden, all.inner()}, {dbias1});
    launch(queue, operation, copy_present<T>, blocks_for(behaviours * all.width, 256), 256, c, dkeys);
    cuda_backend::matmul(s, gradient.weight1, flipped(dhidden), to_keys, c.first > 0 ? 1 : 0);
    cuda_backend::matmul(s, to_keys, dhidden, x.weight1, 0);
  }

  /// From the weights to masks, queries and keys.
  void attention(const HminChunk<T>& c, T* along) const {
    T *const dquery = gradient.query.as<T>() + c.first * all.queries * all.width, *const dkeys = gradient.keys.as<T>() + c.first * all.kept * all.width;
    for_rows(queue, operation, c.size.samples * all.rows(), all.kept, WeightsBackward<T>{c, along + c.first * all.rows()});
    launch(queue, operation, scores_backward<T>, blocks_for(c.size.samples * all.kept, 128), 128, c,
           gradient.mask.as<T>() + c.first * all.masks * all.kept);
    run_pool(queue, operation, c.size.by_query(), c.cosine, UnitKeys<T>{c}, dquery);
    for_rows(queue, operation, c.size.samples * all.queries, all.width, UnitsBackward<T>{c, dquery});
    run_spread(queue, operation, c.size.by_query(), c.cosine, c.unit, KeysBackward<T>{c, dkeys});
  }
};

}  // namespace

bool hmin_backward(const Queue& queue, cuda_backend::stream& s, const HminViews& gradient, const View& dout, const HminViews& x) {
  HminViews outputs = gradient;
  outputs.valid = x.valid;
  if (!covers_hmin(x, dout) || !covers_hmin(outputs, dout) || !(gradient.query.shape == x.query.shape) || !(gradient.keys.shape == x.keys.shape) ||
      !(gradient.mask.shape == x.mask.shape) || !(gradient.weight2.shape == x.weight2.shape))
    return false;
  with_floating(dout.dtype, [&](auto zero) { Backward<decltype(zero)>{queue, s, gradient, x, dout}.run(); });
  return true;
}

}  // namespace chronotope::cuda
