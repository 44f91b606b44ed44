#include "chronotope/components/tokenizer.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "chronotope/core/error.hpp"
#include "chronotope/data/geohash.hpp"

namespace chronotope {
namespace {

std::int32_t find(const std::unordered_map<std::string, std::int32_t>& map, std::string_view name) {
  const auto found = map.find(std::string(name));
  return found == map.end() ? 0 : found->second;
}

}  // namespace

PlaceTokenizer::PlaceTokenizer(std::vector<Place> places, GeoCells cells, std::int32_t geo_table_rows)
    : places_(std::move(places)), cells_(cells), geo_table_rows_(geo_table_rows) {
  if (geo_table_rows < 1) throw ConfigError("model.geo_rows must be at least 1, is " + std::to_string(geo_table_rows));
  std::set<std::string> names;
  for (const Place& place : places_) {
    if (!token_.emplace(place.id, static_cast<std::int32_t>(token_.size()) + 1).second)
      throw DataError("the place \"" + place.id + "\" is listed twice");
    if (!place.category.empty()) names.insert(place.category);
  }
  categories_.assign(names.begin(), names.end());
  for (const std::string& name : categories_) category_token_.emplace(name, static_cast<std::int32_t>(category_token_.size()) + 1);
}

namespace {

GeoCells parse_cells(const std::string& name) {
  if (name != "geohash" && name != "grid") throw FormatError("the vocabulary is damaged: geo is \"" + name + "\"");
  return name == "grid" ? GeoCells::grid : GeoCells::geohash;
}

Place parse_place(const nlohmann::json& p) {
  Place place{p.at(0).get<std::string>(), p.at(1).get<std::string>(), p.at(2).get<double>(), p.at(3).get<double>()};
  if (!(std::abs(place.latitude) <= 90 && std::abs(place.longitude) <= 180))
    throw FormatError("the vocabulary is damaged: place \"" + place.id + "\" is nowhere on earth");
  return place;
}

}  // namespace

std::int32_t PlaceTokenizer::place_token(std::string_view id) const { return find(token_, id); }
std::int32_t PlaceTokenizer::category_token(std::string_view name) const { return find(category_token_, name); }

std::array<std::int32_t, geo_parts> PlaceTokenizer::geo_rows(double latitude, double longitude) const {
  const auto cells = cells_ == GeoCells::geohash ? geohash_prefixes(latitude, longitude) : grid_cells(latitude, longitude);
  std::array<std::int32_t, geo_parts> rows{};
  for (std::size_t level = 0; level < geo_parts; ++level) rows[level] = hashed_row(cells[level], static_cast<int>(level), geo_table_rows_);
  return rows;
}

std::string PlaceTokenizer::to_json() const {
  nlohmann::json places = nlohmann::json::array();
  for (const Place& p : places_) places.push_back({p.id, p.category, p.latitude, p.longitude});
  return nlohmann::json{{"geo", cells_ == GeoCells::geohash ? "geohash" : "grid"}, {"geo_rows", geo_table_rows_}, {"places", places}}.dump();
}

PlaceTokenizer PlaceTokenizer::parse(const std::string& json) {
  try {
    const auto content = nlohmann::json::parse(json);
    std::vector<Place> places;
    for (const auto& p : content.at("places")) places.push_back(parse_place(p));
    const auto rows = content.at("geo_rows").get<std::int64_t>();
    if (rows < 1 || rows > std::numeric_limits<std::int32_t>::max()) throw FormatError("the vocabulary is damaged: geo_rows is " + std::to_string(rows));
    return PlaceTokenizer(std::move(places), parse_cells(content.at("geo").get<std::string>()), static_cast<std::int32_t>(rows));
  } catch (const nlohmann::json::exception& e) {
    throw FormatError("the vocabulary is damaged: " + std::string(e.what()));
  } catch (const DataError& e) {
    throw FormatError("the vocabulary is damaged: " + std::string(e.what()));
  }
}

}  // namespace chronotope
