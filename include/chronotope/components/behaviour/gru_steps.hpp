#pragma once
// The steps of a gated recurrent unit as one operation with a gradient of its own: composed step by step it would record
// some thirty operations a step, and a weight gradient each.

#include "chronotope/autograd/backward.hpp"
#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/matmul.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope::detail {

/// With U = [U_u; U_r; U_c] and h_-1 = 0, for t = 0 … k - 1:
///   u = sigmoid(x_u + U_u h), r = sigmoid(x_r + U_r h), c = tanh(x_c + r * U_c h), h' = h + s u (c - h)
/// O(k B w^2) time; keeps six [k, B, w] for the gradient. A step's tensors are row-major and small enough for a cache, so all
/// of a step is done before the next.
template <Backend B> class GruSteps {
 public:
  /// x_u, x_r, x_c [k, B, w], weight U [3 w, w], share s [k, B, 1] -> the states h' [k, B, w].
  static Tensor<B> run(const Tensor<B>& x_u, const Tensor<B>& x_r, const Tensor<B>& x_c, const Tensor<B>& weight, const Tensor<B>& share) {
    GruSteps steps(weight.detach(), dense(expand(share.detach(), x_c.shape())));
    steps.forward(x_u.detach(), x_r.detach(), x_c.detach());
    return record(steps.h_, {&x_u, &x_r, &x_c, &weight, &share},
                  [steps](const Tensor<B>& dy, GradientSink<B>& sink) { steps.backward(dense(dy), sink); });
  }

 private:
  GruSteps(const Tensor<B>& weight, const Tensor<B>& share) : weight_(weight), s_(share), width_(share.size(2)),
        u_(like()), r_(like()), c_(like()), f_(like()), h_(like()) {}

  void forward(const Tensor<B>& x_u, const Tensor<B>& x_r, const Tensor<B>& x_c) {
    Tensor<B> before = zeros();
    for (std::int64_t t = 0; t < h_.size(0); ++t) {
      const Tensor<B> u = select(u_, 0, t), r = select(r_, 0, t), c = select(c_, 0, t), f = select(f_, 0, t), h = select(h_, 0, t);
      product(u, before, turned(0), 0), set(Binary::add, u, u, select(x_u, 0, t)), squash(u);
      product(r, before, turned(1), 0), set(Binary::add, r, r, select(x_r, 0, t)), squash(r);
      product(f, before, turned(2), 0), set(Binary::mul, c, r, f), set(Binary::add, c, c, select(x_c, 0, t));
      B::unary(c.stream(), Unary::tanh, c.view(), c.view());
      set(Binary::sub, h, c, before), set(Binary::mul, h, h, u), set(Binary::mul, h, h, select(s_, 0, t)), set(Binary::add, h, h, before);
      before = h;
    }
  }

  void backward(const Tensor<B>& dy, GradientSink<B>& sink) const {
    const Tensor<B> du = like(), dr = like(), dc = like(), df = like();
    const Tensor<B> before = concat(std::vector<Tensor<B>>{unsqueeze(zeros(), 0), slice(h_, 0, 0, h_.size(0) - 1)}, 0);
    const Tensor<B> ds = sink.wants(4) ? like() : Tensor<B>(), carry = zeros(), moved = zeros(), dh = zeros(), x = zeros();
    for (std::int64_t t = h_.size(0) - 1; t >= 0; --t) {
      const auto at = [t](const Tensor<B>& all) { return select(all, 0, t); };
      const Tensor<B> u = at(u_), r = at(r_), c = at(c_), f = at(f_), d_u = at(du), d_r = at(dr), d_c = at(dc), d_f = at(df);
      set(Binary::add, dh, carry, at(dy)), set(Binary::sub, moved, c, at(before));
      if (ds.defined()) set(Binary::mul, at(ds), dh, u), set(Binary::mul, at(ds), at(ds), moved);
      set(Binary::mul, x, dh, at(s_));
      slope(d_u, u), set(Binary::mul, d_u, d_u, moved), set(Binary::mul, d_u, d_u, x);                     // x (c - h) (u - u^2)
      set(Binary::mul, x, x, u);
      set(Binary::mul, d_c, x, c), set(Binary::mul, d_c, d_c, c), set(Binary::sub, d_c, x, d_c);            // x u (1 - c^2)
      slope(d_r, r), set(Binary::mul, d_r, d_r, f), set(Binary::mul, d_r, d_r, d_c);                       // dc U_c h (r - r^2)
      set(Binary::mul, d_f, d_c, r);
      set(Binary::sub, carry, dh, x);
      product(carry, d_u, weight(0), 1), product(carry, d_r, weight(1), 1), product(carry, d_f, weight(2), 1);
    }
    sink.add(0, du), sink.add(1, dr), sink.add(2, dc);
    if (sink.wants(3)) sink.add(3, concat(std::vector<Tensor<B>>{outer(du, before), outer(dr, before), outer(df, before)}, 0));
    if (ds.defined()) sink.add(4, sum(ds, 2, true));
  }

  /// U_u, U_r or U_c [w, w], and its transpose.
  Tensor<B> weight(std::int64_t i) const { return slice(weight_, 0, i * width_, (i + 1) * width_); }
  Tensor<B> turned(std::int64_t i) const { return transpose(weight(i), 0, 1); }
  /// Uninitialised [k, B, w]; zeros [B, w].
  Tensor<B> like() const { return Tensor<B>(s_.state(), s_.shape(), s_.dtype()); }
  Tensor<B> zeros() const { return full<B>(s_.state(), {s_.size(1), width_}, 0, s_.dtype()); }

  /// sum over steps and samples of x y^T, [w, w].
  Tensor<B> outer(const Tensor<B>& x, const Tensor<B>& y) const { return matmul(transpose(reshape(x, {-1, width_}), 0, 1), reshape(y, {-1, width_})); }

  static void set(Binary op, const Tensor<B>& out, const Tensor<B>& a, const Tensor<B>& b) {
    if (out.elements()) B::binary(out.stream(), op, out.view(), a.view(), b.view());
  }
  /// out = a b + beta out
  static void product(const Tensor<B>& out, const Tensor<B>& a, const Tensor<B>& b, double beta) {
    if (out.elements()) B::matmul(out.stream(), out.view(), a.view(), b.view(), beta);
  }
  /// x becomes sigmoid(x) = tanh(x / 2) / 2 + 1 / 2.
  static void squash(const Tensor<B>& x) {
    const Tensor<B> half = expand(scalar_like(x, 0.5), x.shape());
    set(Binary::mul, x, x, half);
    B::unary(x.stream(), Unary::tanh, x.view(), x.view());
    set(Binary::mul, x, x, half), set(Binary::add, x, x, half);
  }
  /// out = y - y^2: how a sigmoid of value y rises.
  static void slope(const Tensor<B>& out, const Tensor<B>& y) { set(Binary::mul, out, y, y), set(Binary::sub, out, y, out); }

  Tensor<B> weight_, s_;
  std::int64_t width_;
  Tensor<B> u_, r_, c_, f_, h_;  ///< [k, B, w] each; f is U_c h
};

}  // namespace chronotope::detail
