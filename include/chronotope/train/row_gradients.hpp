#pragma once
// Gradients of embedding tables as rows.

#include <unordered_map>

#include "chronotope/autograd/node.hpp"

namespace chronotope {

/// Each looked-up row of `table` once, in the order of first look-up, its gradients added up in the order in which they came: ids [U] i32 and rows
/// [U, ...]. The ids come to the host: O(rows looked up).
template <Backend B> typename Gradient<B>::Rows merged_rows(const Gradient<B>& gradient, const Tensor<B>& table) {
  std::unordered_map<std::int32_t, std::int32_t> place;
  std::vector<std::int32_t> unique;
  std::vector<std::vector<std::int32_t>> places;
  for (const auto& part : gradient.rows) {
    places.emplace_back();
    for (std::int32_t id : part.ids.template to_host<std::int32_t>()) {
      const auto [at, fresh] = place.emplace(id, static_cast<std::int32_t>(unique.size()));
      if (fresh) unique.push_back(id);
      places.back().push_back(at->second);
    }
  }
  Shape shape = table.shape();
  shape[0] = static_cast<std::int64_t>(unique.size());
  const Tensor<B> sum = full<B>(table.state(), shape, 0, table.dtype());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto n = static_cast<std::int64_t>(places[i].size());
    const Tensor<B> ids = Tensor<B>::from_host(table.state(), std::span<const std::int32_t>(places[i]), {n});
    if (gradient.rows[i].rows.elements()) B::scatter_add(table.stream(), sum.view(), ids.view(), gradient.rows[i].rows.view());
  }
  return {Tensor<B>::from_host(table.state(), std::span<const std::int32_t>(unique), {shape[0]}), sum};
}

}  // namespace chronotope
