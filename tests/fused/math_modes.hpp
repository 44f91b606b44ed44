#pragma once
// Products in the math modes of the CUDA backend: f32 against the composition in f64, by the tolerance of sums whose terms the mode rounds.

#include "chronotope/backend/cuda_backend.hpp"
#include "fused/interest.hpp"
#include "fused/linear.hpp"

namespace chronotope::test {

struct Mode {
  MathMode math;
  const char* name;
  double unit;  ///< in place of f32's 2^-24; for bf16 half of what an operand may be off
};
inline constexpr Mode math_modes[] = {{MathMode::tf32, "tf32", 0x1p-11}, {MathMode::bf16, "bf16", 0x1p-9}};

/// Makes streams in tf32 or bf16 for its scope.
class InMode {
 public:
  explicit InMode(MathMode math) {
    if (math == MathMode::tf32) new_stream<cuda_backend> = [] { return cuda_backend::stream(0, MathMode::tf32); };
    else new_stream<cuda_backend> = [] { return cuda_backend::stream(0, MathMode::bf16); };
  }
  ~InMode() { new_stream<cuda_backend> = before_; }
  InMode(const InMode&) = delete;
  InMode& operator=(const InMode&) = delete;

 private:
  cuda_backend::stream (*before_)() = new_stream<cuda_backend>;
};

/// matmul, and hooks around products. No ReLU: where a mode moves a number across 0, the whole gradient comes or goes.
template <class V> void product_cases(V&& visit) {
  for (const auto& [m, k, n] : {std::array<std::int64_t, 3>{7, 5, 3}, {33, 130, 66}, {130, 24, 70}})
    visit(FusedCase{"matmul", to_string(Shape{m, k, n}), static_cast<double>(std::max({m, k, n}))},
          WithGradients{{{m, k}, {k, n}}, 1.5, [](auto&, const auto& x) { return matmul(x[0], x[1]); }});
  visit(FusedCase{"matmul", "a broadcast batch", 60},
        WithGradients{{{3, 4, 10}, {10, 5}}, 1.5, [](auto&, const auto& x) { return matmul(x[0], x[1]); }});
  for (const auto& [rows, in, out] : {std::array<std::int64_t, 3>{5, 7, 3}, {97, 300, 130}})
    visit(FusedCase{"linear", to_string(Shape{rows, in, out}), static_cast<double>(std::max({rows, in, out}))},
          WithGradients{{{rows, in}, {out, in}, {out}}, 1.5, [](auto&, const auto& x) { return linear(x[0], x[1], x[2]); }});
  cross_entropy_cases(visit);
}

/// The largest share over the result and the gradients, in the mode's unit.
inline double worst_share(const Mode& mode, const Outcome& actual, const Outcome& reference, double terms) {
  double most = actual.tensors.size() == reference.tensors.size() ? 0 : std::numeric_limits<double>::quiet_NaN();
  for (std::size_t t = 0; t < std::min(actual.tensors.size(), reference.tensors.size()); ++t) {
    const double share = worst_share<float>(actual.tensors[t], reference.tensors[t], terms) * testing::unit_roundoff<float>() / mode.unit;
    most = share <= most ? most : share;  // NaN stays
  }
  return most;
}

}  // namespace chronotope::test
