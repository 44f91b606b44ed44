#pragma once
// The primitives as kernels, a file each. Shapes and dtypes are right when they arrive; empty views may come.

#include "chronotope/backend/concepts.hpp"
#include "launch.hpp"

namespace chronotope::cuda {

void fill(const Queue&, const View& out, double value);
void copy(const Queue&, const View& out, const View& in);
void unary(const Queue&, Unary, const View& out, const View& in);
void binary(const Queue&, Binary, const View& out, const View& a, const View& b);
void select(const Queue&, const View& out, const View& cond, const View& a, const View& b);

/// Any dtype, any strides, tiled; for what cuBLAS does not take.
void tiled_matmul(const Queue&, const View& out, const View& a, const View& b, double beta);
void reduce(const Queue&, Reduction, const View& out, const View& in);
void cumsum(const Queue&, const View& out, const View& in, int axis);

void gather(const Queue&, const View& out, const View& table, const View& ids);
void scatter_add(const Queue&, const View& table, const View& ids, const View& rows);
void topk(const Queue&, const View& values, const View& indices, const View& in);

void uniform(const Queue&, const View& out, std::uint64_t seed, std::uint64_t counter);

}  // namespace chronotope::cuda
