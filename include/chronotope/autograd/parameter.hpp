#pragma once
// A trainable tensor: the only thing that keeps a gradient, and the only one an optimizer changes.

#include "chronotope/autograd/backward.hpp"

namespace chronotope {

/// A handle: copies share value, gradient and whether it is frozen. Pass `p()` to operations.
template <Backend B> class Parameter {
 public:
  using backend = B;

  Parameter() = default;
  /// Starts with a copy of these values.
  explicit Parameter(const Tensor<B>& value)
      : node_(std::make_shared<Node<B>>()), shared_(std::make_shared<Shared>(Shared{own_copy(value)})) {
    node_->shape = value.shape();
    node_->dtype = value.dtype();
    node_->leaf = std::make_shared<Gradient<B>>();
  }

  /// The value as an operand: gradients come back to this parameter unless recording is off or it is frozen.
  Tensor<B> operator()() const {
    Tensor<B> t = shared_->value;
    if (detail::recording && shared_->trainable) t.set_node(node_);
    return t;
  }

  /// The value itself, row-major, without history.
  const Tensor<B>& value() const { return shared_->value; }
  /// Copies new values in, of the same shape and dtype; every copy of the handle sees them. Throws ShapeError, DTypeError.
  void assign(const Tensor<B>& value) {
    if (!(value.shape() == shape()))
      throw ShapeError("[assign] parameter " + to_string(shape()) + " cannot take " + to_string(value.shape()));
    if (value.dtype() != node_->dtype)
      throw DTypeError(std::string("[assign] parameter ") + to_string(node_->dtype) + " cannot take " + to_string(value.dtype()));
    shared_->value = own_copy(value);
  }

  Gradient<B>& gradient() const { return *node_->leaf; }
  void zero_grad() const { node_->leaf->clear(); }
  const Shape& shape() const { return node_->shape; }
  /// A frozen parameter takes part in computations but gets no gradient.
  void freeze() { shared_->trainable = false; }
  bool frozen() const { return !shared_->trainable; }

 private:
  struct Shared {
    Tensor<B> value;
    bool trainable = true;
  };

  /// Optimizers write into a parameter's memory, so nothing else may see it.
  static Tensor<B> own_copy(const Tensor<B>& value) {
    Tensor<B> copy(value.state(), value.shape(), value.dtype());
    if (copy.elements()) B::copy(copy.stream(), copy.view(), value.view());
    return copy;
  }

  std::shared_ptr<Node<B>> node_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace chronotope
