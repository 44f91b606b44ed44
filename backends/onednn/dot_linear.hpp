#pragma once
// Products whose rows do not know of each other.

#include "stream.hpp"
#include "views.hpp"

namespace chronotope::onednn {

/// y [R, N] = x [R, K] w^T with w [N, K], K above 0.
struct DotTask {
  Rows x, w, y;
};

void dot_linear(Impl& impl, const DotTask& task);

}  // namespace chronotope::onednn
