// uniform: Philox, a thread for each block of four numbers.
#include "chronotope/core/philox.hpp"
#include "kernels.hpp"
#include "map.hpp"

namespace chronotope::cuda {

namespace {

/// `dense`: four numbers are one store.
template <class T> __global__ void draw(Walk<1> walk, bool dense, T* out, std::uint64_t seed, std::uint64_t counter) {
  for (std::int64_t block = first_item(); block * 4 < walk.elements; block += item_step()) {
    const auto words = philox(seed, counter, static_cast<std::uint64_t>(block));
    Pack<T, 4> drawn;
    for (unsigned j = 0; j < 4; ++j) drawn.value[j] = static_cast<T>(philox_uniform(words[j]));
    if (dense && block * 4 + 4 <= walk.elements) {
      reinterpret_cast<Pack<T, 4>*>(out)[block] = drawn;
      continue;
    }
    for (int j = 0; j < 4 && block * 4 + j < walk.elements; ++j) {
      std::int64_t at[1];
      walk.locate(block * 4 + j, at);
      out[at[0]] = drawn.value[j];
    }
  }
}

template <class T> void uniform_of(const Queue& queue, const View& out, std::uint64_t seed, std::uint64_t counter) {
  constexpr int threads = 128;
  const auto loop = cpu::make_loop(out);
  const Walk<1> walk(loop);
  if (walk.elements == 0) return;
  const bool dense = is_dense(loop) && fits_packs<T, 4>(out.as<T>());
  launch(queue, "uniform", draw<T>, blocks_for(walk.elements, 4 * threads), threads, walk, dense, out.as<T>(), seed, counter);
}

}  // namespace

void uniform(const Queue& queue, const View& out, std::uint64_t seed, std::uint64_t counter) {
  if (out.dtype == DType::f32) uniform_of<float>(queue, out, seed, counter);
  else if (out.dtype == DType::f64) uniform_of<double>(queue, out, seed, counter);
  else refuse_dtype("uniform", out.dtype);
}

}  // namespace chronotope::cuda
