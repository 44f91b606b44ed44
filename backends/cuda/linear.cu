// Linear layers with bias and, where asked for, ReLU. The products are cuBLASLt's, and so is a bias without ReLU: what its ReLU makes of
// NaN is not documented. What is left is a pass over y, read and written, in the forward, and in the backward pass one over dy and y, which
// writes what passes the ReLU, and one over that, which adds up its columns: together they would move a quarter less, but no load could
// overtake a store, and the columns' sums have few threads.
#include "column_sums.hpp"
#include "ids.hpp"
#include "linear.hpp"
#include "map.hpp"
#include "matmul.hpp"
#include "rows.hpp"

namespace chronotope::cuda {

namespace {

template <class T> struct OneBias {
  const T* data;
  __device__ const T* row(std::int64_t) const { return data; }
};

template <class T> struct GroupedBias {
  Rows<T> bias;
  Ids group;
  /// Null where there is no such group.
  __device__ const T* row(std::int64_t r) const {
    const std::int64_t g = group.at(r);
    if (group.inside(g)) return bias.row(g);
    group.report(g, r);
    return nullptr;
  }
};

/// V numbers a thread; the walk is over rows and packs.
template <int V, class T, class Bias> __global__ void add_bias(Walk<2> walk, Rows<T> y, Bias bias, bool relu) {
  for (std::int64_t i = first_item(); i < walk.elements; i += item_step()) {
    std::int64_t at[2];
    walk.locate(i, at);
    const T* row = bias.row(at[0]);
    if (!row) continue;
    auto& to = reinterpret_cast<Pack<T, V>*>(y.row(at[0]))[at[1]];
    const Pack<T, V> more = reinterpret_cast<const Pack<T, V>*>(row)[at[1]];
    Pack<T, V> some = to;
    for (int v = 0; v < V; ++v) {
      const T sum = some.value[v] + more.value[v];
      some.value[v] = relu ? cpu::max_nan(sum, T{0}) : sum;
    }
    to = some;
  }
}

template <class T, class Bias> void finish(const Queue& queue, const char* operation, const View& y, const View& added, const Bias& bias, bool relu) {
  constexpr int threads = 128;
  with_packs<T>(are_packs<T>(y.shape[1], y, added), [&](auto pack) {
    constexpr int V = pack();
    const Shape packs{y.shape[0], y.shape[1] / V};
    const Walk<2> walk(cpu::make_loop(packs, 0, 2, Strides{1, 0}, Strides{0, 1}));
    launch(queue, operation, add_bias<V, T, Bias>, blocks_for(walk.elements, threads), threads, walk, Rows<T>(y), bias, relu);
  });
}

struct Passed {
  template <class T> __device__ T operator()(T grad, T y) const { return y > T{0} ? grad : T{0}; }
};

template <class T> struct Columns {
  Rows<T> of;
  __device__ std::array<T, 1> values(std::int64_t r, std::int64_t i) const { return {of.row(r)[i]}; }
};

bool covers(const View& y, const View& x, const View& w) {
  if (!is_matrix(y) || !is_matrix(x) || !is_matrix(w) || x.dtype != y.dtype || w.dtype != y.dtype) return false;
  return y.shape[0] > 0 && w.shape[1] == x.shape[1] && y.shape == Shape{x.shape[0], w.shape[0]};
}

}  // namespace

bool linear(Impl& impl, const View& y, const View& x, const View& w, const View& bias, bool relu) {
  if (!bias.data || !covers(y, x, w) || !is_vector(bias, y.dtype, y.shape[1])) return false;
  if (relu) product(impl, y, x, transposed(w), 0);
  else if (product_with_bias(impl, y, x, transposed(w), bias)) return true;
  with_floating(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    finish<T>(impl.queue(), "linear", y, bias, OneBias<T>{bias.as<T>()}, relu);
  });
  return true;
}

bool linear_grouped(Impl& impl, const View& y, const View& x, const View& w, const View& bias, const View& group) {
  if (!covers(y, x, w) || !is_rows(bias) || bias.dtype != y.dtype || bias.shape[1] != y.shape[1]) return false;
  if (group.dtype != DType::i32 || !(group.shape == Shape{y.shape[0]})) return false;
  product(impl, y, x, transposed(w), 0);
  with_floating(y.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Ids groups(impl.queue(), group, bias.shape[0], false);
    finish<T>(impl.queue(), "linear_grouped", y, bias, GroupedBias<T>{Rows<T>(bias), groups}, false);
  });
  return true;
}

bool linear_backward(Impl& impl, const View& dx, const View& dw, const View& db, const View& dy, const View& x, const View& w, const View& y,
                     bool relu) {
  const char* operation = "linear_backward";
  if (!covers(dy, x, w) || !is_matrix_like(dw, w) || !is_vector(db, dy.dtype, dy.shape[1])) return false;
  if ((dx.data && !is_matrix_like(dx, x)) || (relu && !is_matrix_like(y, dy))) return false;
  const std::int64_t R = dy.shape[0], N = dy.shape[1];
  const Queue queue = impl.queue();
  const Scratch scratch(queue, relu ? static_cast<std::size_t>(R * N) * size_of(dy.dtype) : 0, operation);
  const View dz = relu ? contiguous_view(scratch.as<void>(), dy.dtype, dy.shape) : dy;  // the gradient of the product
  with_floating(dy.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (relu) map<T, T, T>(queue, operation, Passed(), dz, dy, y);
    column_sums<T, 1>(queue, operation, R, N, Columns<T>{Rows<T>(dz)}, {db.as<T>()});
  });
  product(impl, dw, transposed(dz), x, 0);
  if (dx.data) product(impl, dx, dz, w, 0);
  return true;
}

}  // namespace chronotope::cuda
