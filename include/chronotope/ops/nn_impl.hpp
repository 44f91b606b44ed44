#pragma once
// Definitions of ops/nn.hpp: each is the composition, with the fused pair in front of it.

#include <cmath>

#include "chronotope/ops/detail.hpp"
#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/nn.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {
namespace detail {

template <Backend B> void need_width(const char* op, const Tensor<B>& x, const Tensor<B>& weight) {
  need_floating(op, x);
  same_dtype(op, x, weight);
  if (x.rank() < 1 || weight.rank() != 1 || weight.size(0) != x.size(-1))
    shapes_differ(op, "the weight must have the input's last extent", x.shape(), weight.shape());
}

template <Backend B> bool fused_rms_norm(Tensor<B>& y, const Tensor<B>& x_in, const Tensor<B>& weight, double eps) {
  if constexpr (requires { &B::try_rms_norm; }) {
    const Tensor<B> x = dense(x_in), out = like(x), inv = column(x), w = weight.detach();
    if (!B::try_rms_norm(x.stream(), as_rows(out.view()), inv.view(), as_rows(x.view()), w.view(), eps)) return false;
    y = record(out, {&x_in, &weight}, [x, w, inv](const Tensor<B>& dy_in, GradientSink<B>& sink) {
      const Tensor<B> dy = dense(dy_in), dx = like(x), dw = like(w);
      if (!B::try_rms_norm_backward(x.stream(), as_rows(dx.view()), dw.view(), as_rows(dy.view()), as_rows(x.view()), w.view(), inv.view()))
        throw BackendError("[rms_norm] the backend took the forward but not the backward");
      sink.add(0, dx);
      sink.add(1, dw);
    });
    return true;
  }
  return false;
}

template <Backend B>
bool fused_layer_norm(Tensor<B>& y, const Tensor<B>& x_in, const Tensor<B>& weight, const Tensor<B>& bias, double eps) {
  if constexpr (requires { &B::try_layer_norm; }) {
    const Tensor<B> x = dense(x_in), out = like(x), mean = column(x), inv = column(x), w = weight.detach();
    if (!B::try_layer_norm(x.stream(), as_rows(out.view()), mean.view(), inv.view(), as_rows(x.view()), w.view(), bias.view(), eps))
      return false;
    y = record(out, {&x_in, &weight, &bias}, [x, w, mean, inv](const Tensor<B>& dy_in, GradientSink<B>& sink) {
      const Tensor<B> dy = dense(dy_in), dx = like(x), dw = like(w), db = like(w);
      if (!B::try_layer_norm_backward(x.stream(), as_rows(dx.view()), dw.view(), db.view(), as_rows(dy.view()), as_rows(x.view()),
                                      w.view(), mean.view(), inv.view()))
        throw BackendError("[layer_norm] the backend took the forward but not the backward");
      sink.add(0, dx);
      sink.add(1, dw);
      sink.add(2, db);
    });
    return true;
  }
  return false;
}

template <Backend B> bool fused_softmax(Tensor<B>& y, const Tensor<B>& x_in) {
  if constexpr (requires { &B::try_softmax; }) {
    const Tensor<B> x = dense(x_in), out = like(x);
    if (!B::try_softmax(x.stream(), as_rows(out.view()), as_rows(x.view()))) return false;
    y = record(out, {&x_in}, [out](const Tensor<B>& dy_in, GradientSink<B>& sink) {
      const Tensor<B> dy = dense(dy_in), dx = like(out);
      if (!B::try_softmax_backward(out.stream(), as_rows(dx.view()), as_rows(dy.view()), as_rows(out.view())))
        throw BackendError("[softmax] the backend took the forward but not the backward");
      sink.add(0, dx);
    });
    return true;
  }
  return false;
}

template <Backend B> void check_rope(const Tensor<B>& x, const Tensor<B>& position, const RopeTables<B>& tables) {
  need_rank("rope", "the input", x, 3);
  need_dtype("rope", "position", position, DType::i32);
  if (position.rank() != 1 || position.size(0) != x.size(0) || tables.cos.size(1) * 2 != x.size(2))
    shapes_differ("rope", "x must be [T, H, D] with position [T] and tables of D / 2", x.shape(), position.shape());
}

/// Into `out`, which may be x.
template <Backend B>
bool fused_rope(Tensor<B>& y, const Tensor<B>& out, const Tensor<B>& x, const Tensor<B>& position, const RopeTables<B>& tables) {
  if constexpr (requires { &B::try_rope; }) {
    if (!B::try_rope(x.stream(), out.view(), x.view(), position.view(), tables.cos.view(), tables.sin.view(), false)) return false;
    y = record(out, {&x}, [position, tables](const Tensor<B>& dy_in, GradientSink<B>& sink) {
      const Tensor<B> dy = dense(dy_in), dx = like(dy);
      if (!B::try_rope(dy.stream(), dx.view(), dy.view(), position.view(), tables.cos.view(), tables.sin.view(), true))
        throw BackendError("[rope] the backend took the forward but not the backward");
      sink.add(0, dx);
    });
    return true;
  }
  return false;
}

template <Backend B> bool fused_swiglu(Tensor<B>& y, const Tensor<B>& gate_up, const Shape& shape) {
  if constexpr (requires { &B::try_swiglu; }) {
    const Tensor<B> x = dense(gate_up), out(x.state(), shape, x.dtype());
    if (!B::try_swiglu(x.stream(), as_rows(out.view()), as_rows(x.view()))) return false;
    y = record(out, {&gate_up}, [x](const Tensor<B>& dy_in, GradientSink<B>& sink) {
      const Tensor<B> dy = dense(dy_in), dx = like(x);
      if (!B::try_swiglu_backward(x.stream(), as_rows(dx.view()), as_rows(dy.view()), as_rows(x.view())))
        throw BackendError("[swiglu] the backend took the forward but not the backward");
      sink.add(0, dx);
    });
    return true;
  }
  return false;
}

/// keep / (1 - p) times x, drawn at one place of the random stream: forward and backward are the same call.
template <Backend B> Tensor<B> dropped(const Tensor<B>& x_in, double p, RandomState at) {
  const Tensor<B> x = dense(x_in), y = like(x);
  if constexpr (requires { &B::try_dropout; }) {
    if (B::try_dropout(x.stream(), y.view(), x.view(), p, at.seed, at.counter)) return y;
  }
  const NoGrad no_grad;
  Tensor<B> draw(x.state(), x.shape(), DType::f32);
  if (draw.elements()) B::uniform(draw.stream(), draw.view(), at.seed, at.counter);
  // Draws are multiples of 2^-24. p rounded up to one splits them exactly as p does; p rounded to f32 might not.
  const double threshold = std::ceil(p * 0x1p24) * 0x1p-24;
  return where(less(draw, scalar_like(draw, threshold)), scalar_like(x, 0), x * (1 / (1 - p)));
}

}  // namespace detail

template <Backend B> Tensor<B> rms_norm(const Tensor<B>& x, const Tensor<B>& weight, double eps) {
  detail::need_width("rms_norm", x, weight);
  Tensor<B> y;
  if (x.elements() && detail::fused_rms_norm(y, x, weight, eps)) return y;
  return x * reciprocal(sqrt(mean(x * x, -1, true) + eps)) * weight;
}

template <Backend B> Tensor<B> layer_norm(const Tensor<B>& x, const Tensor<B>& weight, const Tensor<B>& bias, double eps) {
  detail::need_width("layer_norm", x, weight);
  detail::need_width("layer_norm", x, bias);
  Tensor<B> y;
  if (x.elements() && detail::fused_layer_norm(y, x, weight, bias, eps)) return y;
  const Tensor<B> centred = x - mean(x, -1, true);
  return centred * reciprocal(sqrt(mean(centred * centred, -1, true) + eps)) * weight + bias;
}

template <Backend B> Tensor<B> softmax(const Tensor<B>& x) {
  detail::need_floating("softmax", x);
  Tensor<B> y;
  if (x.elements() && x.rank() > 0 && detail::fused_softmax(y, x)) return y;
  return exp(x - logsumexp(x, -1));
}

template <Backend B>
RopeTables<B>::RopeTables(Context<B>& context, std::int64_t positions, std::int64_t width, double theta, DType dtype) {
  if (width % 2 != 0 || width <= 0) throw ShapeError("[rope] the head width must be even, is " + std::to_string(width));
  const std::int64_t half = width / 2;
  std::vector<double> c, s;
  for (std::int64_t t = 0; t < positions; ++t)
    for (std::int64_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(t) * std::pow(theta, -static_cast<double>(i) / static_cast<double>(half));
      c.push_back(std::cos(angle));
      s.push_back(std::sin(angle));
    }
  const auto upload = [&](const std::vector<double>& values) {
    if (dtype == DType::f64) return Tensor<B>::from_host(context, values, {positions, half});
    return Tensor<B>::from_host(context, std::vector<float>(values.begin(), values.end()), {positions, half});
  };
  cos = upload(c);
  sin = upload(s);
}

template <Backend B> Tensor<B> rope(const Tensor<B>& x, const Tensor<B>& position, const RopeTables<B>& tables) {
  detail::check_rope(x, position, tables);
  Tensor<B> y;
  if (x.elements() && detail::fused_rope(y, detail::like(x), x, position, tables)) return y;
  const std::int64_t half = x.size(2) / 2;
  const Tensor<B> c = unsqueeze(gather(tables.cos, position), 1), s = unsqueeze(gather(tables.sin, position), 1);
  const Tensor<B> a = slice(x, 2, 0, half), b = slice(x, 2, half, 2 * half);
  return concat(std::vector<Tensor<B>>{a * c - b * s, b * c + a * s}, 2);
}

template <Backend B> Tensor<B> rope_in_place(const Tensor<B>& x, const Tensor<B>& position, const RopeTables<B>& tables) {
  detail::check_rope(x, position, tables);
  Tensor<B> y;
  if (x.elements() && detail::fused_rope(y, x.detach(), x, position, tables)) return y;
  return rope(x, position, tables);
}

template <Backend B> Tensor<B> swiglu(const Tensor<B>& gate_up) {
  detail::need_floating("swiglu", gate_up);
  if (gate_up.rank() < 1 || gate_up.size(-1) % 2 != 0)
    throw ShapeError("[swiglu] the last extent must be even, shape is " + to_string(gate_up.shape()));
  Shape shape = gate_up.shape();
  const std::int64_t width = shape[-1] / 2;
  shape[-1] = width;
  Tensor<B> y;
  if (gate_up.elements() && detail::fused_swiglu(y, gate_up, shape)) return y;
  return silu(slice(gate_up, -1, 0, width)) * slice(gate_up, -1, width, 2 * width);
}

template <Backend B> Tensor<B> dropout(const Tensor<B>& x, double p) {
  if (!(p >= 0 && p < 1)) throw ConfigError("[dropout] the probability must be at least 0 and less than 1, is " + std::to_string(p));
  if (p == 0 || x.elements() == 0) return x;
  const RandomState at = x.state()->random;
  ++x.state()->random.counter;
  return record(detail::dropped(x, p, at), {&x},
                [p, at](const Tensor<B>& dy, GradientSink<B>& sink) { sink.add(0, detail::dropped(dy, p, at)); });
}

}  // namespace chronotope
