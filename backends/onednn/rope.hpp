#pragma once
// What the rope kernel reads and writes.

#include "stream.hpp"
#include "views.hpp"

namespace chronotope::onednn {

struct RopeTask {
  Rows cos, sin;
  const std::int32_t* position = nullptr;
  const float* x = nullptr;
  float* y = nullptr;
  std::int64_t heads = 0, half = 0, token_stride = 0, head_stride = 0;
  bool inverse = false;
};

}  // namespace chronotope::onednn
