// cumsum: a block for each line, in tiles; where lines lie side by side, a thread for each.
#include <cstdlib>

#include "accumulate.hpp"
#include "kernels.hpp"
#include "walk.hpp"

namespace chronotope::cuda {

namespace {

constexpr int threads = 128, warps = threads / 32;

struct Line {
  std::int64_t extent, out_step, in_step;
};

template <class T> __global__ void scan_columns(Walk<2> lines, Line line, T* out, const T* in) {
  for (std::int64_t l = first_item(); l < lines.elements; l += item_step()) {
    std::int64_t at[2];
    lines.locate(l, at);
    Sum<T> sum;
    for (std::int64_t i = 0; i < line.extent; ++i) {
      sum.add(in[at[1] + i * line.in_step]);
      out[at[0] + i * line.out_step] = sum.result();
    }
  }
}

/// Inclusive, over the lanes below.
template <class T> __device__ Sum<T> scan_warp(Sum<T> own, int lane) {
  for (unsigned delta = 1; delta < 32; delta *= 2) {
    Sum<T> sum = from_lane(own, [delta](auto x) { return __shfl_up_sync(whole_warp, x, delta); });
    sum.merge(own);
    if (lane >= static_cast<int>(delta)) own = sum;
  }
  return own;
}

template <class T> __global__ void scan_lines(Walk<2> lines, Line line, T* out, const T* in) {
  CHRONOTOPE_SHARED(T, totals, warps);
  CHRONOTOPE_SHARED(T, losts, warps);
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  for (std::int64_t l = blockIdx.x; l < lines.elements; l += gridDim.x) {
    std::int64_t at[2];
    lines.locate(l, at);
    Sum<T> before;
    for (std::int64_t tile = 0; tile < line.extent; tile += threads) {
      const std::int64_t i = tile + threadIdx.x;
      Sum<T> own;
      if (i < line.extent) own.add(in[at[1] + i * line.in_step]);
      own = scan_warp(own, lane);
      __syncthreads();  // the tile before has been read
      if (lane == 31) {
        totals[warp] = own.total;
        losts[warp] = own.lost;
      }
      __syncthreads();
      Sum<T> sum = before;
      for (int w = 0; w < warps; ++w) {
        Sum<T> other;
        other.total = totals[w];
        other.lost = losts[w];
        if (w < warp) sum.merge(other);
        before.merge(other);
      }
      sum.merge(own);
      if (i < line.extent) out[at[0] + i * line.out_step] = sum.result();
    }
  }
}

template <class T> void cumsum_of(const Queue& queue, const View& out, const View& in, int axis) {
  cpu::Loop<2> others;
  for (int i = 0; i < out.shape.rank(); ++i)
    if (i != axis) others.push(out.shape[i], {out.strides[i], in.strides[i]});
  others.finish();
  const Walk<2> lines(others);
  const Line line{out.shape[axis], out.strides[axis], in.strides[axis]};
  if (lines.elements == 0 || line.extent == 0) return;
  const bool columns = std::abs(others.step(1)) < std::abs(line.in_step) && (lines.elements >= 4096 || line.extent <= 32);
  if (columns) launch(queue, "cumsum", scan_columns<T>, blocks_for(lines.elements, threads), threads, lines, line, out.as<T>(), in.as<T>());
  else launch(queue, "cumsum", scan_lines<T>, blocks_for(lines.elements, 1), threads, lines, line, out.as<T>(), in.as<T>());
}

}  // namespace

void cumsum(const Queue& queue, const View& out, const View& in, int axis) {
  dispatch(out.dtype, [&](auto zero) { cumsum_of<decltype(zero)>(queue, out, in, axis); });
}

}  // namespace chronotope::cuda
