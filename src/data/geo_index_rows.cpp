#include "geo_index_rows.hpp"

#include <algorithm>
#include <utility>

#include "chronotope/core/error.hpp"
#include "csv.hpp"

namespace chronotope::geo {

PlaceCode Rows::code(std::uint32_t row) const {
  const std::vector<std::uint32_t>& first = draft_.plan.first;
  const auto next = std::upper_bound(first.begin(), first.end(), row);
  return {static_cast<std::uint32_t>(next - first.begin()), row - *(next - 1) + 1};
}

void Rows::refuse_same(std::uint32_t row, std::uint32_t other) const {
  if (draft_.plan.source[row] > draft_.plan.source[other]) std::swap(row, other);
  if (!is_new(other)) draft_.old->fail("the id " + shown(id(other)) + " stands twice in it");
  const std::string title = draft_.places->title(place(other)) + ": the id " + shown(id(other));
  if (is_new(row))
    throw DataError(title + " stands twice, first at " + draft_.places->title(place(row)) +
                    "; every place needs an id of its own");
  throw DataError(title + " is in the index already: block " + std::to_string(code(row).block) + ", inner id " +
                  std::to_string(code(row).inner) + "; leave the place out, or remove the old one first");
}

}  // namespace chronotope::geo
