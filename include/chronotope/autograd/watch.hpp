#pragma once
// Hearing of gradients as they become final, so that they can be sent to other processes while the pass goes on.

#include <unordered_map>
#include <unordered_set>

#include "chronotope/autograd/backward.hpp"

namespace chronotope {
namespace detail {

template <Backend B> struct LeafWatch {
  std::function<void(Node<B>&)> done;
  std::unordered_map<Node<B>*, int> uses;  // by operations that have not run

  void ran(const Node<B>& operation) {
    for (const auto& input : operation.inputs)
      if (input && input->leaf && --uses.at(input.get()) == 0) done(*input);
  }
};

/// Each operation that `root` depends on, once.
template <Backend B> std::vector<Node<B>*> operations_of(Node<B>* root) {
  std::vector<Node<B>*> found;
  std::unordered_set<Node<B>*> seen;
  const auto meet = [&](Node<B>* node) {
    if (node && !node->leaf && seen.insert(node).second) found.push_back(node);
  };
  meet(root);
  for (std::size_t i = 0; i < found.size(); ++i)
    for (const auto& input : found[i]->inputs) meet(input.get());
  return found;
}

}  // namespace detail

/// During the next backward(loss): calls done(leaf) for each leaf as soon as nothing more will be added to it. Its dense gradient of this pass is
/// leaf.pending then, undefined where none came; rows are in *leaf.leaf. `done` may put another tensor of the same shape in place of a pending one:
/// the pass hands that to the parameter in the end. Of a leaf that some operation leaves without an answer nothing is told. O(nodes).
template <Backend B> void watch_leaves(const Tensor<B>& loss, std::function<void(Node<B>&)> done) {
  const auto watch = std::make_shared<detail::LeafWatch<B>>();
  watch->done = std::move(done);
  for (Node<B>* operation : detail::operations_of(loss.node().get())) {
    bool ends_in_leaf = false;
    for (const auto& input : operation->inputs)
      if (input && input->leaf) ++watch->uses[input.get()], ends_in_leaf = true;
    if (!ends_in_leaf) continue;
    operation->backward = [watch, operation, run = std::move(operation->backward)](const Tensor<B>& gradient, GradientSink<B>& sink) {
      run(gradient, sink);
      watch->ran(*operation);
    };
  }
}

}  // namespace chronotope
