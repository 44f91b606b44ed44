#include "emulator/gemm.hpp"

#include <algorithm>

namespace cuda_on_host {

namespace {

template <class In, class Out> std::function<void(int)> prepare(const GemmCall& call, const std::string& library) {
  const bool ta = call.a.op == CUBLAS_OP_T, tb = call.b.op == CUBLAS_OP_T;
  const Gemm<In, Out> gemm{{static_cast<const In*>(call.a.data), ta ? call.k : call.m, ta ? call.m : call.k, call.a.pitch, call.a.step, ta},
                           {static_cast<const In*>(call.b.data), tb ? call.n : call.k, tb ? call.k : call.n, call.b.pitch, call.b.step, tb},
                           {static_cast<Out*>(const_cast<void*>(call.c.data)), call.m, call.n, call.c.pitch, call.c.step, false},
                           call.m, call.n, call.k, call.count,
                           *static_cast<const Out*>(call.alpha), *static_cast<const Out*>(call.beta),
                           call.compute == CUBLAS_COMPUTE_32F_FAST_TF32, static_cast<const Out*>(call.bias)};
  return [gemm, library](int on) { gemm.run(on, library); };
}

}  // namespace

bool GemmCall::valid() const {
  const std::int64_t rows_a = a.op == CUBLAS_OP_T ? k : m, rows_b = b.op == CUBLAS_OP_T ? n : k;
  const bool overlap = count > 1 && c.step < (n - 1) * c.pitch + m && !(c.pitch >= m * count);
  return m >= 1 && n >= 1 && k >= 1 && count >= 1 && a.pitch >= rows_a && b.pitch >= rows_b && c.pitch >= m && c.op == CUBLAS_OP_N && !overlap;
}

bool GemmCall::supported() const {
  if (out == CUDA_R_64F) return in == CUDA_R_64F && compute == CUBLAS_COMPUTE_64F && !bias;
  if (out != CUDA_R_32F) return false;
  return compute == CUBLAS_COMPUTE_32F ? in == CUDA_R_32F || in == CUDA_R_16BF : compute == CUBLAS_COMPUTE_32F_FAST_TF32 && in == CUDA_R_32F;
}

const void* GemmCall::kernel() const {
  static constexpr char kernels[64] = {};
  return &kernels[in * 4 + (compute == CUBLAS_COMPUTE_32F_FAST_TF32) * 2 + (bias != nullptr)];
}

std::function<void(int)> GemmCall::prepared(const std::string& library) const {
  if (in == CUDA_R_64F) return prepare<double, double>(*this, library);
  return in == CUDA_R_16BF ? prepare<Bf16, float>(*this, library) : prepare<float, float>(*this, library);
}

}  // namespace cuda_on_host
