#pragma once
// Tokenizers: places, categories and positions to the numbers that a model knows.

#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "chronotope/components/actions.hpp"

namespace chronotope {

/// What a tokenizer must offer. Token 0 is the unknown place, category 0 the unknown category.
///   places()              P, the unknown place included
///   place_token(id)       0 for an id that is not known
///   category_token(name)  0 for a name that is not known
///   geo_rows(lat, lon)    rows of the twelve geo tables for a position in degrees
template <class T>
concept Tokenizer = requires(const T& t, std::string_view text, double degrees) {
  { t.places() } -> std::convertible_to<std::int64_t>;
  { t.place_token(text) } -> std::same_as<std::int32_t>;
  { t.category_token(text) } -> std::same_as<std::int32_t>;
  { t.geo_rows(degrees, degrees) } -> std::same_as<std::array<std::int32_t, geo_parts>>;
};

/// How a position becomes twelve cells.
enum class GeoCells : std::uint8_t {
  geohash,  ///< the geohash prefixes of length 1 to 12 (Spacetime-GR, 4.1.2)
  grid      ///< twelve shifted square grids, 36 km down to 200 m: finer steps within one city
};

/// A place as the tokenizer keeps it.
struct Place {
  std::string id;
  std::string category;            ///< "" when not known
  double latitude = 0, longitude = 0;  ///< degrees
};

/// One token a place (the single-level index of Spacetime-GR, 4.2.2).
class PlaceTokenizer {
 public:
  PlaceTokenizer() = default;
  /// Tokens 1, 2, … in the order given. Throws DataError on a doubled id, ConfigError when geo_table_rows < 1.
  PlaceTokenizer(std::vector<Place> places, GeoCells cells, std::int32_t geo_table_rows);

  std::int64_t places() const { return static_cast<std::int64_t>(places_.size()) + 1; }
  std::int64_t categories() const { return static_cast<std::int64_t>(categories_.size()) + 1; }
  std::int32_t geo_table_rows() const { return geo_table_rows_; }
  GeoCells cells() const { return cells_; }

  std::int32_t place_token(std::string_view id) const;
  std::int32_t category_token(std::string_view name) const;
  std::array<std::int32_t, geo_parts> geo_rows(double latitude, double longitude) const;

  /// The place of token 1 … places() - 1.
  const Place& place(std::int32_t token) const { return places_[static_cast<std::size_t>(token) - 1]; }

  /// As JSON text and back; parse throws FormatError.
  std::string to_json() const;
  static PlaceTokenizer parse(const std::string& json);

 private:
  std::vector<Place> places_;
  std::vector<std::string> categories_;  ///< of the places, ascending
  std::unordered_map<std::string, std::int32_t> token_, category_token_;
  GeoCells cells_ = GeoCells::geohash;
  std::int32_t geo_table_rows_ = 2048;
};

static_assert(Tokenizer<PlaceTokenizer>);

}  // namespace chronotope
