#pragma once
// Where the time goes: a backend that forwards to another and adds up calls and seconds by operation.
//   auto timings = std::make_shared<Timings>();
//   auto s = any_stream<timed<onednn_backend>>({onednn_backend::stream(2), timings});
// Right for backends that have computed when they return; for others it times the queueing. Graphs are not recorded: what would be in them is
// timed as it is queued.

#include <map>
#include <memory>
#include <string_view>
#include <type_traits>

#include "chronotope/backend/concepts.hpp"
#include "chronotope/backend/fused.hpp"
#include "chronotope/backend/graphs.hpp"
#include "chronotope/core/stopwatch.hpp"

namespace chronotope {

struct Timing {
  std::int64_t calls = 0;
  double seconds = 0;
};

/// By the name of the primitive or hook. Calls that a hook declined count as calls of what was done instead.
using Timings = std::map<std::string_view, Timing>;

template <Backend B> struct timed {
  struct stream {
    typename B::stream inner;
    std::shared_ptr<Timings> timings;
  };

  static std::string_view name() { return B::name(); }
  static bool supports(DType t) { return B::supports(t); }

  static void* allocate(stream& s, std::size_t n) { return measure(s, "allocate", [&] { return B::allocate(s.inner, n); }); }
  static void deallocate(stream& s, void* p) noexcept { B::deallocate(s.inner, p); }
  static void trim(stream& s) noexcept {
    if constexpr (requires { B::trim(s.inner); }) B::trim(s.inner);
  }
  static void upload(stream& s, void* d, const void* h, std::size_t n) { measure(s, "upload", [&] { B::upload(s.inner, d, h, n); }); }
  static void download(stream& s, void* h, const void* d, std::size_t n) { measure(s, "download", [&] { B::download(s.inner, h, d, n); }); }
  static void synchronize(stream& s) { measure(s, "synchronize", [&] { B::synchronize(s.inner); }); }

  static void fill(stream& s, const View& out, double value) { measure(s, "fill", [&] { B::fill(s.inner, out, value); }); }
  static void copy(stream& s, const View& out, const View& in) { measure(s, "copy", [&] { B::copy(s.inner, out, in); }); }
  static void unary(stream& s, Unary op, const View& out, const View& in) { measure(s, "unary", [&] { B::unary(s.inner, op, out, in); }); }
  static void binary(stream& s, Binary op, const View& out, const View& a, const View& b) { measure(s, "binary", [&] { B::binary(s.inner, op, out, a, b); }); }
  static void select(stream& s, const View& out, const View& c, const View& a, const View& b) { measure(s, "select", [&] { B::select(s.inner, out, c, a, b); }); }
  static void matmul(stream& s, const View& out, const View& a, const View& b, double beta) { measure(s, "matmul", [&] { B::matmul(s.inner, out, a, b, beta); }); }
  static void reduce(stream& s, Reduction op, const View& out, const View& in) { measure(s, "reduce", [&] { B::reduce(s.inner, op, out, in); }); }
  static void cumsum(stream& s, const View& out, const View& in, int axis) { measure(s, "cumsum", [&] { B::cumsum(s.inner, out, in, axis); }); }
  static void gather(stream& s, const View& out, const View& table, const View& ids) { measure(s, "gather", [&] { B::gather(s.inner, out, table, ids); }); }
  static void scatter_add(stream& s, const View& table, const View& ids, const View& rows) { measure(s, "scatter_add", [&] { B::scatter_add(s.inner, table, ids, rows); }); }
  static void topk(stream& s, const View& values, const View& indices, const View& in) { measure(s, "topk", [&] { B::topk(s.inner, values, indices, in); }); }
  static void uniform(stream& s, const View& out, std::uint64_t seed, std::uint64_t counter) { measure(s, "uniform", [&] { B::uniform(s.inner, out, seed, counter); }); }

  using graph = typename detail::GraphOf<B>::type;
  static bool has_graphs(const stream& s) requires GraphBackend<B> { return B::has_graphs(s.inner); }
  static void as_graph(stream&, graph&, const std::function<void()>& work) requires GraphBackend<B> { work(); }

#define CHRONOTOPE_UNPACK(...) __VA_OPT__(, ) __VA_ARGS__
#define CHRONOTOPE_ENTRY(hook, parameters, arguments)                             \
  static bool try_##hook(stream& s CHRONOTOPE_UNPACK parameters) {                \
    if constexpr (requires { &B::try_##hook; }) {                                 \
      const Stopwatch watch;                                                      \
      const bool done = B::try_##hook(s.inner CHRONOTOPE_UNPACK arguments);       \
      if (done) add(s, #hook, watch);                                             \
      return done;                                                                \
    } else {                                                                      \
      return false;                                                               \
    }                                                                             \
  }
  CHRONOTOPE_FUSED_HOOKS(CHRONOTOPE_ENTRY)
#undef CHRONOTOPE_ENTRY
#undef CHRONOTOPE_UNPACK

 private:
  static void add(stream& s, std::string_view operation, const Stopwatch& watch) {
    Timing& timing = (*s.timings)[operation];
    ++timing.calls;
    timing.seconds += watch.seconds();
  }
  template <class F> static auto measure(stream& s, std::string_view operation, F f) {
    const Stopwatch watch;
    if constexpr (std::is_void_v<decltype(f())>) {
      f();
      add(s, operation, watch);
    } else {
      const auto result = f();
      add(s, operation, watch);
      return result;
    }
  }
};

}  // namespace chronotope
