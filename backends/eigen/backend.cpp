#include <cstdint>
#include <cstring>
#include <new>
#include <string>

#include "chronotope/backend/eigen_backend.hpp"
#include "chronotope/core/error.hpp"
#include "cpu/loops.hpp"

namespace chronotope {

namespace {

// A cache line, and the widest vector register there is.
constexpr std::align_val_t alignment{64};

}  // namespace

std::string_view eigen_backend::name() { return "eigen"; }
bool eigen_backend::supports(DType) { return true; }

void* eigen_backend::allocate(stream&, std::size_t bytes) {
  // No process has as much; sizes like it come from overflown products and must not reach the allocator.
  const bool absurd = bytes > static_cast<std::size_t>(PTRDIFF_MAX);
  if (void* memory = absurd ? nullptr : ::operator new(bytes, alignment, std::nothrow)) return memory;
  throw BackendError("[allocate] no memory for " + std::to_string(bytes) + " bytes on eigen");
}

void eigen_backend::deallocate(stream&, void* memory) noexcept { ::operator delete(memory, alignment); }

void eigen_backend::upload(stream&, void* device, const void* host, std::size_t bytes) {
  if (bytes > 0) std::memcpy(device, host, bytes);
}

void eigen_backend::download(stream&, void* host, const void* device, std::size_t bytes) {
  if (bytes > 0) std::memcpy(host, device, bytes);
}

void eigen_backend::synchronize(stream&) {}

void eigen_backend::fill(stream&, const View& out, double value) { cpu::fill(out, value); }
void eigen_backend::copy(stream&, const View& out, const View& in) { cpu::copy(out, in); }
void eigen_backend::unary(stream&, Unary op, const View& out, const View& in) { cpu::unary(op, out, in); }

void eigen_backend::binary(stream&, Binary op, const View& out, const View& a, const View& b) {
  cpu::binary(op, out, a, b);
}

void eigen_backend::select(stream&, const View& out, const View& cond, const View& a, const View& b) {
  cpu::select(out, cond, a, b);
}

void eigen_backend::reduce(stream&, Reduction op, const View& out, const View& in) { cpu::reduce(op, out, in); }
void eigen_backend::cumsum(stream&, const View& out, const View& in, int axis) { cpu::cumsum(out, in, axis); }
void eigen_backend::gather(stream&, const View& out, const View& table, const View& ids) {
  cpu::gather(out, table, ids);
}

void eigen_backend::scatter_add(stream&, const View& table, const View& ids, const View& rows) {
  cpu::scatter_add(table, ids, rows);
}

void eigen_backend::topk(stream&, const View& values, const View& indices, const View& in) {
  cpu::topk(values, indices, in);
}

void eigen_backend::uniform(stream&, const View& out, std::uint64_t seed, std::uint64_t counter) {
  cpu::uniform(out, seed, counter);
}

}  // namespace chronotope
