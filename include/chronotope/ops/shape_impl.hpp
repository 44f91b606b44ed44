#pragma once
// Definitions of ops/shape.hpp.

#include "chronotope/ops/detail.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

template <Backend B> Tensor<B> contiguous(const Tensor<B>& x) {
  if (x.view().contiguous()) return x;
  return record(dense(x), {&x}, [](const Tensor<B>& dy, GradientSink<B>& sink) { sink.add(0, dy); });
}

template <Backend B> Tensor<B> reshape(const Tensor<B>& x, const Shape& shape) {
  if (shape.elements() != x.elements())
    throw ShapeError("[reshape] " + to_string(x.shape()) + " does not have the elements of " + to_string(shape));
  const Tensor<B> flat = dense(x);
  return record(flat.alias(shape, contiguous_strides(shape)), {&x},
                [from = x.shape()](const Tensor<B>& dy, GradientSink<B>& sink) { sink.add(0, reshape(dy, from)); });
}

template <Backend B> Tensor<B> reshape(const Tensor<B>& x, std::initializer_list<std::int64_t> extents) {
  std::int64_t known = 1;
  for (std::int64_t extent : extents)
    if (extent >= 0) known *= extent;
  Shape shape;
  for (std::int64_t extent : extents) shape.push_back(extent >= 0 ? extent : known ? x.elements() / known : 0);
  return reshape(x, shape);
}

template <Backend B> Tensor<B> permute(const Tensor<B>& x, std::initializer_list<int> order) {
  if (static_cast<int>(order.size()) != x.rank())
    throw ShapeError("[permute] order names " + std::to_string(order.size()) + " axes, shape is " + to_string(x.shape()));
  Shape shape;
  Strides strides{};
  std::array<int, max_rank> inverse{};
  unsigned seen = 0;
  for (int axis : order) {
    axis = x.shape().axis(axis);
    seen |= 1u << axis;
    inverse[static_cast<std::size_t>(axis)] = shape.rank();
    strides[static_cast<std::size_t>(shape.rank())] = x.view().strides[static_cast<std::size_t>(axis)];
    shape.push_back(x.shape()[axis]);
  }
  if (seen != (1u << x.rank()) - 1) throw ShapeError("[permute] an axis is named twice");
  return record(x.alias(shape, strides), {&x}, [inverse, rank = x.rank()](const Tensor<B>& dy, GradientSink<B>& sink) {
    Shape back;
    Strides back_strides{};
    for (int i = 0; i < rank; ++i) {
      const auto from = static_cast<std::size_t>(inverse[static_cast<std::size_t>(i)]);
      back.push_back(dy.shape()[static_cast<int>(from)]);
      back_strides[static_cast<std::size_t>(i)] = dy.view().strides[from];
    }
    sink.add(0, dy.alias(back, back_strides));
  });
}

template <Backend B> Tensor<B> transpose(const Tensor<B>& x, int a, int b) {
  a = x.shape().axis(a);
  b = x.shape().axis(b);
  Shape shape = x.shape();
  Strides strides = x.view().strides;
  std::swap(shape[a], shape[b]);
  std::swap(strides[static_cast<std::size_t>(a)], strides[static_cast<std::size_t>(b)]);
  return record(x.alias(shape, strides), {&x},
                [a, b](const Tensor<B>& dy, GradientSink<B>& sink) { sink.add(0, transpose(dy, a, b)); });
}

template <Backend B> Tensor<B> slice(const Tensor<B>& x, int axis, std::int64_t begin, std::int64_t end) {
  axis = x.shape().axis(axis);
  if (begin < 0 || end < begin || end > x.shape()[axis])
    throw ShapeError("[slice] " + std::to_string(begin) + " up to " + std::to_string(end) + " of axis " +
                     std::to_string(axis) + " in shape " + to_string(x.shape()));
  Shape shape = x.shape();
  shape[axis] = end - begin;
  const auto at = static_cast<std::size_t>(axis);
  return record(x.alias(shape, x.view().strides, begin * x.view().strides[at]), {&x},
                [from = x.shape(), at, begin](const Tensor<B>& dy, GradientSink<B>& sink) {
                  const Strides strides = contiguous_strides(from);
                  sink.add_piece(0, dy, strides, begin * strides[at]);
                });
}

template <Backend B> Tensor<B> select(const Tensor<B>& x, int axis, std::int64_t index) {
  return squeeze(slice(x, axis, index, index + 1), axis);
}

template <Backend B> Tensor<B> expand(const Tensor<B>& x, const Shape& shape) {
  if (!(broadcast(x.shape(), shape, "expand") == shape))
    throw ShapeError("[expand] " + to_string(x.shape()) + " does not stretch to " + to_string(shape));
  return record(x.alias(shape, detail::stretched(x.view(), shape).strides), {&x},
                [from = x.shape()](const Tensor<B>& dy, GradientSink<B>& sink) { sink.add(0, detail::unbroadcast(dy, from)); });
}

template <Backend B> Tensor<B> squeeze(const Tensor<B>& x, int axis) {
  axis = x.shape().axis(axis);
  if (x.shape()[axis] != 1) throw ShapeError("[squeeze] axis " + std::to_string(axis) + " of " + to_string(x.shape()) + " is not 1");
  Shape shape;
  Strides strides{};
  for (int i = 0; i < x.rank(); ++i) {
    if (i == axis) continue;
    strides[static_cast<std::size_t>(shape.rank())] = x.view().strides[static_cast<std::size_t>(i)];
    shape.push_back(x.shape()[i]);
  }
  return record(x.alias(shape, strides), {&x},
                [axis](const Tensor<B>& dy, GradientSink<B>& sink) { sink.add(0, unsqueeze(dy, axis)); });
}

template <Backend B> Tensor<B> unsqueeze(const Tensor<B>& x, int axis) {
  if (axis < 0) axis += x.rank() + 1;
  if (axis < 0 || axis > x.rank()) throw ShapeError("[unsqueeze] no place " + std::to_string(axis) + " in " + to_string(x.shape()));
  Shape shape;
  Strides strides{};
  for (int i = 0; i <= x.rank(); ++i) {
    const int from = i < axis ? i : i - 1;
    strides[static_cast<std::size_t>(i)] = i == axis ? 0 : x.view().strides[static_cast<std::size_t>(from)];
    shape.push_back(i == axis ? 1 : x.shape()[from]);
  }
  return record(x.alias(shape, strides), {&x},
                [axis](const Tensor<B>& dy, GradientSink<B>& sink) { sink.add(0, squeeze(dy, axis)); });
}

namespace detail {

template <Backend B> Shape joined_shape(const std::vector<Tensor<B>>& parts, int axis) {
  Shape shape = parts[0].shape();
  shape[axis] = 0;
  for (const Tensor<B>& part : parts) {
    same_dtype("concat", parts[0], part);
    Shape other = part.shape();
    if (other.rank() != shape.rank()) shapes_differ("concat", "ranks differ", parts[0].shape(), other);
    const std::int64_t extent = std::exchange(other[axis], shape[axis]);
    if (!(other == shape)) shapes_differ("concat", "extents off the joined axis differ", parts[0].shape(), part.shape());
    shape[axis] += extent;
  }
  return shape;
}

/// Puts a copied result whose pieces are the inputs into the graph: input i gets the piece that starts at begin[i] of `axis`.
template <Backend B> Tensor<B> record_pieces(Tensor<B> out, const std::vector<Tensor<B>>& parts, int axis) {
  bool any = false;
  for (const Tensor<B>& part : parts) any = any || part.node();
  if (!recording || !any) return out;
  auto node = std::make_shared<Node<B>>();
  std::vector<std::int64_t> extents;
  for (const Tensor<B>& part : parts) {
    node->inputs.push_back(part.node());
    extents.push_back(part.shape()[axis]);
  }
  node->shape = out.shape();
  node->dtype = out.dtype();
  node->backward = [extents, axis](const Tensor<B>& dy, GradientSink<B>& sink) {
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < extents.size(); begin += extents[i], ++i)
      sink.add(static_cast<int>(i), slice(dy, axis, begin, begin + extents[i]));
  };
  out.set_node(std::move(node));
  return out;
}

}  // namespace detail

template <Backend B> Tensor<B> concat(const std::vector<Tensor<B>>& parts, int axis) {
  if (parts.empty()) throw ShapeError("[concat] nothing to join");
  axis = parts[0].shape().axis(axis);
  Tensor<B> out(parts[0].state(), detail::joined_shape(parts, axis), parts[0].dtype());
  std::int64_t begin = 0;
  for (const Tensor<B>& part : parts) {
    const std::int64_t end = begin + part.shape()[axis];
    if (part.elements()) B::copy(out.stream(), slice(out, axis, begin, end).view(), part.view());
    begin = end;
  }
  return detail::record_pieces(out, parts, axis);
}

template <Backend B> Tensor<B> stack(const std::vector<Tensor<B>>& parts, int axis) {
  std::vector<Tensor<B>> raised;
  for (const Tensor<B>& part : parts) raised.push_back(unsqueeze(part, axis));
  return concat(raised, axis);
}

}  // namespace chronotope
