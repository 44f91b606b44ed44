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
  std::int64_t heads = 0, half = 0;
  std::int64_t token_stride = 0, head_stride = 0;      // of x
  std::int64_t y_token_stride = 0, y_head_stride = 0;  // y may be x
  bool inverse = false;
};

}  // namespace chronotope::onednn
