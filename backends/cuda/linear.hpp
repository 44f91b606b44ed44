#pragma once
// The fused hooks around products: they need what a stream owns for cuBLAS. False, having queued nothing, for what they do not cover.

#include "chronotope/backend/fused.hpp"
#include "stream.hpp"

namespace chronotope::cuda {

using Impl = cuda_backend::stream::Impl;

bool linear(Impl&, const View& y, const View& x, const View& w, const View& bias, bool relu);
bool linear_backward(Impl&, const View& dx, const View& dw, const View& db, const View& dy, const View& x, const View& w, const View& y, bool relu);
bool linear_grouped(Impl&, const View& y, const View& x, const View& w, const View& bias, const View& group);

bool linear_cross_entropy(Impl&, const View& nll, const View& lse, const View& h, const View& w, const View& target);
bool linear_cross_entropy_backward(Impl&, const View& dh, const View& dw, const View& dnll, const View& h, const View& w, const View& target,
                                   const View& lse);

}  // namespace chronotope::cuda
