#include "gemm.hpp"

#include <iterator>

namespace chronotope::eigen {

GemmVariants gemm_variants() {
#if defined(__x86_64__)
  // Exactly the sets named in CMakeLists.txt. The compiler's test also asks the system whether it saves the registers.
  static const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  static const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
                             __builtin_cpu_supports("avx512cd");
  static const GemmVariant all[] = {
      {"baseline", gemm_baseline, true}, {"avx2", gemm_avx2, avx2}, {"avx512", gemm_avx512, avx512}};
#else
  static const GemmVariant all[] = {{"baseline", gemm_baseline, true}};
#endif
  return {all, static_cast<int>(std::size(all))};
}

GemmFunction best_gemm() {
  static const GemmFunction best = [] {
    GemmFunction found = gemm_baseline;
    for (const GemmVariant& variant : gemm_variants())
      if (variant.usable) found = variant.function;
    return found;
  }();
  return best;
}

}  // namespace chronotope::eigen
