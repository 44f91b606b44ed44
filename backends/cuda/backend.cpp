// The primitives: the right device, then the kernels.

#include "kernels.hpp"
#include "matmul.hpp"
#include "stream.hpp"

namespace chronotope {

using cuda::DeviceGuard;

std::string_view cuda_backend::name() { return "cuda"; }
bool cuda_backend::supports(DType) { return true; }

void cuda_backend::fill(stream& s, const View& out, double value) {
  const DeviceGuard guard(s.impl().device, "fill");
  cuda::fill(s.impl().queue(), out, value);
}

void cuda_backend::copy(stream& s, const View& out, const View& in) {
  const DeviceGuard guard(s.impl().device, "copy");
  cuda::copy(s.impl().queue(), out, in);
}

void cuda_backend::unary(stream& s, Unary op, const View& out, const View& in) {
  const DeviceGuard guard(s.impl().device, "unary");
  cuda::unary(s.impl().queue(), op, out, in);
}

void cuda_backend::binary(stream& s, Binary op, const View& out, const View& a, const View& b) {
  const DeviceGuard guard(s.impl().device, "binary");
  cuda::binary(s.impl().queue(), op, out, a, b);
}

void cuda_backend::select(stream& s, const View& out, const View& cond, const View& a, const View& b) {
  const DeviceGuard guard(s.impl().device, "select");
  cuda::select(s.impl().queue(), out, cond, a, b);
}

void cuda_backend::matmul(stream& s, const View& out, const View& a, const View& b, double beta) {
  const DeviceGuard guard(s.impl().device, "matmul");
  cuda::product(s.impl(), out, a, b, beta);
}

void cuda_backend::reduce(stream& s, Reduction op, const View& out, const View& in) {
  const DeviceGuard guard(s.impl().device, "reduce");
  cuda::reduce(s.impl().queue(), op, out, in);
}

void cuda_backend::cumsum(stream& s, const View& out, const View& in, int axis) {
  const DeviceGuard guard(s.impl().device, "cumsum");
  cuda::cumsum(s.impl().queue(), out, in, axis);
}

void cuda_backend::gather(stream& s, const View& out, const View& table, const View& ids) {
  const DeviceGuard guard(s.impl().device, "gather");
  cuda::gather(s.impl().queue(), out, table, ids);
}

void cuda_backend::scatter_add(stream& s, const View& table, const View& ids, const View& rows) {
  const DeviceGuard guard(s.impl().device, "scatter_add");
  cuda::scatter_add(s.impl().queue(), table, ids, rows);
}

void cuda_backend::topk(stream& s, const View& values, const View& indices, const View& in) {
  const DeviceGuard guard(s.impl().device, "topk");
  cuda::topk(s.impl().queue(), values, indices, in);
}

void cuda_backend::uniform(stream& s, const View& out, std::uint64_t seed, std::uint64_t counter) {
  const DeviceGuard guard(s.impl().device, "uniform");
  cuda::uniform(s.impl().queue(), out, seed, counter);
}

}  // namespace chronotope
