#pragma once
// Random views, double references and the tolerance for tests of the f32 kernels.

#include <doctest/doctest.h>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "chronotope/backend/onednn_backend.hpp"

namespace chronotope::test {

using Fast = onednn_backend;

/// One seed for a run, printed with a failure through CAPTURE(seed()).
inline unsigned seed() {
  static const unsigned value = std::random_device{}();
  return value;
}

inline std::mt19937& generator() {
  static std::mt19937 g(seed());
  return g;
}

inline const std::vector<int>& thread_counts() {
  static const std::vector<int> counts{1, 2, 3};
  return counts;
}

/// A tensor with its memory: a view into a larger, poisoned block, so that writes outside it are seen.
class Block {
 public:
  Block(DType dtype, const Shape& shape) : Block(dtype, shape, shape) {}

  /// A view [shape] in the first entries of every axis of a dense block [outer].
  Block(DType dtype, const Shape& shape, const Shape& outer)
      : bytes_(size_of(dtype) * (static_cast<std::size_t>(outer.elements()) + 2 * guard), poison) {
    view_ = contiguous_view(bytes_.data() + guard * size_of(dtype), dtype, outer);
    view_.shape = shape;
  }
  Block(const Block&) = delete;
  Block(Block&&) = default;

  const View& view() const { return view_; }
  operator const View&() const { return view_; }
  /// Everything that belongs to the view and everything that does not.
  std::vector<unsigned char> bytes() const { return bytes_; }
  bool guards_intact() const {
    const std::size_t n = guard * size_of(view_.dtype);
    for (std::size_t i = 0; i < n; ++i) {
      if (bytes_[i] != poison || bytes_[bytes_.size() - 1 - i] != poison) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t guard = 64;
  static constexpr unsigned char poison = 0xff;  // NaN as a float
  std::vector<unsigned char> bytes_;
  View view_;
};

/// Element offset of the i-th element in row-major order.
inline std::int64_t offset(const View& v, std::int64_t i) {
  std::int64_t at = 0;
  for (int axis = v.shape.rank() - 1; axis >= 0; --axis) {
    at += i % v.shape[axis] * v.strides[axis];
    i /= v.shape[axis];
  }
  return at;
}

inline double get(const View& v, std::int64_t i) {
  return dispatch(v.dtype, [&](auto zero) { return static_cast<double>(v.as<decltype(zero)>()[offset(v, i)]); });
}

inline void set(const View& v, std::int64_t i, double x) {
  dispatch(v.dtype, [&](auto zero) { v.as<decltype(zero)>()[offset(v, i)] = static_cast<decltype(zero)>(x); });
}

inline void randomise(const View& v, double low = -2, double high = 2) {
  std::uniform_real_distribution<double> draw(low, high);
  for (std::int64_t i = 0; i < v.elements(); ++i) set(v, i, draw(generator()));
}

inline Block random_block(const Shape& shape, double low = -2, double high = 2) {
  Block block(DType::f32, shape);
  randomise(block, low, high);
  return block;
}

inline Block random_ids(DType dtype, std::int64_t n, std::int64_t below) {
  Block block(dtype, {n});
  for (std::int64_t i = 0; i < n; ++i)
    set(block, i, static_cast<double>(generator()() % static_cast<std::uint64_t>(below)));
  return block;
}

inline View permuted(View v, std::vector<int> order) {
  View out = v;
  for (int i = 0; i < v.shape.rank(); ++i) out.shape[i] = v.shape[order[i]], out.strides[i] = v.strides[order[i]];
  return out;
}

/// The view with an axis repeated n times.
inline View repeated(View v, int axis, std::int64_t n) {
  v.shape[axis] = n;
  v.strides[axis] = 0;
  return v;
}

/// A number and the root of the summed squares of the terms it was added up from: sqrt(K) * rms(terms).
struct Reference {
  double value = 0, square = 0;
  void add(double term) { value += term, square += term * term; }
  void add(const Reference& term) { value += term.value, square += term.square; }
};

/// |a - r| <= 8 u (sqrt(K) rms + |r|), with u the unit roundoff of f32.
inline bool close(double got, double want, double terms) {
  if (std::isnan(want)) return std::isnan(got);
  if (std::isinf(want)) return got == want;
  return std::abs(got - want) <= 8 * 0x1p-24 * (terms + std::abs(want)) + 0x1p-149;
}

/// Every element of `got` against reference(i) -> Reference; says where the first one differs.
template <class F> void check_all(const char* what, const View& got, F&& reference) {
  for (std::int64_t i = 0; i < got.elements(); ++i) {
    const Reference r = reference(i);
    if (close(get(got, i), r.value, std::sqrt(r.square))) continue;
    INFO("of ", std::string(what));
    CAPTURE(seed());
    CAPTURE(to_string(got.shape));
    CAPTURE(i);
    CAPTURE(r.square);
    CHECK(get(got, i) == r.value);
    return;
  }
  CHECK(true);
}

/// Runs f(stream) with several thread counts, twice each; `bytes` of all outputs must not change from run to run.
inline void with_threads(const std::vector<const Block*>& outputs, const std::function<void(Fast::stream&)>& f) {
  for (const int threads : thread_counts()) {
    CAPTURE(threads);
    Fast::stream stream(threads);
    CHECK(stream.threads() == threads);
    f(stream);
    std::vector<std::vector<unsigned char>> first;
    for (const Block* block : outputs) first.push_back(block->bytes());
    f(stream);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      CHECK(outputs[i]->guards_intact());
      CHECK(outputs[i]->bytes() == first[i]);
    }
  }
}

}  // namespace chronotope::test
