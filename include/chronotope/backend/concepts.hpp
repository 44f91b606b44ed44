#pragma once
// What a backend must provide: 17 static functions over views. Everything else is composed from them, or taken from
// the optional fused hooks (backend/fused.hpp).
//
// Rules for every primitive:
//  * views may be strided, broadcast (stride 0 on inputs), rank 0 or empty; outputs never overlap inputs unless stated;
//    the stride of an axis of extent 1 means nothing;
//  * shapes and dtypes have been checked by the operation layer; a dtype that supports() denies never arrives;
//  * results land in stream order; nothing is visible to the host before download() or synchronize();
//  * failures are thrown as chronotope::Error.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "chronotope/core/shape.hpp"

namespace chronotope {

enum class Unary : std::uint8_t { neg, exp, log, sqrt, recip, sin, cos, tanh, abs };
enum class Binary : std::uint8_t { add, sub, mul, div, max, eq, lt };
enum class Reduction : std::uint8_t { sum, max };

/// Memory of the device. `stream` is the backend's queue and handles; the user makes it and may share it.
///   allocate(s, bytes)            64-byte aligned or better; bytes > 0; throws BackendError when there is none
///   deallocate(s, p) noexcept     after all work queued so far
///   upload(s, device, host, n)    the host memory may be reused when it returns
///   download(s, host, device, n)  complete when it returns (the one synchronising read)
///   synchronize(s)
///   trim(s) noexcept              optional: gives back memory that was kept for later calls
template <class B>
concept MemoryBackend = requires(typename B::stream& s, void* p, const void* c, std::size_t n, DType t) {
  { B::name() } -> std::convertible_to<std::string_view>;
  { B::supports(t) } -> std::same_as<bool>;
  { B::allocate(s, n) } -> std::same_as<void*>;
  { B::deallocate(s, p) } noexcept;
  B::upload(s, p, c, n);
  B::download(s, p, c, n);
  B::synchronize(s);
};

/// fill(s, out, value)           value converted to out's dtype
/// copy(s, out, in)              strided, casting between any two dtypes (float to integer truncates)
/// unary(s, op, out, in)         floating dtypes only, neg and abs also signed integers; out may equal in exactly
/// binary(s, op, out, a, b)      a, b one dtype; out the same, for eq and lt u8 (0 or 1); max propagates NaN; out may equal a or b exactly
/// select(s, out, cond, a, b)    cond u8: out = cond ? a : b
template <class B>
concept ElementwiseBackend = requires(typename B::stream& s, const View& v, double x, Unary u, Binary b) {
  B::fill(s, v, x);
  B::copy(s, v, v);
  B::unary(s, u, v, v);
  B::binary(s, b, v, v, v);
  B::select(s, v, v, v, v);
};

/// matmul(s, out, a, b, beta)    out [..., M, N] = a [..., M, K] b [..., K, N] + beta out; equal batch extents (broadcast by
///                               stride 0); K = 0 gives beta out; with beta = 0 the old contents (NaN too) are not read
/// reduce(s, op, out, in)        out has in's rank; extents of 1 are reduced over; empty sum is 0, empty max is the least value
///                               (-inf for floats); max propagates NaN
/// cumsum(s, out, in, axis)      inclusive
/// All three take integers too.
template <class B>
concept ContractionBackend = requires(typename B::stream& s, const View& v, double beta, Reduction r, int axis) {
  B::matmul(s, v, v, v, beta);
  B::reduce(s, r, v, v);
  B::cumsum(s, v, v, axis);
};

/// gather(s, out, table, ids)        out [M, ...] = table [N, ...] at ids [M] (i32 or i64)
/// scatter_add(s, table, ids, rows)  table [N, ...] += rows [M, ...] at ids [M]; repeated ids add up, in ascending order of M on CPUs
/// topk(s, values, indices, in)      in [R, C] -> values [R, k] falling, indices [R, k] i32; equal values: lower index first;
///                                   NaN ranks below everything
/// An id outside [0, N) is a ShapeError where the backend can see it without synchronising.
template <class B>
concept IndexingBackend = requires(typename B::stream& s, const View& v) {
  B::gather(s, v, v, v);
  B::scatter_add(s, v, v, v);
  B::topk(s, v, v, v);
};

/// uniform(s, out, seed, counter)    element i in row-major order is philox_uniform(seed, counter, i) (core/philox.hpp)
template <class B>
concept RandomBackend = requires(typename B::stream& s, const View& v, std::uint64_t n) { B::uniform(s, v, n, n); };

/// A compute backend: a struct of static functions with a nested `stream` type.
template <class B>
concept Backend = MemoryBackend<B> && ElementwiseBackend<B> && ContractionBackend<B> && IndexingBackend<B> && RandomBackend<B>;

}  // namespace chronotope
