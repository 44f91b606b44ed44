#include "chronotope/data/place_catalogue.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include "chronotope/core/error.hpp"
#include "core/fingerprint.hpp"

namespace chronotope {

PlaceCodes place_codes(const std::string& name) {
  if (name == "hierarchical") return PlaceCodes::hierarchical;
  if (name == "category") return PlaceCodes::category;
  if (name == "hashed") return PlaceCodes::hashed;
  if (name == "single") return PlaceCodes::single;
  throw ConfigError("places have codes of the kind hierarchical, category, hashed or single, not \"" + name + "\"");
}

PlaceCatalogue::PlaceCatalogue(GeoIndex index, PlaceCodes codes) : index_(std::move(index)), codes_(codes), first_{1} {
  for (std::uint32_t block = 1; block <= index_.blocks(); ++block) {
    const std::uint64_t next = std::uint64_t{first_.back()} + index_.inners(block);
    if (next > INT32_MAX) throw DataError(index_.path() + ": more than 2^31 places cannot be numbered");
    first_.push_back(static_cast<std::uint32_t>(next));
  }
  largest_inner_ = codes == PlaceCodes::single ? places() : index_.largest_block();
  if (codes == PlaceCodes::hashed) deal();
  if (codes == PlaceCodes::category) number_by_category();
}

void PlaceCatalogue::deal() {
  std::vector<std::uint64_t> keys(places() + 1);
  for (std::uint32_t n = 1; n <= places(); ++n) {
    const auto known = index_.place(code_at(n));
    Fingerprint hash;
    if (known) hash.add(std::span<const char>(known->id));
    else hash.add(n);  // a removed place has no id any more
    keys[n] = hash.value();
  }
  std::vector<std::uint32_t> order(places());
  std::iota(order.begin(), order.end(), 1u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return keys[a] != keys[b] ? keys[a] < keys[b] : a < b; });
  dealt_.assign(places() + 1, 0), back_.assign(places() + 1, 0);
  for (std::uint32_t i = 0; i < order.size(); ++i) dealt_[order[i]] = i + 1, back_[i + 1] = order[i];
}

// Categories in alphabetical order, each with as many rows as the block that has most of it; removed places, whose category is gone, come last.
void PlaceCatalogue::number_by_category() {
  struct Rows {
    std::uint32_t most = 0, here = 0, block = 0, before = 0;
  };
  std::map<std::pair<bool, std::string>, Rows> categories;
  std::vector<const Rows*> of(places() + 1);
  dealt_.assign(places() + 1, 0), back_.assign(places() + 1, 0);
  for (std::uint32_t block = 1; block <= index_.blocks(); ++block)
    for (std::uint32_t n = first_[block - 1]; n < first_[block]; ++n) {
      const auto known = index_.place(code_at(n));
      Rows& rows = categories[{!known, known ? std::string(known->category) : ""}];
      if (rows.block != block) rows.block = block, rows.here = 0;
      dealt_[n] = ++rows.here, rows.most = std::max(rows.most, rows.here), of[n] = &rows;
    }
  std::uint32_t before = 0;
  for (auto& [category, rows] : categories) rows.before = before, before += rows.most;
  largest_inner_ = before;
  std::iota(back_.begin(), back_.end(), 0u);
  for (std::uint32_t n = 1; n <= places(); ++n) dealt_[n] += of[n]->before;
  for (std::uint32_t block = 1; block <= index_.blocks(); ++block)
    std::sort(back_.begin() + first_[block - 1], back_.begin() + first_[block], [&](std::uint32_t a, std::uint32_t b) { return dealt_[a] < dealt_[b]; });
}

PlaceCode PlaceCatalogue::code_at(std::uint32_t number) const {
  const auto block = static_cast<std::uint32_t>(std::upper_bound(first_.begin(), first_.end(), number) - first_.begin());
  return {block, number - first_[block - 1] + 1};
}

std::uint32_t PlaceCatalogue::number(std::string_view id) const {
  const auto code = index_.find(id);
  return code ? at(*code) : 0;
}

PlaceCode PlaceCatalogue::tokens(std::uint32_t number) const {
  if (number == 0 || number > places()) return {};
  if (codes_ == PlaceCodes::single) return {0, number};
  if (codes_ == PlaceCodes::category) return {code_at(number).block, dealt_[number]};
  return code_at(codes_ == PlaceCodes::hashed ? dealt_[number] : number);
}

std::uint32_t PlaceCatalogue::number(PlaceCode tokens) const {
  if (tokens.inner == 0 || tokens.inner > inners(tokens.block)) return 0;
  if (codes_ == PlaceCodes::single) return tokens.inner;
  if (codes_ == PlaceCodes::category) {
    const auto first = back_.begin() + first_[tokens.block - 1], last = back_.begin() + first_[tokens.block];
    const auto found = std::lower_bound(first, last, tokens.inner, [&](std::uint32_t n, std::uint32_t inner) { return dealt_[n] < inner; });
    return found != last && dealt_[*found] == tokens.inner ? *found : 0;
  }
  return codes_ == PlaceCodes::hashed ? back_[at(tokens)] : at(tokens);
}

std::uint32_t PlaceCatalogue::inners(std::uint32_t block) const {
  if (codes_ == PlaceCodes::single) return block == 0 ? places() : 0;
  if (block == 0 || block > index_.blocks()) return 0;
  return codes_ == PlaceCodes::category ? static_cast<std::uint32_t>(largest_inner_) : first_[block] - first_[block - 1];
}

std::optional<IndexedPlace> PlaceCatalogue::place(std::uint32_t number) const {
  if (number == 0 || number > places()) return {};
  return index_.place(code_at(number));
}

}  // namespace chronotope
