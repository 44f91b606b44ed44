#pragma once
// matmul by cuBLAS.

#include "stream.hpp"

namespace chronotope::cuda {

/// False, having queued nothing, for integers, empty operands and layouts that are not rows or columns of dense elements.
bool blas_matmul(cuda_backend::stream::Impl& impl, const View& out, const View& a, const View& b, double beta);

}  // namespace chronotope::cuda
