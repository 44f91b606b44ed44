// Dropout: Philox, a thread for each block of four numbers.
#include <cmath>

#include "chronotope/core/philox.hpp"
#include "fused.hpp"
#include "map.hpp"
#include "rows.hpp"

namespace chronotope::cuda {

namespace {

/// Where a number's upper 24 bits are `least` or more, x is kept. `packs`: four elements are loaded and stored at once.
template <class T>
__global__ void drop(std::int64_t n, bool packs, T* y, const T* x, std::uint32_t least, T scale, std::uint64_t seed, std::uint64_t counter) {
  for (std::int64_t block = first_item(); block * 4 < n; block += item_step()) {
    const auto words = philox(seed, counter, static_cast<std::uint64_t>(block));
    if (packs && block * 4 + 4 <= n) {
      Pack<T, 4> some = reinterpret_cast<const Pack<T, 4>*>(x)[block];
      for (unsigned j = 0; j < 4; ++j) some.value[j] = words[j] >> 8 >= least ? some.value[j] * scale : T{0};
      reinterpret_cast<Pack<T, 4>*>(y)[block] = some;
      continue;
    }
    for (unsigned j = 0; j < 4 && block * 4 + j < n; ++j) y[block * 4 + j] = words[j] >> 8 >= least ? x[block * 4 + j] * scale : T{0};
  }
}

}  // namespace

bool dropout(const Queue& queue, const View& y, const View& x, double p, std::uint64_t seed, std::uint64_t counter) {
  constexpr int threads = 128;
  if (!are_dense(x, y) || !(p >= 0 && p < 1)) return false;
  const std::int64_t n = x.elements();
  if (n == 0) return true;
  // uniform = bits / 2^24 >= p exactly when bits >= ceil(2^24 p).
  const auto least = static_cast<std::uint32_t>(std::ceil(p * 0x1p24));
  with_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const bool packs = fits_packs<T, 4>(x.as<T>()) && fits_packs<T, 4>(y.as<T>());
    launch(queue, "dropout", drop<T>, blocks_for(n, 4 * threads), threads, n, packs, y.as<T>(), x.as<T>(), least, static_cast<T>(1 / (1 - p)),
           seed, counter);
  });
  return true;
}

}  // namespace chronotope::cuda
