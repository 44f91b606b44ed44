#pragma once
// Extents, strides and the strided view that backends work on.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "chronotope/core/dtype.hpp"

namespace chronotope {

inline constexpr int max_rank = 8;

/// Extents of up to eight axes. An empty shape is a scalar.
class Shape {
 public:
  Shape() = default;
  /// Throws ShapeError on more than max_rank axes or a negative extent.
  Shape(std::initializer_list<std::int64_t> extents);

  int rank() const { return rank_; }
  /// Extent of an axis; negative axes count from the end. No check: use axis() on user input.
  std::int64_t operator[](int axis) const { return extents_[axis < 0 ? axis + rank_ : axis]; }
  std::int64_t& operator[](int axis) { return extents_[axis < 0 ? axis + rank_ : axis]; }
  /// Throws ShapeError when they are more than 64 bits can address.
  std::int64_t elements() const;
  /// 0-based axis for one that may count from the end; throws ShapeError when there is none.
  int axis(int axis) const;
  void push_back(std::int64_t extent);
  const std::int64_t* begin() const { return extents_.data(); }
  const std::int64_t* end() const { return extents_.data() + rank_; }
  friend bool operator==(const Shape& a, const Shape& b);

 private:
  std::array<std::int64_t, max_rank> extents_{};
  int rank_ = 0;
};

/// "[2, 3, 4]"
std::string to_string(const Shape& shape);

/// Strides in elements; entries past the rank are not read.
using Strides = std::array<std::int64_t, max_rank>;

/// Row-major strides of a shape.
Strides contiguous_strides(const Shape& shape);

/// Shape that both broadcast to (trailing axes aligned, an extent of 1 stretches); throws ShapeError naming `operation`.
Shape broadcast(const Shape& a, const Shape& b, const char* operation);

/// What a backend sees: device memory, element type, extents and strides. Does not own anything.
struct View {
  void* data = nullptr;
  DType dtype = DType::f32;
  Shape shape;
  Strides strides{};

  template <Element T> T* as() const { return static_cast<T*>(data); }
  bool contiguous() const;
  std::int64_t elements() const { return shape.elements(); }
};

/// A row-major view of memory.
View contiguous_view(void* data, DType dtype, const Shape& shape);

}  // namespace chronotope
