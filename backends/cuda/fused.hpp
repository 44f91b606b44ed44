#pragma once
// The fused hooks as kernels, a family a file. False, having queued nothing, for what they do not cover.

#include "chronotope/backend/cuda_backend.hpp"
#include "launch.hpp"

namespace chronotope::cuda {

bool softmax(const Queue&, const View& y, const View& x);
bool softmax_backward(const Queue&, const View& dx, const View& dy, const View& y);

bool rms_norm(const Queue&, const View& y, const View& inv, const View& x, const View& w, double eps);
bool rms_norm_backward(const Queue&, const View& dx, const View& dw, const View& dy, const View& x, const View& w, const View& inv);
bool layer_norm(const Queue&, const View& y, const View& mean, const View& inv, const View& x, const View& w, const View& b, double eps);
bool layer_norm_backward(const Queue&, const View& dx, const View& dw, const View& db, const View& dy, const View& x, const View& w,
                         const View& mean, const View& inv);

bool swiglu(const Queue&, const View& y, const View& gate_up);
bool swiglu_backward(const Queue&, const View& dgate_up, const View& dy, const View& gate_up);
bool rope(const Queue&, const View& y, const View& x, const View& position, const View& cos, const View& sin, bool inverse);
bool attention(const Queue&, const View& out, const View& lse, const View& q, const View& k, const View& v, const AttentionLayout& layout, double scale);
bool attention_backward(const Queue&, const View& dq, const View& dk, const View& dv, const View& dout, const View& q, const View& k, const View& v,
                        const View& out, const View& lse, const AttentionLayout& layout, double scale);

bool forgetting_mask(const Queue&, const View& mask, const ReviewViews& points, const CurveConstants& constants, const CurveShape& shape);
bool forgetting_mask_backward(const Queue&, const CurveConstants& gradients, const View& dmask, const ReviewViews& points,
                              const CurveConstants& constants, const CurveShape& shape);

bool hmin(const Queue&, cuda_backend::stream&, const View& out, const HminViews& inputs);
bool hmin_backward(const Queue&, cuda_backend::stream&, const HminViews& gradients, const View& dout, const HminViews& inputs);

bool pointer_scores(const Queue&, const View& out, const View& content, std::span<const RelationViews> relations, double scale, double bias_scale);
bool pointer_scores_backward(const Queue&, const View& dcontent, const View& dout, std::span<const RelationViews> gradients, double scale,
                             double bias_scale);

bool dropout(const Queue&, const View& y, const View& x, double p, std::uint64_t seed, std::uint64_t counter);
bool sum_squares(const Queue&, const View& out, const View& x);
bool adamw(const Queue&, const View& p, const View& m, const View& v, const View& g, const AdamStep& step);
bool adamw_many(const Queue&, cuda_backend::stream&, std::span<const AdamViews> all, const AdamStep& step);
bool adamw_rows(const Queue&, const View& p, const View& m, const View& v, const View& ids, const View& g, const AdamStep& step);

}  // namespace chronotope::cuda
