#pragma once
// For those who give memory to packed weights (pack_panels() in products.hpp).

#include <cstdint>

namespace chronotope::onednn {

/// Columns of the widest panel of any instruction set: weights [N, K] take at most (N + widest_panel) K floats.
inline constexpr std::int64_t widest_panel = 64;

}  // namespace chronotope::onednn
