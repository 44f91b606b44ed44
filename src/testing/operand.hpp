#pragma once
// An operand of a test case: elements laid out some way inside a block of device memory, with a host image of every
// byte of that block. Guard zones, gaps and fresh elements hold a poison pattern: NaN for floats, 0xA5 for integers.

#include <cstring>
#include <string>
#include <vector>

#include "chronotope/testing/conformance/target.hpp"

namespace chronotope::testing {

/// How the elements of an operand lie in memory. The last three repeat elements and are for inputs only.
enum class Layout {
  contiguous,
  transposed,         ///< axes in reverse order
  matrix_transposed,  ///< the last two axes swapped
  padded,             ///< a slice: rows with gaps, from an odd element on, strides of extents of 1 without meaning
  stepped,            ///< every second element
  rows_repeated,      ///< stride 0 on the first axis
  columns_repeated,   ///< stride 0 on the last axis
  repeated,           ///< stride 0 everywhere
};
inline constexpr int output_layouts = 5, input_layouts = 8;
inline bool repeats(Layout layout) { return layout >= Layout::rows_repeated; }

inline Strides layout_strides(const Shape& shape, Layout layout) {
  const int rank = shape.rank();
  Strides strides = contiguous_strides(shape);
  std::int64_t step = layout == Layout::stepped ? 2 : 1;
  const std::int64_t gap = layout == Layout::padded ? 3 : 1;
  if (layout == Layout::transposed) {
    for (int i = 0; i < rank; ++i) {
      strides[i] = step;
      step *= shape[i] > 0 ? shape[i] : 1;
    }
  } else if (layout == Layout::padded || layout == Layout::stepped) {
    for (int i = rank - 1; i >= 0; --i) {
      strides[i] = layout == Layout::padded && shape[i] == 1 ? 12345 : step;
      step = step * shape[i] + gap;
    }
  } else if (layout == Layout::matrix_transposed && rank >= 2) {
    strides[rank - 1] = shape[rank - 2] > 0 ? shape[rank - 2] : 1;
    strides[rank - 2] = 1;
  } else if (layout == Layout::repeated) {
    strides = {};
  } else if (rank > 0 && layout == Layout::rows_repeated) {
    strides[0] = 0;
  } else if (rank > 0 && layout == Layout::columns_repeated) {
    strides[rank - 1] = 0;
  }
  return strides;
}

/// Position of row-major element `i` along each axis.
inline std::array<std::int64_t, max_rank> position(const Shape& shape, std::int64_t i) {
  std::array<std::int64_t, max_rank> at{};
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    at[axis] = i % shape[axis];
    i /= shape[axis];
  }
  return at;
}

inline std::string list(const std::int64_t* first, int n, const char* brackets) {
  std::string text(1, brackets[0]);
  for (int i = 0; i < n; ++i) text += (i ? ", " : "") + std::to_string(first[i]);
  return text + brackets[1];
}

template <Element T> class Operand {
 public:
  static constexpr std::size_t guard = 256;  ///< bytes before and after

  Operand(const Target& target, const Shape& shape, Layout layout = Layout::contiguous)
      : target_(target),
        first_(layout == Layout::padded    ? 3
               : layout == Layout::stepped ? 1
                                           : 0) {
    view_ = {nullptr, dtype_of<T>, shape, layout_strides(shape, layout)};
    std::int64_t last = first_;
    for (std::int64_t i = 0, n = shape.elements(); i < n; ++i) {
      std::int64_t at = first_;
      const auto where = position(shape, i);
      for (int axis = 0; axis < shape.rank(); ++axis) at += where[axis] * view_.strides[axis];
      places_.push_back(guard + static_cast<std::size_t>(at) * sizeof(T));
      last = at > last ? at : last;
    }
    image_.assign(2 * guard + static_cast<std::size_t>(last + 1) * sizeof(T),
                  std::is_floating_point_v<T> ? 0xFF : 0xA5);
  }
  Operand(const Operand&) = delete;
  Operand& operator=(const Operand&) = delete;
  ~Operand() {
    if (memory_) target_.deallocate(memory_);
  }

  std::int64_t size() const { return static_cast<std::int64_t>(places_.size()); }
  const Shape& shape() const { return view_.shape; }

  /// Row-major element `i` before the call under test.
  T operator[](std::int64_t i) const { return read(image_, i); }
  void set(std::int64_t i, T value) { std::memcpy(image_.data() + places_[i], &value, sizeof(T)); }
  template <class F> void set_all(F&& value) {
    for (std::int64_t i = 0; i < size(); ++i) set(i, static_cast<T>(value(i)));
  }

  /// The view to hand to the backend; the first call uploads the image.
  const View& view() {
    if (!memory_) {
      memory_ = target_.allocate(image_.size());
      target_.upload(memory_, image_.data(), image_.size());
      view_.data = static_cast<unsigned char*>(memory_) + guard + static_cast<std::size_t>(first_) * sizeof(T);
    }
    return view_;
  }

  /// Fetches what the call under test left behind.
  void fetch() {
    result_.resize(image_.size());
    target_.download(result_.data(), memory_, result_.size());
  }
  T result(std::int64_t i) const { return read(result_, i); }

  /// First byte outside the elements that changed, -1 if none did. All bytes count with `elements_too`.
  std::ptrdiff_t stray_write(bool elements_too) const {
    auto outside = result_;
    if (!elements_too)
      for (const std::size_t place : places_) std::memcpy(outside.data() + place, image_.data() + place, sizeof(T));
    for (std::size_t i = 0; i < outside.size(); ++i)
      if (outside[i] != image_[i]) return static_cast<std::ptrdiff_t>(i);
    return -1;
  }
  std::size_t bytes() const { return image_.size(); }

  std::string describe() const {
    return std::string(to_string(view_.dtype)) + " " + to_string(view_.shape) + " strides " +
           list(view_.strides.data(), view_.shape.rank(), "()");
  }

 private:
  T read(const std::vector<unsigned char>& from, std::int64_t i) const {
    T value;
    std::memcpy(&value, from.data() + places_[i], sizeof(T));
    return value;
  }

  const Target& target_;
  std::int64_t first_;  ///< element at which the view starts, after the guard
  View view_;
  std::vector<std::size_t> places_;  ///< byte offset of each row-major element
  std::vector<unsigned char> image_, result_;
  void* memory_ = nullptr;
};

}  // namespace chronotope::testing
