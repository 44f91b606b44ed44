#include "chronotope/core/shape.hpp"

#include <algorithm>
#include <limits>

#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

constexpr std::int64_t most_elements = std::numeric_limits<std::int64_t>::max() / 8;  // of the widest type, in bytes

}  // namespace

const char* to_string(DType t) {
  constexpr const char* names[] = {"f32", "f64", "i32", "i64", "u8"};
  return names[static_cast<int>(t)];
}

Shape::Shape(std::initializer_list<std::int64_t> extents) {
  for (std::int64_t extent : extents) push_back(extent);
}

void Shape::push_back(std::int64_t extent) {
  if (rank_ == max_rank) throw ShapeError("a shape has at most 8 axes");
  if (extent < 0) throw ShapeError("extents must not be negative, got " + std::to_string(extent));
  extents_[rank_++] = extent;
}

std::int64_t Shape::elements() const {
  if (std::find(begin(), end(), 0) != end()) return 0;
  std::int64_t n = 1;
  for (std::int64_t extent : *this) {
    if (extent == 0) return 0;
    if (n > most_elements / extent) throw ShapeError("too many elements in shape " + to_string(*this));
    n *= extent;
  }
  return n;
}

int Shape::axis(int axis) const {
  const int found = axis < 0 ? axis + rank_ : axis;
  if (found < 0 || found >= rank_)
    throw ShapeError("axis " + std::to_string(axis) + " does not exist in shape " + to_string(*this));
  return found;
}

bool operator==(const Shape& a, const Shape& b) {
  return a.rank_ == b.rank_ && std::equal(a.begin(), a.end(), b.begin());
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (int i = 0; i < shape.rank(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

Strides contiguous_strides(const Shape& shape) {
  Strides strides{};
  std::int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

Shape broadcast(const Shape& a, const Shape& b, const char* operation) {
  const int rank = std::max(a.rank(), b.rank());
  Shape out;
  for (int i = 0; i < rank; ++i) {
    const std::int64_t x = i < rank - a.rank() ? 1 : a[i - rank + a.rank()];
    const std::int64_t y = i < rank - b.rank() ? 1 : b[i - rank + b.rank()];
    if (x != y && x != 1 && y != 1)
      throw ShapeError("[" + std::string(operation) + "] shapes do not broadcast: " + to_string(a) + " with " +
                       to_string(b) + " (" + std::to_string(x) + " against " + std::to_string(y) + ")");
    out.push_back(x == 1 ? y : x);
  }
  return out;
}

bool View::contiguous() const {
  std::int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (shape[i] != 1 && strides[i] != step) return false;
    step *= shape[i];
  }
  return true;
}

View contiguous_view(void* data, DType dtype, const Shape& shape) {
  return {data, dtype, shape, contiguous_strides(shape)};
}

}  // namespace chronotope
