#pragma once
// A backend with its fused hooks hidden, so that every operation takes its composition: "fused equals composed" is then
// a comparison of Tensor<B> with Tensor<primitives_only<B>>.

#include <string>

#include "chronotope/backend/concepts.hpp"

namespace chronotope {

template <Backend B> struct primitives_only {
  using stream = typename B::stream;

  static std::string_view name() {
    static const std::string text = "primitives_only<" + std::string(B::name()) + ">";
    return text;
  }
  static bool supports(DType t) { return B::supports(t); }

  static void* allocate(stream& s, std::size_t n) { return B::allocate(s, n); }
  static void deallocate(stream& s, void* p) noexcept { B::deallocate(s, p); }
  static void upload(stream& s, void* device, const void* host, std::size_t n) { B::upload(s, device, host, n); }
  static void download(stream& s, void* host, const void* device, std::size_t n) { B::download(s, host, device, n); }
  static void synchronize(stream& s) { B::synchronize(s); }

  static void fill(stream& s, const View& out, double value) { B::fill(s, out, value); }
  static void copy(stream& s, const View& out, const View& in) { B::copy(s, out, in); }
  static void unary(stream& s, Unary op, const View& out, const View& in) { B::unary(s, op, out, in); }
  static void binary(stream& s, Binary op, const View& out, const View& a, const View& b) { B::binary(s, op, out, a, b); }
  static void select(stream& s, const View& out, const View& cond, const View& a, const View& b) { B::select(s, out, cond, a, b); }

  static void matmul(stream& s, const View& out, const View& a, const View& b, double beta) { B::matmul(s, out, a, b, beta); }
  static void reduce(stream& s, Reduction op, const View& out, const View& in) { B::reduce(s, op, out, in); }
  static void cumsum(stream& s, const View& out, const View& in, int axis) { B::cumsum(s, out, in, axis); }

  static void gather(stream& s, const View& out, const View& table, const View& ids) { B::gather(s, out, table, ids); }
  static void scatter_add(stream& s, const View& table, const View& ids, const View& rows) { B::scatter_add(s, table, ids, rows); }
  static void topk(stream& s, const View& values, const View& indices, const View& in) { B::topk(s, values, indices, in); }

  static void uniform(stream& s, const View& out, std::uint64_t seed, std::uint64_t counter) { B::uniform(s, out, seed, counter); }
};

}  // namespace chronotope
