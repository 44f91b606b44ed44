#pragma once
// Arguments of the kernels in pointer.cpp.

#include <cstdint>
#include <vector>

namespace chronotope::onednn {

/// Bins [S, pairs] and where their table lies among those of all relations, one behind the other.
struct PointerRelation {
  const std::int32_t* bins;
  std::int64_t rows, first;
};

/// Views without gaps as pointers. In the backward pass `in` is the gradient of `out` and `out` that of the content.
struct PointerTask {
  std::int64_t sequences = 0, heads = 0, pairs = 0;  ///< S, K, M N
  std::int64_t rows = 0;                             ///< of all tables together
  float scale = 0;
  const float* in = nullptr;        ///< [S, K, pairs]
  float* out = nullptr;             ///< [S, K, pairs]
  const float* columns = nullptr;   ///< [K, rows], the tables times their scale
  std::vector<PointerRelation> relations;

  static constexpr std::int64_t chunk = 256, block = 4;  ///< pairs; heads that are added at once
  std::int64_t chunks() const { return (pairs + chunk - 1) / chunk; }  ///< of a sequence
  std::int64_t padded_heads() const { return (heads + block - 1) / block * block; }
};

}  // namespace chronotope::onednn
