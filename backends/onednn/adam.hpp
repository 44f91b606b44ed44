#pragma once
// The constants of one AdamW step in single precision.

#include <cmath>

#include "chronotope/backend/fused.hpp"
#include "stream.hpp"
#include "views.hpp"

namespace chronotope::onednn {

/// The parameter moves by the sum of decay and step, added to it once: rounding 1 - lr * weight_decay to a float would
/// lose most of the digits of a small decay.
struct AdamConstants {
  float grad_scale, beta1, rest1, beta2, rest2, decay, rate, correction2, eps;

  explicit AdamConstants(const AdamStep& s)
      : grad_scale(static_cast<float>(s.grad_scale)),
        beta1(static_cast<float>(s.beta1)),
        rest1(static_cast<float>(1 - s.beta1)),
        beta2(static_cast<float>(s.beta2)),
        rest2(static_cast<float>(1 - s.beta2)),
        decay(static_cast<float>(-s.lr * s.weight_decay)),
        rate(static_cast<float>(-s.lr / s.correction1)),
        correction2(static_cast<float>(1 / s.correction2)),
        eps(static_cast<float>(s.eps)) {}
};

}  // namespace chronotope::onednn
