// matmul for integers and for layouts that cuBLAS does not take: any strides, 16 x 16 outputs a block.
#include "cpu/arithmetic.hpp"
#include "kernels.hpp"
#include "walk.hpp"

namespace chronotope::cuda {

namespace {

constexpr int side = 16;

/// Steps of one matrix of a batch.
struct Steps {
  std::int64_t row, column;
};

struct Sizes {
  std::int64_t m, n, k;
  __host__ __device__ std::int64_t across() const { return (n + side - 1) / side; }
  __host__ __device__ std::int64_t down() const { return (m + side - 1) / side; }
};

template <class T> __device__ T element(const T* data, Steps steps, std::int64_t rows, std::int64_t columns, std::int64_t r, std::int64_t c) {
  return r < rows && c < columns ? data[r * steps.row + c * steps.column] : T{0};
}

/// Products are added up tile by tile, so errors grow with k / 16.
template <class T>
__global__ void multiply(Walk<3> batch, Sizes size, Steps at_out, Steps at_a, Steps at_b, T* out, const T* a, const T* b, T beta) {
  CHRONOTOPE_SHARED(T, left, side * (side + 1));
  CHRONOTOPE_SHARED(T, right, side * (side + 1));
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  const std::int64_t tiles = size.across() * size.down();
  for (std::int64_t t = blockIdx.x; t < batch.elements * tiles; t += gridDim.x) {
    std::int64_t at[3];
    batch.locate(t / tiles, at);
    const std::int64_t r0 = t % tiles / size.across() * side, c0 = t % size.across() * side;
    T total = 0;
    for (std::int64_t k0 = 0; k0 < size.k; k0 += side) {
      left[y * (side + 1) + x] = element(a + at[1], at_a, size.m, size.k, r0 + y, k0 + x);
      right[y * (side + 1) + x] = element(b + at[2], at_b, size.k, size.n, k0 + y, c0 + x);
      __syncthreads();
      T sum = 0;
      for (int i = 0; i < side; ++i) {
        const T p = left[y * (side + 1) + i], q = right[i * (side + 1) + x];
        sum = cpu::wrap_add(sum, cpu::wrap_mul(p, q));
      }
      total = cpu::wrap_add(total, sum);
      __syncthreads();
    }
    if (r0 + y >= size.m || c0 + x >= size.n) continue;
    T& to = out[at[0] + (r0 + y) * at_out.row + (c0 + x) * at_out.column];
    to = beta == 0 ? total : cpu::wrap_add(total, cpu::wrap_mul(beta, to));
  }
}

Steps steps_of(const View& v) {
  const int rank = v.shape.rank();
  return {v.strides[rank - 2], v.strides[rank - 1]};
}

}  // namespace

void tiled_matmul(const Queue& queue, const View& out, const View& a, const View& b, double beta) {
  const Walk<3> batch(cpu::make_loop(out.shape, 0, out.shape.rank() - 2, out.strides, a.strides, b.strides));
  const Sizes size{out.shape[-2], out.shape[-1], a.shape[-1]};
  const std::int64_t tiles = batch.elements * size.across() * size.down();
  if (tiles == 0) return;
  dispatch(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch(queue, "matmul", multiply<T>, blocks_for(tiles, 1), dim3(side, side), batch, size, steps_of(out), steps_of(a), steps_of(b), out.as<T>(),
           a.as<T>(), b.as<T>(), cpu::convert<T>(beta));
  });
}

}  // namespace chronotope::cuda
