#include "chronotope/data/place_catalogue.hpp"

#include <algorithm>
#include <numeric>

#include "chronotope/core/error.hpp"
#include "core/fingerprint.hpp"

namespace chronotope {

PlaceCodes place_codes(const std::string& name) {
  if (name == "hierarchical") return PlaceCodes::hierarchical;
  if (name == "hashed") return PlaceCodes::hashed;
  if (name == "single") return PlaceCodes::single;
  throw ConfigError("places have codes of the kind hierarchical, hashed or single, not \"" + name + "\"");
}

PlaceCatalogue::PlaceCatalogue(GeoIndex index, PlaceCodes codes) : index_(std::move(index)), codes_(codes), first_{1} {
  for (std::uint32_t block = 1; block <= index_.blocks(); ++block) {
    const std::uint64_t next = std::uint64_t{first_.back()} + index_.inners(block);
    if (next > INT32_MAX) throw DataError(index_.path() + ": more than 2^31 places cannot be numbered");
    first_.push_back(static_cast<std::uint32_t>(next));
  }
  if (codes != PlaceCodes::hashed) return;
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
  return code_at(codes_ == PlaceCodes::hashed ? dealt_[number] : number);
}

std::uint32_t PlaceCatalogue::number(PlaceCode tokens) const {
  if (tokens.inner == 0 || tokens.inner > inners(tokens.block)) return 0;
  if (codes_ == PlaceCodes::single) return tokens.inner;
  return codes_ == PlaceCodes::hashed ? back_[at(tokens)] : at(tokens);
}

std::uint32_t PlaceCatalogue::inners(std::uint32_t block) const {
  if (codes_ == PlaceCodes::single) return block == 0 ? places() : 0;
  return block == 0 || block > index_.blocks() ? 0 : first_[block] - first_[block - 1];
}

std::optional<IndexedPlace> PlaceCatalogue::place(std::uint32_t number) const {
  if (number == 0 || number > places()) return {};
  return index_.place(code_at(number));
}

}  // namespace chronotope
