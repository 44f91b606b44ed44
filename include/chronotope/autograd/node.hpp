#pragma once
// The graph that operations record while they compute, and the gradients that leaves collect.

#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

/// What a parameter has collected since zero_grad(): a dense part, rows of an embedding table, or both.
template <Backend B> struct Gradient {
  struct Rows {
    Tensor<B> ids;   ///< [M] i32, may repeat
    Tensor<B> rows;  ///< [M, ...]
  };
  Tensor<B> dense;         ///< undefined when no dense gradient came
  std::vector<Rows> rows;  ///< one entry an embedding look-up

  bool empty() const { return !dense.defined() && rows.empty(); }
  void clear() {
    dense = {};
    rows.clear();
  }
};

template <Backend B> class GradientSink;

namespace detail {
/// 1, 2, 3, … over all threads of the process.
std::uint64_t next_sequence();
}  // namespace detail

/// One recorded operation, or a leaf.
template <Backend B> struct Node {
  using Backward = std::function<void(const Tensor<B>& gradient, GradientSink<B>& sink)>;

  std::uint64_t sequence = detail::next_sequence();  ///< later operations have larger numbers: the order of backward
  std::vector<std::shared_ptr<Node>> inputs;    ///< null where no gradient is needed
  Backward backward;                            ///< empty for leaves
  Shape shape;                                  ///< of the value this node stands for
  DType dtype = DType::f32;
  std::shared_ptr<Gradient<B>> leaf;            ///< where a leaf collects; null for operations
  Tensor<B> pending;                            ///< gradient that has arrived so far during backward()
  bool pending_is_ours = false;                 ///< no other tensor sees `pending`, so it may be added to in place
  bool queued = false;

  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  /// Long chains would overflow the stack if each node destroyed its inputs from its own destructor. What `backward`
  /// captured may hold inputs too: it goes while the worklist still holds them.
  ~Node() {
    std::vector<std::shared_ptr<Node>> worklist = std::move(inputs);
    backward = nullptr;
    while (!worklist.empty()) {
      const std::shared_ptr<Node> node = std::move(worklist.back());
      worklist.pop_back();
      if (node && node.use_count() == 1) {
        for (auto& input : node->inputs) worklist.push_back(std::move(input));
        node->inputs.clear();
        node->backward = nullptr;
      }
    }
  }
};

namespace detail {
inline thread_local bool recording = true;
}

/// While it lives, operations of this thread record nothing.
class NoGrad {
 public:
  NoGrad() : before_(std::exchange(detail::recording, false)) {}
  ~NoGrad() { detail::recording = before_; }
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

/// Whether any of these tensors wants a gradient now.
template <Backend B> bool needs_gradient(std::span<const Tensor<B>* const> inputs) {
  if (!detail::recording) return false;
  for (const Tensor<B>* x : inputs)
    if (x->node()) return true;
  return false;
}

/// Puts `out` into the graph when one of `inputs` wants a gradient. `backward(dy, sink)` gives input i its gradient with
/// sink.add(i, …); it captures only what it needs, which is kept until backward() has passed.
template <Backend B, class F>
Tensor<B> record(Tensor<B> out, std::span<const Tensor<B>* const> inputs, F&& backward) {
  if (!needs_gradient<B>(inputs)) return out;
  auto node = std::make_shared<Node<B>>();
  for (const Tensor<B>* x : inputs) node->inputs.push_back(x->node());
  node->shape = out.shape();
  node->dtype = out.dtype();
  node->backward = std::forward<F>(backward);
  out.set_node(std::move(node));
  return out;
}
template <Backend B, class F>
Tensor<B> record(Tensor<B> out, std::initializer_list<const Tensor<B>*> inputs, F&& backward) {
  return record<B>(std::move(out), std::span(inputs.begin(), inputs.size()), std::forward<F>(backward));
}

}  // namespace chronotope
