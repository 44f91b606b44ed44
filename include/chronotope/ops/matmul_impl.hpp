#pragma once
// Definitions of ops/matmul.hpp.

#include "chronotope/ops/detail.hpp"
#include "chronotope/ops/matmul.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {
namespace detail {

inline Shape with_matrix(const Shape& batch, std::int64_t rows, std::int64_t columns) {
  Shape shape = batch;
  shape.push_back(rows);
  shape.push_back(columns);
  return shape;
}

inline Shape batch_of(const Shape& shape) {
  Shape batch;
  for (int i = 0; i + 2 < shape.rank(); ++i) batch.push_back(shape[i]);
  return batch;
}

template <Backend B> Tensor<B> run_matmul(const Tensor<B>& a, const Tensor<B>& b) {
  same_dtype("matmul", a, b);
  need_floating("matmul", a);
  if (a.rank() < 2 || b.rank() < 2) shapes_differ("matmul", "both need at least two axes", a.shape(), b.shape());
  if (a.size(-1) != b.size(-2))
    shapes_differ("matmul", ("inner extents differ (" + std::to_string(a.size(-1)) + " != " + std::to_string(b.size(-2)) + ")").c_str(),
                  a.shape(), b.shape());
  const Shape batch = broadcast(batch_of(a.shape()), batch_of(b.shape()), "matmul");
  Tensor<B> out(a.state(), with_matrix(batch, a.size(-2), b.size(-1)), a.dtype());
  if (out.elements())
    B::matmul(out.stream(), out.view(), stretched(a.view(), with_matrix(batch, a.size(-2), a.size(-1))),
              stretched(b.view(), with_matrix(batch, b.size(-2), b.size(-1))), 0.0);
  return out;
}

}  // namespace detail

template <Backend B> Tensor<B> matmul(const Tensor<B>& a, const Tensor<B>& b) {
  return record(detail::run_matmul(a, b), {&a, &b}, [a = a.detach(), b = b.detach()](const Tensor<B>& dy, GradientSink<B>& sink) {
    if (sink.wants(0)) sink.add(0, detail::unbroadcast(matmul(dy, transpose(b, -1, -2)), a.shape()));
    if (sink.wants(1)) sink.add(1, detail::unbroadcast(matmul(transpose(a, -1, -2), dy), b.shape()));
  });
}

template <Backend B> Tensor<B> linear(const Tensor<B>& x, const Tensor<B>& weight) {
  detail::need_rank("linear", "the weight", weight, 2);
  if (x.rank() < 1 || x.size(-1) != weight.size(1))
    detail::shapes_differ("linear", "the input's last extent is not the weight's second", x.shape(), weight.shape());
  Shape shape = x.shape();
  shape[-1] = weight.size(0);
  // Leading axes merge, so that the weight's gradient is one product instead of one a batch entry and a sum.
  std::int64_t count = 1;
  for (int i = 0; i + 1 < x.rank(); ++i) count *= x.size(i);
  const Tensor<B> rows = reshape(x, Shape{count, x.size(-1)});
  return reshape(matmul(rows, transpose(weight, 0, 1)), shape);
}

}  // namespace chronotope
