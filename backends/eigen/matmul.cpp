#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "chronotope/backend/eigen_backend.hpp"
#include "cpu/loops.hpp"
#include "gemm.hpp"

namespace chronotope {

namespace {

using eigen::Gemm;

/// How Eigen can take the matrices (last two axes) of a view as they are.
struct Layout {
  std::int64_t pitch;
  bool columns;  ///< column-major
};

std::optional<Layout> layout_of(const View& view) {
  const int row = view.shape.rank() - 2, column = row + 1;
  const std::int64_t rows = view.shape[-2], columns = view.shape[-1];
  const std::int64_t row_step = view.strides[row], column_step = view.strides[column];
  if ((column_step == 1 || columns == 1) && (row_step >= columns || rows == 1))
    return Layout{rows == 1 ? columns : row_step, false};
  if ((row_step == 1 || rows == 1) && (column_step >= rows || columns == 1))
    return Layout{columns == 1 ? rows : column_step, true};
  return std::nullopt;
}

View transposed(View view) {
  const int row = view.shape.rank() - 2;
  std::swap(view.shape[-2], view.shape[-1]);
  std::swap(view.strides[row], view.strides[row + 1]);
  return view;
}

/// A view of the same elements in row-major matrices of its own; what a batch axis repeats is kept once.
struct Packed {
  std::unique_ptr<std::byte[]> memory;
  View view, source;

  explicit Packed(const View& from) : view(from), source(from) {
    for (int axis = 0; axis < from.shape.rank() - 2; ++axis)
      if (from.strides[axis] == 0) source.shape[axis] = 1;
    memory =
        std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(source.elements()) * size_of(from.dtype));
    view.data = memory.get();
    view.strides = contiguous_strides(source.shape);
    for (int axis = 0; axis < from.shape.rank() - 2; ++axis)
      if (source.shape[axis] == 1) view.strides[axis] = 0;
  }

  View own() const { return contiguous_view(view.data, view.dtype, source.shape); }
  void load() const { cpu::copy(own(), source); }
  void store() const { cpu::copy(source, own()); }
};

void remove_axis(View& view, int axis) {
  Shape shape;
  Strides strides{};
  for (int i = 0; i < view.shape.rank(); ++i) {
    if (i == axis) continue;
    strides[shape.rank()] = view.strides[i];
    shape.push_back(view.shape[i]);
  }
  view.shape = shape;
  view.strides = strides;
}

/// Makes the last batch axis part of the rows, which follow one another across it.
void merge_rows(View& view) {
  const int axis = view.shape.rank() - 3, row = axis + 1;
  if (view.shape[-2] == 1) view.strides[row] = view.strides[axis];
  view.shape[-2] *= view.shape[-3];
  remove_axis(view, axis);
}

// A linear layer is one product of all its rows, not one for each of the batch: [B, T, K] times one [K, N].
void fold_batch(View& out, View& a, View& b) {
  while (out.shape.rank() > 2) {
    const int axis = out.shape.rank() - 3, row = axis + 1;
    const std::int64_t rows = out.shape[-2];
    const auto lies_behind = [&](const View& view) {
      return rows == 1 || view.strides[axis] == view.strides[row] * rows;
    };
    if (out.shape[-3] == 1) {
      for (View* view : {&out, &a, &b}) remove_axis(*view, axis);
    } else if (b.strides[axis] == 0 && lies_behind(out) && lies_behind(a)) {
      merge_rows(out);
      merge_rows(a);
      remove_axis(b, axis);
    } else {
      return;
    }
  }
}

/// One call of the kernel for each piece of each matrix of the batch.
class Product {
 public:
  Product(const View& out, const View& a, const View& b, bool accumulate, int threads)
      : out_(out), a_(a), b_(b), bytes_(static_cast<std::int64_t>(size_of(out.dtype))) {
    const Layout to = *layout_of(out), left = *layout_of(a), right = *layout_of(b);
    const int rank = out.shape.rank();
    whole_ = {out.data,   a.data,      b.data,       out.shape[-2], out.shape[-1],           a.shape[-1], to.pitch,
              left.pitch, right.pitch, left.columns, right.columns, out.dtype == DType::f64, accumulate};
    for (int axis = 0; axis < rank - 2; ++axis) batch_ *= out.shape[axis];
    split(threads);
  }

  void run() const {
    const eigen::GemmFunction gemm = eigen::best_gemm();
    std::exception_ptr failure;
#pragma omp parallel for num_threads(threads_) schedule(static) if (threads_ > 1)
    for (std::int64_t task = 0; task < batch_ * pieces_; ++task) {
      try {
        gemm(piece(task / pieces_, task % pieces_));
      } catch (...) {
#pragma omp critical(chronotope_eigen_failure)
        failure = std::current_exception();
      }
    }
    if (failure) std::rethrow_exception(failure);
  }

 private:
  // Whole matrices where there are enough of them, otherwise pieces of the longer side of the output.
  void split(int threads) {
    constexpr double worthwhile = 1e5;  // multiplications; below that starting a team costs more than it saves
    const double work = static_cast<double>(batch_) * static_cast<double>(whole_.m) * static_cast<double>(whole_.n) *
                        static_cast<double>(whole_.k);
    threads_ = work < worthwhile ? 1 : std::max(threads, 1);
    const std::int64_t side = std::max(whole_.m, whole_.n);
    if (batch_ < threads_) pieces_ = std::clamp<std::int64_t>(side / 16, 1, threads_);
    step_ = (side + pieces_ - 1) / pieces_;
    pieces_ = (side + step_ - 1) / step_;
  }

  Gemm piece(std::int64_t matrix, std::int64_t index) const {
    const int row = out_.shape.rank() - 2, column = row + 1;
    const std::int64_t first = index * step_;
    const bool by_rows = whole_.m >= whole_.n;
    std::int64_t to = first * (by_rows ? whole_.ldc : 1);
    std::int64_t left = by_rows ? first * a_.strides[row] : 0;
    std::int64_t right = by_rows ? 0 : first * b_.strides[column];
    for (int axis = row - 1; axis >= 0; --axis) {
      const std::int64_t at = matrix % out_.shape[axis];
      matrix /= out_.shape[axis];
      to += at * out_.strides[axis];
      left += at * a_.strides[axis];
      right += at * b_.strides[axis];
    }
    Gemm g = whole_;
    (by_rows ? g.m : g.n) = std::min(step_, (by_rows ? g.m : g.n) - first);
    g.out = static_cast<std::byte*>(g.out) + to * bytes_;
    g.a = static_cast<const std::byte*>(g.a) + left * bytes_;
    g.b = static_cast<const std::byte*>(g.b) + right * bytes_;
    return g;
  }

  View out_, a_, b_;
  std::int64_t bytes_, batch_ = 1, pieces_ = 1, step_ = 1;
  int threads_ = 1;
  Gemm whole_{};
};

/// `out` is row-major.
void multiply(const View& out, View a, View b, bool accumulate, int threads) {
  std::optional<Packed> packed_a, packed_b;
  if (!layout_of(a)) {
    packed_a.emplace(a).load();
    a = packed_a->view;
  }
  if (!layout_of(b)) {
    packed_b.emplace(b).load();
    b = packed_b->view;
  }
  Product(out, a, b, accumulate, threads).run();
}

/// beta out for any beta; whether there is anything left to add to.
bool scale(const View& out, double beta) {
  if (beta == 0 || beta == 1) return beta != 0;
  alignas(double) std::byte value[sizeof(double)];
  View factor = contiguous_view(value, out.dtype, Shape{});
  cpu::fill(factor, beta);
  factor.shape = out.shape;
  factor.strides = {};
  cpu::binary(Binary::mul, out, out, factor);
  return true;
}

}  // namespace

void eigen_backend::matmul(stream& s, const View& result, const View& lhs, const View& rhs, double beta) {
  if (!is_floating(result.dtype)) return cpu::matmul(result, lhs, rhs, beta);
  if (result.elements() == 0) return;
  const bool accumulate = scale(result, beta);
  if (lhs.shape[-1] == 0) return accumulate ? void() : cpu::fill(result, 0);

  View out = result, a = lhs, b = rhs;
  fold_batch(out, a, b);
  const auto layout = layout_of(out);
  if (layout && !layout->columns) return multiply(out, a, b, accumulate, s.threads);
  if (layout) return multiply(transposed(out), transposed(b), transposed(a), accumulate, s.threads);
  const Packed packed(out);
  if (accumulate) packed.load();
  multiply(packed.view, a, b, accumulate, s.threads);
  packed.store();
}

}  // namespace chronotope
