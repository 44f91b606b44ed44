#include "matmul.hpp"

#include <algorithm>
#include <optional>

#include "cpu/strided.hpp"
#include "kernels.hpp"

namespace chronotope::cuda {

namespace {

/// A matrix as cuBLAS sees it: its columns are our rows.
struct Operand {
  const void* data;
  cublasOperation_t transposition;  ///< CUBLAS_OP_N: rows are dense
  std::int64_t pitch;               ///< elements from one dense line to the next
};

std::optional<Operand> operand_of(const View& v) {
  const int rank = v.shape.rank();
  const std::int64_t rows = v.shape[-2], columns = v.shape[-1], row = v.strides[rank - 2], column = v.strides[rank - 1];
  if ((columns == 1 || column == 1) && (rows == 1 || row >= columns)) return Operand{v.data, CUBLAS_OP_N, rows == 1 ? columns : row};
  if ((rows == 1 || row == 1) && (columns == 1 || column >= rows)) return Operand{v.data, CUBLAS_OP_T, columns == 1 ? rows : column};
  return std::nullopt;
}

struct Product {
  Operand out, a, b;
  std::int64_t m, n, k;
  DType dtype;
  double beta;

  /// `count` matrices at these offsets, in elements, and steps. Read by columns, out is its transpose: b' a'.
  void run(cublasHandle_t handle, const std::array<std::int64_t, 3>& offset, const std::array<std::int64_t, 3>& step, std::int64_t count) const {
    const bool single = dtype == DType::f32;
    const cudaDataType_t type = single ? CUDA_R_32F : CUDA_R_64F;
    const float narrow[] = {1, static_cast<float>(beta)};
    const double wide[] = {1, beta};
    const void *const one = single ? static_cast<const void*>(&narrow[0]) : &wide[0], *const factor = single ? static_cast<const void*>(&narrow[1]) : &wide[1];
    const auto at = [&](const Operand& o, std::int64_t elements) {
      return static_cast<char*>(const_cast<void*>(o.data)) + elements * static_cast<std::int64_t>(size_of(dtype));
    };
    check(cublasGemmStridedBatchedEx_64(handle, b.transposition, a.transposition, n, m, k, one, at(b, offset[2]), type, b.pitch, step[2],
                                        at(a, offset[1]), type, a.pitch, step[1], factor, at(out, offset[0]), type, out.pitch, step[0], count,
                                        single ? CUBLAS_COMPUTE_32F : CUBLAS_COMPUTE_64F, CUBLAS_GEMM_DEFAULT),
          "matmul");
  }
};

std::optional<Product> product_of(const View& out, const View& a, const View& b, double beta) {
  const auto to = operand_of(out), left = operand_of(a), right = operand_of(b);
  if (!to || !left || !right || to->transposition != CUBLAS_OP_N) return std::nullopt;
  return Product{*to, *left, *right, out.shape[-2], out.shape[-1], a.shape[-1], out.dtype, beta};
}

}  // namespace

bool blas_matmul(cuda_backend::stream::Impl& impl, const View& out, const View& a, const View& b, double beta) {
  if (!is_floating(out.dtype) || out.elements() == 0 || a.shape[-1] == 0) return false;
  auto product = product_of(out, a, b, beta);
  std::array<const View*, 3> operands{&out, &a, &b};
  if (!product) {  // where out has dense columns, its transpose has dense rows
    product = product_of(transposed(out), transposed(b), transposed(a), beta);
    std::swap(operands[1], operands[2]);
  }
  if (!product) return false;
  const auto batch = cpu::make_loop(out.shape, 0, out.shape.rank() - 2, operands[0]->strides, operands[1]->strides, operands[2]->strides);
  cpu::for_each_line(batch, [&](const auto& at) { product->run(impl.blas(), at, {batch.step(0), batch.step(1), batch.step(2)}, batch.line()); });
  return true;
}

void product(cuda_backend::stream::Impl& impl, const View& out, const View& a, const View& b, double beta) {
  if (!blas_matmul(impl, out, a, b, beta)) tiled_matmul(impl.queue(), out, a, b, beta);
}

}  // namespace chronotope::cuda
