#pragma once
// What the behaviour modules share: keys without padding, host numbers on the device.

#include <algorithm>
#include <cmath>
#include <string>

#include "chronotope/components/click_inputs.hpp"
#include "chronotope/nn/softmax_among.hpp"
#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/nn.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

/// Where the column of this name stands in ClickSchema::ids or ::behaviour_ids, and so in ClickBatch. Throws ConfigError
/// with the names there are.
inline std::size_t column_of(const std::vector<ClickSchema::Ids>& columns, const std::string& name) {
  std::string names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return i;
    names += (i ? ", " : "") + columns[i].name;
  }
  throw ConfigError("a behaviour module needs the column " + name + "; the log has " + (names.empty() ? "none" : names));
}

/// The keys [B, k, d_k] with zeros in padding. Throws ShapeError when they are not those of the host's samples.
template <Backend B> Tensor<B> kept_keys(const ClickInputs<B>& x, const ClickWidths& widths) {
  const Shape expected{x.host.samples, x.host.kept, widths.key};
  if (!(x.keys.shape() == expected))
    throw ShapeError("[behaviour] keys are " + to_string(x.keys.shape()) + ", samples, kept behaviours and width of keys say " + to_string(expected));
  return where(unsqueeze(x.valid, 2), x.keys, scalar_like(x.keys, 0));
}

namespace detail {

/// `value` where it is below `count`, as an index; else a DataError that says which `what` it was.
inline std::size_t index_below(const char* what, std::int32_t value, std::int32_t count) {
  if (value < 0 || value >= count)
    throw DataError("a click batch has the " + std::string(what) + " " + std::to_string(value) + "; 0 to " + std::to_string(count - 1) + " are possible");
  return static_cast<std::size_t>(value);
}

/// Hours between two hours of the day the shorter way round the clock, 0 to 12. Throws DataError for what is no hour.
inline std::int32_t clock_distance(std::int32_t a, std::int32_t b) {
  const auto apart = std::abs(static_cast<std::int32_t>(index_below("hour", a, 24)) - static_cast<std::int32_t>(index_below("hour", b, 24)));
  return std::min(apart, 24 - apart);
}

/// Deviation of initial weights that keeps a layer's output as large as its input.
inline double fan_in(std::int64_t in) { return 1 / std::sqrt(static_cast<double>(in)); }

/// Ids or flags on the device of `like`.
template <Backend B, class T> Tensor<B> upload(const Tensor<B>& like, const std::vector<T>& values, const Shape& shape) {
  return Tensor<B>::from_host(like.state(), std::span<const T>(values), shape);
}
/// Numbers on the device of `like`, in its dtype.
template <Backend B> Tensor<B> upload(const Tensor<B>& like, const std::vector<double>& values, const Shape& shape) {
  if (like.dtype() == DType::f64) return Tensor<B>::from_host(like.state(), std::span<const double>(values), shape);
  return upload(like, std::vector<float>(values.begin(), values.end()), shape);
}

/// One value for every kept behaviour, [B k]: f(sample, place in [B, k]); T() in padding.
template <class T, class F> std::vector<T> of_kept(const ClickBatch& host, F f) {
  std::vector<T> values(host.valid.size(), T());
  for (std::size_t i = 0; i < values.size(); ++i)
    if (host.valid[i]) values[i] = f(i / static_cast<std::size_t>(host.kept), i);
  return values;
}

}  // namespace detail
}  // namespace chronotope
