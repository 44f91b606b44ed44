#pragma once
// Tensor<B>: a strided piece of a device's memory, immutable once made, with an optional place in the autograd graph.
// The backend is part of the type: tensors of different backends do not mix.

#include <functional>
#include <span>
#include <vector>

#include "chronotope/core/error.hpp"
#include "chronotope/tensor/context.hpp"

namespace chronotope {

template <Backend B> struct Node;

namespace detail {

/// A block of device memory: from the context's allocator, or foreign memory with its own deleter.
template <Backend B> class Storage {
 public:
  Storage(std::shared_ptr<ContextState<B>> state, std::size_t bytes)
      : state_(std::move(state)), block_(bytes ? state_->allocate(bytes) : Block()) {}
  Storage(std::shared_ptr<ContextState<B>> state, void* data, std::function<void(void*)> deleter)
      : state_(std::move(state)), block_{data, 0}, deleter_(std::move(deleter)) {}
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  ~Storage() {
    if (deleter_) deleter_(block_.data);
    else if (block_.data) state_->release(block_);
  }

  const std::shared_ptr<ContextState<B>>& state() const { return state_; }
  void* data() const { return block_.data; }

 private:
  std::shared_ptr<ContextState<B>> state_;
  Block block_;
  std::function<void(void*)> deleter_;
};

}  // namespace detail

template <Backend B> class Tensor {
 public:
  using backend = B;
  using State = std::shared_ptr<detail::ContextState<B>>;

  /// No tensor: defined() is false, nothing else may be asked.
  Tensor() = default;

  /// Uninitialised memory. Throws DTypeError when the backend lacks the dtype.
  Tensor(const State& state, const Shape& shape, DType dtype = DType::f32) {
    if (!B::supports(dtype))
      throw DTypeError("backend " + std::string(B::name()) + " does not support " + to_string(dtype));
    storage_ = std::make_shared<detail::Storage<B>>(state, static_cast<std::size_t>(shape.elements()) * size_of(dtype));
    view_ = contiguous_view(storage_->data(), dtype, shape);
  }
  Tensor(Context<B>& context, const Shape& shape, DType dtype = DType::f32) : Tensor(context.state(), shape, dtype) {}

  /// Uses the caller's device memory, row-major; `deleter` runs when the last tensor over it is gone.
  static Tensor wrap(Context<B>& context, void* data, const Shape& shape, DType dtype,
                     std::function<void(void*)> deleter = [](void*) {}) {
    if (!deleter) deleter = [](void*) {};
    Tensor t;
    t.storage_ = std::make_shared<detail::Storage<B>>(context.state(), data, std::move(deleter));
    t.view_ = contiguous_view(data, dtype, shape);
    return t;
  }

  /// Copies host values, row-major. Throws ShapeError when their number does not fit the shape.
  template <Element T> static Tensor from_host(const State& state, std::span<const T> values, const Shape& shape) {
    if (static_cast<std::int64_t>(values.size()) != shape.elements())
      throw ShapeError("[from_host] " + std::to_string(values.size()) + " values for shape " + to_string(shape));
    Tensor t(state, shape, dtype_of<T>);
    if (!values.empty()) B::upload(t.stream(), t.view_.data, values.data(), values.size_bytes());
    return t;
  }
  template <Element T> static Tensor from_host(Context<B>& context, const std::vector<T>& values, const Shape& shape) {
    return from_host(context.state(), std::span<const T>(values), shape);
  }

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return view_.shape; }
  std::int64_t size(int axis) const { return view_.shape[view_.shape.axis(axis)]; }
  int rank() const { return view_.shape.rank(); }
  std::int64_t elements() const { return view_.elements(); }
  DType dtype() const { return view_.dtype; }
  const View& view() const { return view_; }
  const State& state() const { return storage_->state(); }
  typename B::stream& stream() const { return state()->stream; }

  /// The values, row-major. Synchronises. Throws DTypeError when T is not the tensor's type.
  template <Element T> std::vector<T> to_host() const;
  /// The one value of a one-element tensor.
  template <Element T> T item() const {
    if (elements() != 1) throw ShapeError("[item] needs one element, shape is " + to_string(shape()));
    return to_host<T>()[0];
  }
  /// The same values in another context, of any backend.
  template <Backend Other> Tensor<Other> copy_to(Context<Other>& context) const;

  /// This tensor without its history: gradients stop here.
  Tensor detach() const {
    Tensor t = *this;
    t.node_.reset();
    return t;
  }
  /// The same storage seen through other extents and strides, `offset` elements further on. No history.
  Tensor alias(const Shape& shape, const Strides& strides, std::int64_t offset = 0) const {
    Tensor t = detach();
    t.view_.shape = shape;
    t.view_.strides = strides;
    t.view_.data = static_cast<std::byte*>(view_.data) + offset * static_cast<std::int64_t>(size_of(dtype()));
    return t;
  }

  const std::shared_ptr<Node<B>>& node() const { return node_; }
  void set_node(std::shared_ptr<Node<B>> node) { node_ = std::move(node); }

 private:
  std::shared_ptr<detail::Storage<B>> storage_;
  View view_;
  std::shared_ptr<Node<B>> node_;
};

/// Row-major copy without history, or the tensor itself (without history) when it is row-major already.
template <Backend B> Tensor<B> dense(const Tensor<B>& x) {
  if (x.view().contiguous()) return x.detach();
  Tensor<B> y(x.state(), x.shape(), x.dtype());
  if (y.elements()) B::copy(y.stream(), y.view(), x.view());
  return y;
}

template <Backend B> Tensor<B> full(const typename Tensor<B>::State& state, const Shape& shape, double value, DType dtype = DType::f32) {
  Tensor<B> t(state, shape, dtype);
  if (t.elements()) B::fill(t.stream(), t.view(), value);
  return t;
}
template <Backend B> Tensor<B> full(Context<B>& context, const Shape& shape, double value, DType dtype = DType::f32) {
  return full<B>(context.state(), shape, value, dtype);
}
template <Backend B> Tensor<B> zeros(Context<B>& context, const Shape& shape, DType dtype = DType::f32) {
  return full<B>(context.state(), shape, 0, dtype);
}

/// Uniform numbers in [0, 1); advances the context's random state by one counter.
template <Backend B> Tensor<B> uniform(Context<B>& context, const Shape& shape, DType dtype = DType::f32) {
  Tensor<B> t(context, shape, dtype);
  if (t.elements()) B::uniform(t.stream(), t.view(), context.random().seed, context.random().counter);
  ++context.random().counter;
  return t;
}

template <Backend B> template <Element T> std::vector<T> Tensor<B>::to_host() const {
  if (dtype() != dtype_of<T>)
    throw DTypeError(std::string("[to_host] tensor holds ") + to_string(dtype()) + ", asked for " + to_string(dtype_of<T>));
  const Tensor source = dense(*this);
  std::vector<T> values(static_cast<std::size_t>(elements()));
  if (!values.empty()) B::download(stream(), values.data(), source.view_.data, values.size() * sizeof(T));
  return values;
}

template <Backend B> template <Backend Other> Tensor<Other> Tensor<B>::copy_to(Context<Other>& context) const {
  return dispatch(dtype(), [&](auto zero) {
    return Tensor<Other>::from_host(context, to_host<decltype(zero)>(), shape());
  });
}

}  // namespace chronotope
