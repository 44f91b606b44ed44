#include "matmul.hpp"

#include <memory>
#include <optional>

#include "bf16.hpp"
#include "cpu/strided.hpp"
#include "kernels.hpp"

namespace chronotope::cuda {

namespace {

using Impl = cuda_backend::stream::Impl;

/// Matrices as cuBLAS sees them: their columns are our rows.
struct Operand {
  char* data;
  std::int64_t element_bytes;
  cublasOperation_t transposition;  ///< CUBLAS_OP_N: rows are dense
  std::int64_t pitch;               ///< elements from one dense line to the next
  Strides strides;                  ///< of the axes before the last two

  Gemm::Matrix at(std::int64_t offset, std::int64_t step) const { return {data + offset * element_bytes, transposition, pitch, step}; }
};

std::optional<Operand> operand_of(const View& v) {
  const int rank = v.shape.rank();
  const std::int64_t rows = v.shape[-2], columns = v.shape[-1], row = v.strides[rank - 2], column = v.strides[rank - 1];
  Operand operand{static_cast<char*>(v.data), static_cast<std::int64_t>(size_of(v.dtype)), CUBLAS_OP_N, rows == 1 ? columns : row, v.strides};
  if ((columns == 1 || column == 1) && (rows == 1 || row >= columns)) return operand;
  operand.transposition = CUBLAS_OP_T, operand.pitch = columns == 1 ? rows : column;
  if ((rows == 1 || row == 1) && (columns == 1 || column >= rows)) return operand;
  return std::nullopt;
}

/// Types as cuBLAS names them: of operands, of the result, and what is computed with.
struct Types {
  cudaDataType_t in, out;
  cublasComputeType_t compute;
};

Types types_of(DType dtype, MathMode math) {
  if (dtype == DType::f64) return {CUDA_R_64F, CUDA_R_64F, CUBLAS_COMPUTE_64F};
  if (math == MathMode::bf16) return {CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F};
  return {CUDA_R_32F, CUDA_R_32F, math == MathMode::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F};
}

/// An operand in the type that it is multiplied in, and the memory that this takes.
struct Input {
  std::optional<Operand> operand;
  std::unique_ptr<Scratch> scratch;

  Input(const Queue& queue, const View& v, cudaDataType_t type) : operand(operand_of(v)) {
    if (type != CUDA_R_16BF) return;
    const cublasOperation_t kept = operand ? operand->transposition : CUBLAS_OP_N;  // what is dense is read densely
    const Bf16Layout layout(kept == CUBLAS_OP_T ? transposed(v) : v);
    scratch = std::make_unique<Scratch>(queue, layout.bytes, "matmul");
    to_bf16(queue, scratch->as<void>(), layout);
    operand = Operand{scratch->as<char>(), 2, kept, layout.pitch, layout.strides};
  }
};

/// Whether the bias was added.
bool run(Impl& impl, Gemm g) {
  const bool biased = g.bias;
  if (impl.plans.run(g, impl.workspace(), impl.stream)) return biased;
  g.bias = nullptr;
  if (biased && impl.plans.run(g, impl.workspace(), impl.stream)) return false;
  const Scales scales(g);
  check(cublasGemmStridedBatchedEx_64(impl.blas(), g.a.transposition, g.b.transposition, g.m, g.n, g.k, scales.one(), g.a.data, g.in, g.a.pitch,
                                      g.a.step, g.b.data, g.in, g.b.pitch, g.b.step, scales.beta(), g.d.data, g.out, g.d.pitch, g.d.step, g.count,
                                      g.compute, CUBLAS_GEMM_DEFAULT),
        "matmul");
  return false;
}

enum class Made { nothing, product, product_with_bias };

/// Nothing, having queued nothing, for integers, empty operands and layouts that are not rows or columns of dense elements.
Made blas_matmul(Impl& impl, const View& out, const View& a, const View& b, double beta, const void* bias) {
  if (!is_floating(out.dtype) || out.elements() == 0 || a.shape[-1] == 0) return Made::nothing;
  const auto to = operand_of(out);
  if (!to) return Made::nothing;
  if (to->transposition != CUBLAS_OP_N) return blas_matmul(impl, transposed(out), transposed(b), transposed(a), beta, bias);
  const Types types = types_of(out.dtype, impl.math);
  const Input left(impl.queue(), a, types.in), right(impl.queue(), b, types.in);
  if (!left.operand || !right.operand) return Made::nothing;
  const auto batch = cpu::make_loop(out.shape, 0, out.shape.rank() - 2, to->strides, left.operand->strides, right.operand->strides);
  Made made = Made::product_with_bias;
  cpu::for_each_line(batch, [&](const auto& at) {  // read by columns, out is its transpose: b' a'
    const Gemm gemm{to->at(at[0], batch.step(0)), right.operand->at(at[2], batch.step(2)), left.operand->at(at[1], batch.step(1)), out.shape[-1],
                    out.shape[-2], a.shape[-1], batch.line(), types.in, types.out, types.compute, beta, bias};
    if (!run(impl, gemm)) made = Made::product;
  });
  return made;
}

}  // namespace

void product(Impl& impl, const View& out, const View& a, const View& b, double beta) {
  if (blas_matmul(impl, out, a, b, beta, nullptr) == Made::nothing) tiled_matmul(impl.queue(), out, a, b, beta);
}

bool product_with_bias(Impl& impl, const View& out, const View& a, const View& b, const View& bias) {
  const Made made = blas_matmul(impl, out, a, b, 0, out.dtype == DType::f32 ? bias.data : nullptr);
  if (made == Made::nothing) tiled_matmul(impl.queue(), out, a, b, 0);
  return made == Made::product_with_bias;
}

}  // namespace chronotope::cuda
