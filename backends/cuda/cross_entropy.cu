// Linear layer and cross entropy in one. Logits are made block by block (rows by classes) in scratch memory whose size neither rows nor
// classes say, used and thrown away; the backward pass makes them again and turns them into their gradients in place. A row's maximum
// and sum of exponentials follow its blocks (Milakov & Gimelshein 2018).
// The floor is the products' arithmetic, 2 Q P D operations forward and 6 Q P D backward. Beside it a logit is written and read once
// forward, and twice each backward before both products read it. All classes of a block of rows come before the next rows in the
// forward pass, so a row's state is as short as the block; the other way round in the backward pass. A row of a block has one team of
// threads, so fewer than some hundred rows leave a device idle while their logits are looked at.
#include <cmath>
#include <limits>

#include "ids.hpp"
#include "kernels.hpp"
#include "linear.hpp"
#include "map.hpp"
#include "matmul.hpp"
#include "rows.hpp"

namespace chronotope::cuda {

namespace {

/// How [Q, P] is cut: products stay large, and the logits of a block take no more than `most` of them does.
struct Blocking {
  std::int64_t rows, columns;

  Blocking(std::int64_t Q, std::int64_t P, DType dtype) {
    constexpr std::int64_t side = CHRONOTOPE_LOGIT_SIDE, whole = 32;  // columns: rows begin at multiples of 128 bytes
    const std::int64_t most = side * side * 4 / static_cast<std::int64_t>(size_of(dtype));
    rows = part(Q, side);
    columns = (part(P, most / rows / whole * whole) + whole - 1) / whole * whole;
  }
  /// n in equal parts of `most` at most.
  static std::int64_t part(std::int64_t n, std::int64_t most) {
    const std::int64_t parts = (n + most - 1) / most;
    return (n + parts - 1) / parts;
  }
  std::size_t bytes(DType dtype) const { return static_cast<std::size_t>(rows * columns) * size_of(dtype); }
};

View some_rows(View v, std::int64_t first, std::int64_t count) {
  v.data = static_cast<char*>(v.data) + first * v.strides[0] * static_cast<std::int64_t>(size_of(v.dtype));
  v.shape[0] = count;
  return v;
}

/// Of the rows from `row` and the classes from `first`.
struct Block {
  View logits;
  std::int64_t row, first;

  Block(Impl& impl, const Scratch& scratch, const Blocking& cut, const View& h, const View& w, std::int64_t row, std::int64_t first)
      : logits(contiguous_view(scratch.as<void>(), h.dtype, {std::min(cut.rows, h.shape[0] - row), cut.columns})), row(row), first(first) {
    logits.shape[1] = std::min(cut.columns, w.shape[0] - first);
    product(impl, logits, of_rows(h), transposed(of_classes(w)), 0);
  }
  View of_rows(const View& v) const { return some_rows(v, row, logits.shape[0]); }
  View of_classes(const View& v) const { return some_rows(v, first, logits.shape[1]); }
};

/// f(values, column) for this thread's share of a row that begins at a multiple of 16 bytes: a Pack of 16 bytes, or of one number.
template <class Team, class T, class F> __device__ void each_pack(T* row, std::int64_t columns, F f) {
  constexpr int V = 16 / sizeof(T);
  const std::int64_t packs = columns / V;
  for (std::int64_t i = threadIdx.x; i < packs; i += Team::threads) f(reinterpret_cast<Pack<T, V>*>(row)[i], i * V);
  for (std::int64_t i = packs * V + threadIdx.x; i < columns; i += Team::threads) f(reinterpret_cast<Pack<T, 1>*>(row)[i], i);
}

/// Maximum and sum of exponentials of what was seen. Finite before that, so that no infinity is taken from another.
template <class T> struct Online {
  T top = std::numeric_limits<T>::lowest();
  Sum<T> sum;

  __device__ void raise(T most) {
    const T factor = std::exp(top - most);
    sum.total *= factor;
    sum.lost *= factor;
    top = most;
  }
  template <int V> __device__ void add(const Pack<T, V>& x) {
    T most = top, part = 0;
    for (int v = 0; v < V; ++v) most = cpu::max_nan(x.value[v], most);
    for (int v = 0; v < V; ++v) part += std::exp(x.value[v] - most);
    raise(most);
    sum.add(part);
  }
  __device__ void merge(Online other) {
    const T most = cpu::max_nan(other.top, top);
    raise(most);
    other.raise(most);
    sum.merge(other.sum);
  }
  template <class Team> __device__ void merge_team() {
    Max<T> most;
    most.add(top);
    Team::merge(most);
    raise(most.result());
    Team::merge(sum);
  }
};

/// What the forward pass knows of a row so far.
template <class T> struct RowState {
  Online<T> seen;
  T picked = 0;  ///< the target's logit
};

template <class T> struct Observe {
  Rows<T> logits;
  std::int64_t row_begin, first, columns;
  Ids target;
  RowState<T>* states;
  T *nll, *lse;

  Observe(const Block& block, const Ids& target, RowState<T>* states, const View& nll, const View& lse)
      : logits(block.logits), row_begin(block.row), first(block.first), columns(block.logits.shape[1]), target(target), states(states),
        nll(nll.as<T>()), lse(lse.as<T>()) {}

  template <class Team> __device__ void row(std::int64_t r) const {
    const std::int64_t wanted = target.at(row_begin + r);
    if (!target.inside(wanted)) {
      if (threadIdx.x == 0) target.report(wanted, row_begin + r);
      return;
    }
    Online<T> seen;
    each_pack<Team>(logits.row(r), columns, [&](const auto& x, std::int64_t) { seen.add(x); });
    seen.template merge_team<Team>();
    if (threadIdx.x == 0) note(r, wanted, seen);
  }
  __device__ void note(std::int64_t r, std::int64_t wanted, const Online<T>& seen) const {
    RowState<T> state;
    if (first > 0) state = states[r];
    state.seen.merge(seen);
    if (wanted >= first && wanted < first + columns) state.picked = logits.row(r)[wanted - first];
    states[r] = state;
    if (first + columns < target.rows) return;
    const T log_sum = std::log(state.seen.sum.result());
    lse[row_begin + r] = state.seen.top + log_sum;
    nll[row_begin + r] = (state.seen.top - state.picked) + log_sum;
  }
};

/// Logits become their gradients, dnll (softmax - [is the target]); those of a row without a class become 0.
template <class T> struct Differentiate {
  Rows<T> logits;
  std::int64_t row_begin, first, columns;
  Ids target;
  Rows<T> dnll;
  const T* lse;

  Differentiate(const Block& block, const Ids& target, const View& dnll, const View& lse)
      : logits(block.logits), row_begin(block.row), first(block.first), columns(block.logits.shape[1]), target(target), dnll(dnll),
        lse(lse.as<T>()) {}

  template <class Team> __device__ void row(std::int64_t r) const {
    const std::int64_t wanted = target.at(row_begin + r);
    const bool inside = target.inside(wanted);
    if (!inside && threadIdx.x == 0) target.report(wanted, row_begin + r);
    const T weight = *dnll.row(row_begin + r), total = lse[row_begin + r];
    each_pack<Team>(logits.row(r), columns, [&]<int V>(Pack<T, V>& x, std::int64_t column) {
      Pack<T, V> some = x;
      for (int v = 0; v < V; ++v) {
        const T share = std::exp(some.value[v] - total);
        some.value[v] = !inside ? T{0} : weight * (first + column + v == wanted ? share - T{1} : share);
      }
      x = some;
    });
  }
};

bool covers(const View& h, const View& w, const View& target, const View& lse) {
  if (!is_matrix(h) || !is_matrix(w) || w.dtype != h.dtype || w.shape[0] == 0 || w.shape[1] != h.shape[1]) return false;
  return target.dtype == DType::i32 && target.shape == Shape{h.shape[0]} && is_vector(lse, h.dtype, h.shape[0]);
}

}  // namespace

bool linear_cross_entropy(Impl& impl, const View& nll, const View& lse, const View& h, const View& w, const View& target) {
  const std::int64_t Q = h.shape[0], P = w.shape[0];
  if (!covers(h, w, target, lse) || !is_vector(nll, h.dtype, Q)) return false;
  if (Q == 0) return true;
  const char* operation = "linear_cross_entropy";
  const Queue queue = impl.queue();
  const Blocking cut(Q, P, h.dtype);
  const Ids classes(queue, target, P, false);
  with_floating(h.dtype, [&](auto zero) {
    using T = decltype(zero);
    const Scratch logits(queue, cut.bytes(h.dtype), operation), states(queue, static_cast<std::size_t>(cut.rows) * sizeof(RowState<T>), operation);
    for (std::int64_t row = 0; row < Q; row += cut.rows)
      for (std::int64_t first = 0; first < P; first += cut.columns) {
        const Block block(impl, logits, cut, h, w, row, first);
        for_rows(queue, operation, block.logits.shape[0], block.logits.shape[1],
                 Observe<T>(block, classes, states.template as<RowState<T>>(), nll, lse));
      }
  });
  return true;
}

bool linear_cross_entropy_backward(Impl& impl, const View& dh, const View& dw, const View& dnll, const View& h, const View& w, const View& target,
                                   const View& lse) {
  const std::int64_t Q = h.shape[0], P = w.shape[0];
  if (!covers(h, w, target, lse) || !is_matrix_like(dh, h) || !is_matrix_like(dw, w)) return false;
  if (dnll.dtype != h.dtype || !(dnll.shape == lse.shape)) return false;
  const char* operation = "linear_cross_entropy_backward";
  const Queue queue = impl.queue();
  if (Q == 0) {
    fill(queue, dw, 0);
    return true;
  }
  const Blocking cut(Q, P, h.dtype);
  const Ids classes(queue, target, P, false);
  const Scratch logits(queue, cut.bytes(h.dtype), operation);
  for (std::int64_t first = 0; first < P; first += cut.columns)
    for (std::int64_t row = 0; row < Q; row += cut.rows) {
      const Block block(impl, logits, cut, h, w, row, first);
      with_floating(h.dtype, [&](auto zero) {
        using T = decltype(zero);
        for_rows(queue, operation, block.logits.shape[0], block.logits.shape[1], Differentiate<T>(block, classes, dnll, lse));
      });
      product(impl, block.of_rows(dh), block.logits, block.of_classes(w), first == 0 ? 0 : 1);
      product(impl, block.of_classes(dw), transposed(block.logits), block.of_rows(h), row == 0 ? 0 : 1);
    }
  return true;
}

}  // namespace chronotope::cuda
