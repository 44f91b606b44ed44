// The fused hooks: the right device, then the kernels.

#include "fused.hpp"
#include "linear.hpp"
#include "stream.hpp"

namespace chronotope {

namespace {

template <class... P, class... A>
bool on_device(cuda_backend::stream& s, const char* operation, bool (*hook)(const cuda::Queue&, P...), const A&... arguments) {
  const cuda::DeviceGuard guard(s.impl().device, operation);
  return hook(s.impl().queue(), arguments...);
}
template <class... P, class... A>
bool on_device(cuda_backend::stream& s, const char* operation, bool (*hook)(cuda::Impl&, P...), const A&... arguments) {
  const cuda::DeviceGuard guard(s.impl().device, operation);
  return hook(s.impl(), arguments...);
}

}  // namespace

bool cuda_backend::try_softmax(stream& s, const View& y, const View& x) {
  return on_device(s, "softmax", cuda::softmax, y, x);
}

bool cuda_backend::try_softmax_backward(stream& s, const View& dx, const View& dy, const View& y) {
  return on_device(s, "softmax_backward", cuda::softmax_backward, dx, dy, y);
}

bool cuda_backend::try_rms_norm(stream& s, const View& y, const View& inv, const View& x, const View& w, double eps) {
  return on_device(s, "rms_norm", cuda::rms_norm, y, inv, x, w, eps);
}

bool cuda_backend::try_rms_norm_backward(stream& s, const View& dx, const View& dw, const View& dy, const View& x, const View& w, const View& inv) {
  return on_device(s, "rms_norm_backward", cuda::rms_norm_backward, dx, dw, dy, x, w, inv);
}

bool cuda_backend::try_layer_norm(stream& s, const View& y, const View& mean, const View& inv, const View& x, const View& w, const View& b,
                                  double eps) {
  return on_device(s, "layer_norm", cuda::layer_norm, y, mean, inv, x, w, b, eps);
}

bool cuda_backend::try_layer_norm_backward(stream& s, const View& dx, const View& dw, const View& db, const View& dy, const View& x,
                                           const View& w, const View& mean, const View& inv) {
  return on_device(s, "layer_norm_backward", cuda::layer_norm_backward, dx, dw, db, dy, x, w, mean, inv);
}

bool cuda_backend::try_swiglu(stream& s, const View& y, const View& gate_up) {
  return on_device(s, "swiglu", cuda::swiglu, y, gate_up);
}

bool cuda_backend::try_swiglu_backward(stream& s, const View& dgate_up, const View& dy, const View& gate_up) {
  return on_device(s, "swiglu_backward", cuda::swiglu_backward, dgate_up, dy, gate_up);
}

bool cuda_backend::try_rope(stream& s, const View& y, const View& x, const View& position, const View& cos, const View& sin, bool inverse) {
  return on_device(s, "rope", cuda::rope, y, x, position, cos, sin, inverse);
}

bool cuda_backend::try_attention(stream& s, const View& out, const View& lse, const View& q, const View& k, const View& v,
                                 const AttentionLayout& layout, double scale) {
  return on_device(s, "attention", cuda::attention, out, lse, q, k, v, layout, scale);
}

bool cuda_backend::try_attention_backward(stream& s, const View& dq, const View& dk, const View& dv, const View& dout, const View& q,
                                          const View& k, const View& v, const View& out, const View& lse, const AttentionLayout& layout,
                                          double scale) {
  return on_device(s, "attention_backward", cuda::attention_backward, dq, dk, dv, dout, q, k, v, out, lse, layout, scale);
}

bool cuda_backend::try_linear_cross_entropy(stream& s, const View& nll, const View& lse, const View& h, const View& w, const View& target) {
  return on_device(s, "linear_cross_entropy", cuda::linear_cross_entropy, nll, lse, h, w, target);
}

bool cuda_backend::try_linear_cross_entropy_backward(stream& s, const View& dh, const View& dw, const View& dnll, const View& h, const View& w,
                                                     const View& target, const View& lse) {
  return on_device(s, "linear_cross_entropy_backward", cuda::linear_cross_entropy_backward, dh, dw, dnll, h, w, target, lse);
}

bool cuda_backend::try_linear(stream& s, const View& y, const View& x, const View& w, const View& bias, bool relu) {
  return on_device(s, "linear", cuda::linear, y, x, w, bias, relu);
}

bool cuda_backend::try_linear_backward(stream& s, const View& dx, const View& dw, const View& db, const View& dy, const View& x, const View& w,
                                       const View& y, bool relu) {
  return on_device(s, "linear_backward", cuda::linear_backward, dx, dw, db, dy, x, w, y, relu);
}

bool cuda_backend::try_linear_grouped(stream& s, const View& y, const View& x, const View& w, const View& bias, const View& group) {
  return on_device(s, "linear_grouped", cuda::linear_grouped, y, x, w, bias, group);
}

bool cuda_backend::try_forgetting_mask(stream& s, const View& mask, const ReviewViews& points, const CurveConstants& constants,
                                       const CurveShape& shape) {
  return on_device(s, "forgetting_mask", cuda::forgetting_mask, mask, points, constants, shape);
}

bool cuda_backend::try_forgetting_mask_backward(stream& s, const CurveConstants& gradients, const View& dmask, const ReviewViews& points,
                                                const CurveConstants& constants, const CurveShape& shape) {
  return on_device(s, "forgetting_mask_backward", cuda::forgetting_mask_backward, gradients, dmask, points, constants, shape);
}

bool cuda_backend::try_hmin(stream& s, const View& out, const HminViews& inputs) {
  const cuda::DeviceGuard guard(s.impl().device, "hmin");
  return cuda::hmin(s.impl().queue(), s, out, inputs);
}

bool cuda_backend::try_hmin_backward(stream& s, const HminViews& gradients, const View& dout, const HminViews& inputs) {
  const cuda::DeviceGuard guard(s.impl().device, "hmin_backward");
  return cuda::hmin_backward(s.impl().queue(), s, gradients, dout, inputs);
}

bool cuda_backend::try_pointer_scores(stream& s, const View& out, const View& content, std::span<const RelationViews> relations, double scale,
                                      double bias_scale) {
  return on_device(s, "pointer_scores", cuda::pointer_scores, out, content, relations, scale, bias_scale);
}

bool cuda_backend::try_pointer_scores_backward(stream& s, const View& dcontent, const View& dout, std::span<const RelationViews> gradients,
                                               double scale, double bias_scale) {
  return on_device(s, "pointer_scores_backward", cuda::pointer_scores_backward, dcontent, dout, gradients, scale, bias_scale);
}

bool cuda_backend::try_dropout(stream& s, const View& y, const View& x, double p, std::uint64_t seed, std::uint64_t counter) {
  return on_device(s, "dropout", cuda::dropout, y, x, p, seed, counter);
}

bool cuda_backend::try_sum_squares(stream& s, const View& out, const View& x) {
  return on_device(s, "sum_squares", cuda::sum_squares, out, x);
}

bool cuda_backend::try_adamw(stream& s, const View& p, const View& m, const View& v, const View& g, const AdamStep& step) {
  return on_device(s, "adamw", cuda::adamw, p, m, v, g, step);
}

bool cuda_backend::try_adamw_many(stream& s, std::span<const AdamViews> all, const AdamStep& step) {
  const cuda::DeviceGuard guard(s.impl().device, "adamw_many");
  return cuda::adamw_many(s.impl().queue(), s, all, step);
}

bool cuda_backend::try_adamw_rows(stream& s, const View& p, const View& m, const View& v, const View& ids, const View& g, const AdamStep& step) {
  return on_device(s, "adamw_rows", cuda::adamw_rows, p, m, v, ids, g, step);
}

}  // namespace chronotope
