#pragma once
// What the norm kernels read and write; members that a pass does not use stay null.

#include "stream.hpp"
#include "views.hpp"

namespace chronotope::onednn {

struct NormTask {
  Rows x, y, dy, dx;
  const float *w = nullptr, *b = nullptr;
  float *inv = nullptr, *mean = nullptr;  ///< [R], written forward and read backward
  double eps = 0;
};

}  // namespace chronotope::onednn
