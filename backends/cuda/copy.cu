// copy: casts, strided copies, transpositions.
#include "kernels.hpp"
#include "map.hpp"

namespace chronotope::cuda {

namespace {

template <class To> struct Convert {
  template <class From> __device__ To operator()(From x) const { return cpu::convert<To>(x); }
};

struct Same {
  template <class T> __device__ T operator()(T x) const { return x; }
};

constexpr int side = 32, rows_of_threads = 8;

/// Planes in which `out` is dense along columns and `in` along rows: both are read and written in whole lines, through
/// a tile in shared memory, whose odd row length keeps its columns in different banks.
template <class T>
__global__ void transpose(Walk<2> planes, std::int64_t rows, std::int64_t columns, std::int64_t out_row, std::int64_t in_column, T* out, const T* in) {
  CHRONOTOPE_SHARED(T, tile, side * (side + 1));
  const std::int64_t across = (columns + side - 1) / side, down = (rows + side - 1) / side;
  for (std::int64_t t = blockIdx.x; t < planes.elements * across * down; t += gridDim.x) {
    std::int64_t at[2];
    planes.locate(t / (across * down), at);
    const std::int64_t r0 = t / across % down * side, c0 = t % across * side;
    const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
    __syncthreads();
    for (int j = y; j < side; j += rows_of_threads)
      if (r0 + x < rows && c0 + j < columns) tile[j * (side + 1) + x] = in[at[1] + r0 + x + (c0 + j) * in_column];
    __syncthreads();
    for (int j = y; j < side; j += rows_of_threads)
      if (r0 + j < rows && c0 + x < columns) out[at[0] + (r0 + j) * out_row + c0 + x] = tile[x * (side + 1) + j];
  }
}

/// Takes the row axis, along which `in` is dense, out of the loop; what is left are planes.
template <class T> bool transposed(const Queue& queue, const View& out, const View& in) {
  cpu::Loop<2> loop = cpu::make_loop(out, in);
  const int last = loop.rank - 1;
  if (loop.empty || loop.step(0) != 1 || loop.step(1) == 1) return false;
  int axis = last - 1;
  while (axis >= 0 && loop.stride[1][axis] != 1) --axis;
  if (axis < 0 || loop.extent[axis] < rows_of_threads || loop.line() < rows_of_threads) return false;  // tiles would be all but empty
  cpu::Loop<2> planes;
  for (int i = 0; i < last; ++i)
    if (i != axis) planes.push(loop.extent[i], {loop.stride[0][i], loop.stride[1][i]});
  planes.finish();
  const std::int64_t rows = loop.extent[axis], columns = loop.line();
  const Walk<2> walk(planes);
  const std::int64_t tiles = walk.elements * ((rows + side - 1) / side) * ((columns + side - 1) / side);
  launch(queue, "copy", transpose<T>, blocks_for(tiles, 1), dim3(side, rows_of_threads), walk, rows, columns, loop.stride[0][axis],
         loop.step(1), data_of<T>(out), data_of<T>(in));
  return true;
}

/// One element type, only its size counts.
template <class T> void copy_bits(const Queue& queue, const View& out, const View& in) {
  if (!transposed<T>(queue, out, in)) map<T, T>(queue, "copy", Same(), out, in);
}

}  // namespace

void copy(const Queue& queue, const View& out, const View& in) {
  if (out.dtype == in.dtype) {
    switch (size_of(out.dtype)) {
      case 1: return copy_bits<std::uint8_t>(queue, out, in);
      case 4: return copy_bits<std::uint32_t>(queue, out, in);
      default: return copy_bits<std::uint64_t>(queue, out, in);
    }
  }
  dispatch(out.dtype, [&](auto to) {
    dispatch(in.dtype, [&](auto from) {
      using To = decltype(to);
      using From = decltype(from);
      if constexpr (!std::is_same_v<To, From>) map<To, From>(queue, "copy", Convert<To>(), out, in);
    });
  });
}

}  // namespace chronotope::cuda
