#pragma once
// A backend chosen at run time: its stream carries a table of function pointers made from a real backend.
//   any_backend::stream s = any_stream<eigen_backend>();
// One instantiation of a program then serves every backend; the cost is an indirect call a primitive.

#include <memory>

#include "chronotope/backend/concepts.hpp"
#include "chronotope/backend/fused.hpp"
#include "chronotope/backend/graphs.hpp"

namespace chronotope {

namespace detail {

/// Function pointers of one backend; what is optional and it lacks is null. `s` points to the backend's own stream.
struct AnyTable {
  std::string_view (*name)();
  bool (*supports)(DType);
  void* (*allocate)(void* s, std::size_t);
  void (*deallocate)(void* s, void*) noexcept;
  void (*upload)(void* s, void*, const void*, std::size_t);
  void (*download)(void* s, void*, const void*, std::size_t);
  void (*synchronize)(void* s);
  void (*fill)(void* s, const View&, double);
  void (*copy)(void* s, const View&, const View&);
  void (*unary)(void* s, Unary, const View&, const View&);
  void (*binary)(void* s, Binary, const View&, const View&, const View&);
  void (*select)(void* s, const View&, const View&, const View&, const View&);
  void (*matmul)(void* s, const View&, const View&, const View&, double);
  void (*reduce)(void* s, Reduction, const View&, const View&);
  void (*cumsum)(void* s, const View&, const View&, int);
  void (*gather)(void* s, const View&, const View&, const View&);
  void (*scatter_add)(void* s, const View&, const View&, const View&);
  void (*topk)(void* s, const View&, const View&, const View&);
  void (*uniform)(void* s, const View&, std::uint64_t, std::uint64_t);
  void (*trim)(void* s) noexcept;
  std::shared_ptr<void> (*new_graph)();
  void (*as_graph)(void* s, void* graph, const std::function<void()>& work);
#define CHRONOTOPE_UNPACK(...) __VA_OPT__(, ) __VA_ARGS__
#define CHRONOTOPE_ENTRY(hook, parameters, arguments) bool (*hook)(void* s CHRONOTOPE_UNPACK parameters);
  CHRONOTOPE_FUSED_HOOKS(CHRONOTOPE_ENTRY)
#undef CHRONOTOPE_ENTRY
};

template <Backend B> struct AnyTableOf {
  template <auto F> struct Primitive;
  template <class R, class... A, R (*F)(typename B::stream&, A...)> struct Primitive<F> {
    static R call(void* s, A... a) { return F(*static_cast<typename B::stream*>(s), a...); }
  };
  static void deallocate(void* s, void* p) noexcept { B::deallocate(*static_cast<typename B::stream*>(s), p); }

#define CHRONOTOPE_ENTRY(hook, parameters, arguments)                                             \
  static constexpr auto hook() -> bool (*)(void* CHRONOTOPE_UNPACK parameters) {                  \
    if constexpr (requires { &B::try_##hook; }) return &Primitive<&B::try_##hook>::call;          \
    else return nullptr;                                                                          \
  }
  CHRONOTOPE_FUSED_HOOKS(CHRONOTOPE_ENTRY)
#undef CHRONOTOPE_ENTRY

  static constexpr auto trim() -> decltype(AnyTable::trim) {
    if constexpr (requires(typename B::stream& s) { B::trim(s); }) return [](void* s) noexcept { B::trim(*static_cast<typename B::stream*>(s)); };
    else return nullptr;
  }
  static constexpr auto new_graph() -> decltype(AnyTable::new_graph) {
    if constexpr (GraphBackend<B>) return [] { return std::shared_ptr<void>(std::make_shared<typename B::graph>()); };
    else return nullptr;
  }
  static constexpr auto as_graph() -> decltype(AnyTable::as_graph) {
    if constexpr (GraphBackend<B>)
      return [](void* s, void* graph, const std::function<void()>& work) {
        B::as_graph(*static_cast<typename B::stream*>(s), *static_cast<typename B::graph*>(graph), work);
      };
    else return nullptr;
  }

  static const AnyTable& table() {
#define CHRONOTOPE_ENTRY(hook, parameters, arguments) , hook()
    static const AnyTable made{
        &B::name, &B::supports, &Primitive<&B::allocate>::call, &deallocate, &Primitive<&B::upload>::call,
        &Primitive<&B::download>::call, &Primitive<&B::synchronize>::call, &Primitive<&B::fill>::call,
        &Primitive<&B::copy>::call, &Primitive<&B::unary>::call, &Primitive<&B::binary>::call,
        &Primitive<&B::select>::call, &Primitive<&B::matmul>::call, &Primitive<&B::reduce>::call,
        &Primitive<&B::cumsum>::call, &Primitive<&B::gather>::call, &Primitive<&B::scatter_add>::call,
        &Primitive<&B::topk>::call, &Primitive<&B::uniform>::call, trim(), new_graph(), as_graph() CHRONOTOPE_FUSED_HOOKS(CHRONOTOPE_ENTRY)};
#undef CHRONOTOPE_ENTRY
    return made;
  }
};

}  // namespace detail

struct any_backend {
  /// Holds another backend's stream. Copies share it.
  struct stream {
    const detail::AnyTable* table = nullptr;
    std::shared_ptr<void> state;
    void* get() const { return state.get(); }
  };

  /// Of the backend of the stream that it is first used with.
  struct graph {
    std::shared_ptr<void> state;
    const detail::AnyTable* table = nullptr;
  };

  static std::string_view name() { return "any"; }
  /// Every dtype; a chosen backend that lacks one throws BackendError when it meets it.
  static bool supports(DType) { return true; }

  static void* allocate(stream& s, std::size_t n) { return s.table->allocate(s.get(), n); }
  static void deallocate(stream& s, void* p) noexcept { s.table->deallocate(s.get(), p); }
  static void trim(stream& s) noexcept {
    if (s.table->trim) s.table->trim(s.get());
  }
  static void upload(stream& s, void* d, const void* h, std::size_t n) { s.table->upload(s.get(), d, h, n); }
  static void download(stream& s, void* h, const void* d, std::size_t n) { s.table->download(s.get(), h, d, n); }
  static void synchronize(stream& s) { s.table->synchronize(s.get()); }
  static void fill(stream& s, const View& out, double value) { s.table->fill(s.get(), out, value); }
  static void copy(stream& s, const View& out, const View& in) { s.table->copy(s.get(), out, in); }
  static void unary(stream& s, Unary op, const View& out, const View& in) { s.table->unary(s.get(), op, out, in); }
  static void binary(stream& s, Binary op, const View& out, const View& a, const View& b) { s.table->binary(s.get(), op, out, a, b); }
  static void select(stream& s, const View& out, const View& c, const View& a, const View& b) { s.table->select(s.get(), out, c, a, b); }
  static void matmul(stream& s, const View& out, const View& a, const View& b, double beta) { s.table->matmul(s.get(), out, a, b, beta); }
  static void reduce(stream& s, Reduction op, const View& out, const View& in) { s.table->reduce(s.get(), op, out, in); }
  static void cumsum(stream& s, const View& out, const View& in, int axis) { s.table->cumsum(s.get(), out, in, axis); }
  static void gather(stream& s, const View& out, const View& table, const View& ids) { s.table->gather(s.get(), out, table, ids); }
  static void scatter_add(stream& s, const View& table, const View& ids, const View& rows) { s.table->scatter_add(s.get(), table, ids, rows); }
  static void topk(stream& s, const View& values, const View& indices, const View& in) { s.table->topk(s.get(), values, indices, in); }
  static void uniform(stream& s, const View& out, std::uint64_t seed, std::uint64_t counter) { s.table->uniform(s.get(), out, seed, counter); }

  /// Whether the chosen backend has them.
  static bool has_graphs(const stream& s) { return s.table->as_graph != nullptr; }
  /// Throws BackendError where it has none, or where the graph was first used with another.
  static void as_graph(stream& s, graph& g, const std::function<void()>& work) {
    if (!has_graphs(s)) throw BackendError("[as_graph] the backend " + std::string(s.table->name()) + " has no graphs");
    if (!g.state) g.state = s.table->new_graph(), g.table = s.table;
    if (g.table != s.table) throw BackendError("[as_graph] this graph was made on another backend than " + std::string(s.table->name()));
    s.table->as_graph(s.get(), g.state.get(), work);
  }

#define CHRONOTOPE_FORWARD(...) __VA_OPT__(, ) __VA_ARGS__
#define CHRONOTOPE_ENTRY(hook, parameters, arguments)                        \
  static bool try_##hook(stream& s CHRONOTOPE_UNPACK parameters) {           \
    return s.table->hook && s.table->hook(s.get() CHRONOTOPE_FORWARD arguments); \
  }
  CHRONOTOPE_FUSED_HOOKS(CHRONOTOPE_ENTRY)
#undef CHRONOTOPE_ENTRY
#undef CHRONOTOPE_FORWARD
};

#undef CHRONOTOPE_UNPACK

/// A run-time stream that runs on B; `s` is moved in.
template <Backend B> any_backend::stream any_stream(typename B::stream s = typename B::stream()) {
  return {&detail::AnyTableOf<B>::table(), std::make_shared<typename B::stream>(std::move(s))};
}

}  // namespace chronotope
