#pragma once
// Reverse pass: nodes leave a heap by falling sequence number, so each runs once, after everything that used its value.

#include <algorithm>

#include "chronotope/autograd/node.hpp"

namespace chronotope {

/// Takes the gradients that a node computes for its inputs. Gradients have the shape of the input.
template <Backend B> class GradientSink {
 public:
  GradientSink(Node<B>& node, std::vector<std::shared_ptr<Node<B>>>& heap) : node_(node), heap_(heap) {}

  /// False when nobody asks for the gradient of input i: do not compute it.
  bool wants(int i) const { return node_.inputs[static_cast<std::size_t>(i)] != nullptr; }

  void add(int i, const Tensor<B>& gradient) {
    if (!wants(i)) return;
    Node<B>& input = enqueue(i);
    if (!input.pending.defined()) {
      input.pending = gradient.detach();
      input.pending_is_ours = false;
    } else {
      add_in_place(own(input), gradient.view());
    }
  }

  /// Adds to a piece of input i: extents and strides of the piece, `offset` elements from the start of the row-major gradient.
  void add_piece(int i, const Tensor<B>& gradient, const Strides& strides, std::int64_t offset) {
    if (!wants(i)) return;
    Node<B>& input = enqueue(i);
    if (!input.pending.defined()) {
      input.pending = full<B>(gradient.state(), input.shape, 0, input.dtype);
      input.pending_is_ours = true;
    }
    add_in_place(own(input).alias(gradient.shape(), strides, offset), gradient.view());
  }

  /// Adds rows [M, ...] at ids [M] of input i. A leaf keeps them as rows; elsewhere they are added up at once.
  void add_rows(int i, const Tensor<B>& ids, const Tensor<B>& rows) {
    if (!wants(i)) return;
    Node<B>& input = *node_.inputs[static_cast<std::size_t>(i)];
    if (input.leaf) {
      input.leaf->rows.push_back({ids.detach(), rows.detach()});
      return;
    }
    Node<B>& queued = enqueue(i);
    if (!queued.pending.defined()) {
      queued.pending = full<B>(rows.state(), queued.shape, 0, queued.dtype);
      queued.pending_is_ours = true;
    }
    const Tensor<B>& sum = own(queued);
    if (rows.elements()) B::scatter_add(sum.stream(), sum.view(), ids.view(), rows.view());
  }

 private:
  static bool later(const std::shared_ptr<Node<B>>& a, const std::shared_ptr<Node<B>>& b) { return a->sequence < b->sequence; }

  Node<B>& enqueue(int i) {
    const auto& input = node_.inputs[static_cast<std::size_t>(i)];
    if (!input->queued) {
      input->queued = true;
      heap_.push_back(input);
      std::push_heap(heap_.begin(), heap_.end(), later);
    }
    return *input;
  }

  /// The pending gradient, row-major and not shared with any other tensor.
  static const Tensor<B>& own(Node<B>& input) {
    if (!input.pending_is_ours) {
      Tensor<B> copy(input.pending.state(), input.shape, input.dtype);
      if (copy.elements()) B::copy(copy.stream(), copy.view(), input.pending.view());
      input.pending = copy;
      input.pending_is_ours = true;
    }
    return input.pending;
  }

  static void add_in_place(const Tensor<B>& sum, const View& gradient) {
    if (sum.elements()) B::binary(sum.stream(), Binary::add, sum.view(), sum.view(), gradient);
  }

  Node<B>& node_;
  std::vector<std::shared_ptr<Node<B>>>& heap_;

  template <Backend C> friend void backward(const Tensor<C>&, const Tensor<C>&);
};

namespace detail {

/// A leaf takes over what arrived; a second arrival (accumulation over several backward passes) is added.
template <Backend B> void collect(Node<B>& node) {
  Gradient<B>& gradient = *node.leaf;
  if (!gradient.dense.defined()) {
    gradient.dense = dense(node.pending);
    return;
  }
  Tensor<B> sum(gradient.dense.state(), node.shape, node.dtype);
  if (sum.elements()) B::binary(sum.stream(), Binary::add, sum.view(), gradient.dense.view(), node.pending.view());
  gradient.dense = sum;
}

/// Nodes that a pass has reached but not finished. When the pass throws, their marks must not outlive it: a parameter
/// that still looks queued would never be collected again.
template <Backend B> struct PassHeap {
  std::vector<std::shared_ptr<Node<B>>> nodes;
  std::shared_ptr<Node<B>> current;

  ~PassHeap() {
    if (current) forget(*current);
    for (const auto& node : nodes) forget(*node);
  }
  static void forget(Node<B>& node) {
    node.pending = {};
    node.queued = false;
  }
};

}  // namespace detail

/// Adds the gradient of sum(loss * seed) to every parameter that `loss` depends on. `seed` has loss's shape. The graph is
/// consumed: saved tensors are freed as the pass goes. No recursion. Throws ShapeError when shapes differ, Error when
/// `loss` depends on no parameter.
template <Backend B> void backward(const Tensor<B>& loss, const Tensor<B>& seed) {
  if (!loss.node()) throw Error("[backward] the tensor depends on nothing that wants a gradient");
  if (!(loss.shape() == seed.shape()))
    throw ShapeError("[backward] seed " + to_string(seed.shape()) + " for a value of shape " + to_string(loss.shape()));
  const NoGrad no_grad;
  const detail::LooseFit<B> loose_fit(loss.state());  // gradients of weights take the place of activations that the pass is done with
  detail::PassHeap<B> pass{{loss.node()}, nullptr};
  auto& heap = pass.nodes;
  heap[0]->pending = seed.detach();
  heap[0]->queued = true;
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), GradientSink<B>::later);
    pass.current = std::move(heap.back());
    heap.pop_back();
    Node<B>& node = *pass.current;
    if (node.leaf) {
      detail::collect(node);
    } else {
      if (!node.backward) throw Error("[backward] the graph was already consumed by an earlier backward()");
      GradientSink<B> sink(node, heap);
      node.backward(node.pending, sink);
      node.backward = nullptr;
      node.inputs.clear();
    }
    pass.forget(node);
  }
}

/// The same with a seed of ones; `loss` is usually a scalar.
template <Backend B> void backward(const Tensor<B>& loss) {
  backward(loss, full<B>(loss.state(), loss.shape(), 1, loss.dtype()));
}

}  // namespace chronotope
