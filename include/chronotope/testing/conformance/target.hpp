#pragma once
// The backend under test behind plain functions, so that the suite is compiled once whatever number of backends a
// program tests. any_backend is not used for it: it is itself under test.

#include <functional>
#include <string>

#include "chronotope/backend/concepts.hpp"
#include "chronotope/backend/fused.hpp"

namespace chronotope::testing {

struct Target {
  std::string name;
  bool (*supports)(DType);
  std::function<void*(std::size_t)> allocate;
  std::function<void(void*)> deallocate;
  std::function<void(void*, const void*, std::size_t)> upload, download;
  std::function<void()> synchronize;
  std::function<void(const View&, double)> fill;
  std::function<void(const View&, const View&)> copy;
  std::function<void(Unary, const View&, const View&)> unary;
  std::function<void(Binary, const View&, const View&, const View&)> binary;
  std::function<void(const View&, const View&, const View&, const View&)> select;
  std::function<void(const View&, const View&, const View&, double)> matmul;
  std::function<void(Reduction, const View&, const View&)> reduce;
  std::function<void(const View&, const View&, int)> cumsum;
  std::function<void(const View&, const View&, const View&)> gather, scatter_add, topk;
  std::function<void(const View&, std::uint64_t, std::uint64_t)> uniform;
  /// The hooks in the order of their parameters (backend/fused.hpp); empty where the backend has none.
  std::function<bool(const View&, const View&, const View&, const View&, const View&, const AttentionLayout&, double)> attention;
  std::function<bool(const View&, const View&, const View&, const View&, const View&, const View&, const View&, const View&, const View&,
                     const AttentionLayout&, double)> attention_backward;
};

template <Backend B> Target make_target(typename B::stream& s) {
  using V = const View&;
  Target t;
  t.name = std::string(B::name());
  t.supports = [](DType type) { return B::supports(type); };
  t.allocate = [&s](std::size_t n) { return B::allocate(s, n); };
  t.deallocate = [&s](void* p) { B::deallocate(s, p); };
  t.upload = [&s](void* to, const void* from, std::size_t n) { B::upload(s, to, from, n); };
  t.download = [&s](void* to, const void* from, std::size_t n) { B::download(s, to, from, n); };
  t.synchronize = [&s] { B::synchronize(s); };
  t.fill = [&s](V out, double value) { B::fill(s, out, value); };
  t.copy = [&s](V out, V in) { B::copy(s, out, in); };
  t.unary = [&s](Unary op, V out, V in) { B::unary(s, op, out, in); };
  t.binary = [&s](Binary op, V out, V a, V b) { B::binary(s, op, out, a, b); };
  t.select = [&s](V out, V cond, V a, V b) { B::select(s, out, cond, a, b); };
  t.matmul = [&s](V out, V a, V b, double beta) { B::matmul(s, out, a, b, beta); };
  t.reduce = [&s](Reduction op, V out, V in) { B::reduce(s, op, out, in); };
  t.cumsum = [&s](V out, V in, int axis) { B::cumsum(s, out, in, axis); };
  t.gather = [&s](V out, V table, V ids) { B::gather(s, out, table, ids); };
  t.scatter_add = [&s](V table, V ids, V rows) { B::scatter_add(s, table, ids, rows); };
  t.topk = [&s](V values, V indices, V in) { B::topk(s, values, indices, in); };
  t.uniform = [&s](V out, std::uint64_t seed, std::uint64_t counter) { B::uniform(s, out, seed, counter); };
  if constexpr (requires { &B::try_attention; }) {
    using L = const AttentionLayout&;
    t.attention = [&s](V out, V lse, V q, V k, V v, L layout, double scale) { return B::try_attention(s, out, lse, q, k, v, layout, scale); };
    t.attention_backward = [&s](V dq, V dk, V dv, V dout, V q, V k, V v, V out, V lse, L layout, double scale) {
      return B::try_attention_backward(s, dq, dk, dv, dout, q, k, v, out, lse, layout, scale);
    };
  }
  return t;
}

}  // namespace chronotope::testing
