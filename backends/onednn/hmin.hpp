#pragma once
// Arguments of the kernels in hmin.cpp.

#include <algorithm>
#include <cstdint>

namespace chronotope::onednn {

/// Views of HminViews without gaps, as pointers; extents as in ops/hmin.hpp.
struct HminTask {
  std::int64_t samples = 0, queries = 0, masks = 0, kept = 0, width = 0;  ///< B, Q, M, k, D
  std::int64_t heads = 0, hidden = 0, out_width = 0;                      ///< H, F, O
  float temperature = 1;
  const float *query = nullptr, *keys = nullptr, *mask = nullptr;
  const std::uint8_t* valid = nullptr;
  const float *weight1 = nullptr, *bias1 = nullptr, *weight2 = nullptr, *bias2 = nullptr;
  float *packed1 = nullptr, *packed2 = nullptr;  ///< the weights in panels (see products.hpp)
  float* out = nullptr;
  const float* dout = nullptr;
  float *dquery = nullptr, *dkeys = nullptr, *dmask = nullptr;

  std::int64_t rows() const { return queries * masks; }
  std::int64_t inner() const { return heads * hidden; }
  std::int64_t outer() const { return heads * out_width; }
};

/// What the threads add up in the backward pass, one behind the other.
struct HminSums {
  std::int64_t weight1, bias1, weight2, bias2, temperature, count;  ///< where each begins; how many in all
  explicit HminSums(const HminTask& t)
      : weight1(0), bias1(t.inner() * t.width), weight2(bias1 + t.inner()), bias2(weight2 + t.outer() * t.hidden),
        temperature(bias2 + t.outer()), count(temperature + 1) {}
};

/// A thread's memory for one sample. Vectors over behaviours are compact (only those that are there) and `stride` apart.
struct HminWork {
  std::int64_t stride;
  float *unit, *query_scale, *key_scale, *keys, *cosine, *mask, *weights, *hidden, *pooled;
  float *slope, *dcosine, *pull, *dpooled, *dhidden, *dkeys;
  std::int32_t* list;

  /// Floats that all of it takes.
  static std::int64_t floats(const HminTask& t) {
    HminWork none;
    return none.lay_out(t, nullptr);
  }
  HminWork(const HminTask& t, float* memory) { lay_out(t, memory); }

 private:
  HminWork() = default;
  std::int64_t lay_out(const HminTask& t, float* memory) {
    std::int64_t used = 0;
    const auto take = [&](std::int64_t n) {
      float* at = memory ? memory + used : nullptr;
      used += (n + 15) / 16 * 16;
      return at;
    };
    stride = (t.kept + 15) / 16 * 16;
    unit = take(t.queries * t.width), query_scale = take(t.queries), key_scale = take(t.kept), keys = take(t.kept * t.width);
    cosine = take(t.queries * stride), mask = take(t.masks * stride), weights = take(t.rows() * stride);
    hidden = take(t.kept * t.inner()), pooled = take(t.rows() * t.inner());
    slope = take(t.rows() * stride), dcosine = take(t.queries * stride), pull = take(std::max(t.kept, t.queries));
    dpooled = take(t.rows() * t.inner()), dhidden = take(t.kept * t.inner()), dkeys = take(t.kept * t.width);
    list = reinterpret_cast<std::int32_t*>(take(t.kept));
    return used;
  }
};

}  // namespace chronotope::onednn
