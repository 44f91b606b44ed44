// reduce: sums and maxima over axes. Threads that share an output take neighbouring elements where the reduced ones lie
// closest together (rows), and neighbouring outputs where those do (columns). Long reductions are cut into parts.
#include <algorithm>
#include <cstdlib>

#include "accumulate.hpp"
#include "kernels.hpp"
#include "walk.hpp"

namespace chronotope::cuda {

namespace {

constexpr int row_threads = 256, column_width = 32, column_height = 8;
constexpr std::int64_t part_elements = 4096, most_parts = 256, enough_outputs = 1024;

/// Results, or where they are made in several parts, the parts: [outputs][parts].
template <class A, class T> struct Results {
  T* out;
  A* parts;
  __device__ void store(std::int64_t output, std::int64_t at, const A& value) const {
    if (parts) parts[output * gridDim.y + blockIdx.y] = value;
    else out[at] = value.result();
  }
};

/// The reduced elements of this block's part.
struct Part {
  std::int64_t begin, end;
  __device__ explicit Part(std::int64_t n) : begin(n * blockIdx.y / gridDim.y), end(n * (blockIdx.y + 1) / gridDim.y) {}
};

/// A warp for each output.
template <class A, class T> __global__ void reduce_short_rows(Walk<2> kept, Walk<1> reduced, Results<A, T> results, const T* in) {
  for (std::int64_t o = std::int64_t{blockIdx.x} * blockDim.y + threadIdx.y; o < kept.elements; o += std::int64_t{gridDim.x} * blockDim.y) {
    std::int64_t at[2], from[1];
    kept.locate(o, at);
    A sum;
    for (std::int64_t i = threadIdx.x; i < reduced.elements; i += warpSize) {
      reduced.locate(i, from);
      sum.add(in[at[1] + from[0]]);
    }
    merge_warp(sum);
    if (threadIdx.x == 0) results.store(o, at[0], sum);
  }
}

/// A block for each output and part.
template <class A, class T> __global__ void reduce_rows(Walk<2> kept, Walk<1> reduced, Results<A, T> results, const T* in) {
  const Part part(reduced.elements);
  for (std::int64_t o = blockIdx.x; o < kept.elements; o += gridDim.x) {
    std::int64_t at[2], from[1];
    kept.locate(o, at);
    A sum;
    for (std::int64_t i = part.begin + threadIdx.x; i < part.end; i += row_threads) {
      reduced.locate(i, from);
      sum.add(in[at[1] + from[0]]);
    }
    merge_block<row_threads>(sum);
    if (threadIdx.x == 0) results.store(o, at[0], sum);
  }
}

/// A column of threads for each output and part, 32 outputs side by side.
template <class A, class T> __global__ void reduce_columns(Walk<2> kept, Walk<1> reduced, Results<A, T> results, const T* in) {
  CHRONOTOPE_SHARED(T, totals, column_width * column_height);
  CHRONOTOPE_SHARED(T, losts, column_width * column_height);
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  const Part part(reduced.elements);
  for (std::int64_t first = std::int64_t{blockIdx.x} * column_width; first < kept.elements; first += std::int64_t{gridDim.x} * column_width) {
    const std::int64_t o = first + x;
    std::int64_t at[2] = {}, from[1];
    A sum;
    if (o < kept.elements) {
      kept.locate(o, at);
      for (std::int64_t i = part.begin + y; i < part.end; i += column_height) {
        reduced.locate(i, from);
        sum.add(in[at[1] + from[0]]);
      }
    }
    __syncthreads();  // the outputs before have been read
    totals[y * column_width + x] = sum.total;
    losts[y * column_width + x] = sum.lost;
    __syncthreads();
    if (y > 0 || o >= kept.elements) continue;
    A all;
    for (int row = 0; row < column_height; ++row) {
      A other;
      other.total = totals[row * column_width + x];
      other.lost = losts[row * column_width + x];
      all.merge(other);
    }
    results.store(o, at[0], all);
  }
}

/// A thread for each output.
template <class A, class T> __global__ void merge_parts(Walk<2> kept, std::int64_t parts, const A* from, T* out) {
  for (std::int64_t o = first_item(); o < kept.elements; o += item_step()) {
    std::int64_t at[2];
    kept.locate(o, at);
    A all;
    for (std::int64_t p = 0; p < parts; ++p) all.merge(from[o * parts + p]);
    out[at[0]] = all.result();
  }
}

struct Axes {
  cpu::Loop<2> kept;
  cpu::Loop<1> reduced;

  Axes(const View& out, const View& in) {
    for (int axis = 0; axis < in.shape.rank(); ++axis) {
      if (out.shape[axis] == in.shape[axis]) kept.push(in.shape[axis], {out.strides[axis], in.strides[axis]});
      else reduced.push(in.shape[axis], {in.strides[axis]});
    }
    kept.finish();
    reduced.finish();
  }
  bool columns() const { return kept.line() > 1 && std::abs(kept.step(1)) < std::abs(reduced.step(0)); }
};

template <class A, class T> void reduce_with(const Queue& queue, const View& out, const View& in) {
  const Axes axes(out, in);
  const Walk<2> kept(axes.kept);
  const Walk<1> reduced(axes.reduced);
  if (kept.elements == 0) return;
  if (!axes.columns() && reduced.elements <= 128) {
    constexpr int warps = 4;
    return launch(queue, "reduce", reduce_short_rows<A, T>, blocks_for(kept.elements, warps), dim3(32, warps), kept, reduced,
                  Results<A, T>{out.as<T>(), nullptr}, in.as<T>());
  }
  const std::int64_t longest = std::min(most_parts, (reduced.elements + part_elements - 1) / part_elements);
  const std::int64_t parts = kept.elements < enough_outputs ? std::max<std::int64_t>(longest, 1) : 1;
  const Scratch scratch(queue, parts > 1 ? static_cast<std::size_t>(kept.elements * parts) * sizeof(A) : 0, "reduce");
  const Results<A, T> results{out.as<T>(), parts > 1 ? scratch.as<A>() : nullptr};
  const auto height = static_cast<unsigned>(parts);
  if (axes.columns())
    launch(queue, "reduce", reduce_columns<A, T>, dim3(blocks_for(kept.elements, column_width), height), dim3(column_width, column_height),
           kept, reduced, results, in.as<T>());
  else
    launch(queue, "reduce", reduce_rows<A, T>, dim3(blocks_for(kept.elements, 1), height), row_threads, kept, reduced, results, in.as<T>());
  if (parts > 1) launch(queue, "reduce", merge_parts<A, T>, blocks_for(kept.elements, 128), 128, kept, parts, results.parts, out.as<T>());
}

}  // namespace

void reduce(const Queue& queue, Reduction op, const View& out, const View& in) {
  dispatch(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    if (op == Reduction::sum) reduce_with<Sum<T>, T>(queue, out, in);
    else reduce_with<Max<T>, T>(queue, out, in);
  });
}

}  // namespace chronotope::cuda
