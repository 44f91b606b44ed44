#pragma once
// Optional: work that reaches the device as one graph, with one launch instead of hundreds. The host still runs the code that queues it, every time.

#include <concepts>
#include <functional>
#include <optional>
#include <string>

#include "chronotope/backend/concepts.hpp"
#include "chronotope/core/error.hpp"

namespace chronotope {

/// has_graphs(s)           whether the device behind this stream has them; a backend chosen at run time may not
/// as_graph(s, g, work)    what `work` queues on `s` reaches the device in one piece when `work` has returned, and does what it would have done
///                         piece by piece: it is recorded anew each time, so sizes, values and addresses may change. `g` keeps what was made of
///                         recordings of before, which saves most of the cost where the same operations come again; one for each kind of work.
///                         Nothing can be read meanwhile: download and synchronize throw BackendError, and so does as_graph. What `work` throws
///                         is passed on; then nothing of it has run, and tensors that it made or wrote to hold anything.
template <class B>
concept GraphBackend = Backend<B> && requires(typename B::stream& s, const typename B::stream& same, typename B::graph& g, const std::function<void()>& work) {
  requires std::default_initializable<typename B::graph> && std::movable<typename B::graph>;
  { B::has_graphs(same) } -> std::same_as<bool>;
  B::as_graph(s, g, work);
};

template <Backend B> bool has_graphs(const typename B::stream& s) {
  if constexpr (GraphBackend<B>) return B::has_graphs(s);
  else return false;
}

namespace detail {
struct NoGraph {};
template <class B> struct GraphOf {
  using type = NoGraph;
};
template <GraphBackend B> struct GraphOf<B> {
  using type = typename B::graph;
};
}  // namespace detail

/// Runs work of one kind: as graphs where they were asked for, else as it is.
template <Backend B> class AsGraph {
 public:
  AsGraph() = default;
  /// As graphs. Throws ConfigError where the backend has none; `option` is what asked for them.
  AsGraph(const typename B::stream& s, const std::string& option) : graph_(std::in_place) {
    if (!has_graphs<B>(s)) throw ConfigError(option + " needs a backend with graphs, which is cuda: choose that, or leave it off");
  }

  void operator()(typename B::stream& s, const std::function<void()>& work) {
    if constexpr (GraphBackend<B>)
      if (graph_) return B::as_graph(s, *graph_, work);
    work();
  }

 private:
  std::optional<typename detail::GraphOf<B>::type> graph_;
};

}  // namespace chronotope
