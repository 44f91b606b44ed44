#pragma once
// Invented places for tests of the geographic index.

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "chronotope/data/geo_index_folder.hpp"
#include "scratch.hpp"

namespace geo_places {

/// A place that owns its texts.
struct Place {
  std::string id;
  double latitude = 0, longitude = 0, popularity = 0;
  std::string category;

  chronotope::IndexedPlace view() const { return {id, latitude, longitude, popularity, category}; }
};

inline chronotope::PlaceList list_of(const std::vector<Place>& places) {
  chronotope::PlaceList list;
  for (const Place& p : places) list.add(p.view());
  return list;
}

/// Uniform on the sphere.
inline Place anywhere(std::mt19937_64& random) {
  std::uniform_real_distribution<double> unit(0, 1);
  return {"", std::asin(2 * unit(random) - 1) * 57.29577951308232, -180 + 360 * unit(random), 0, ""};
}

/// Half in a few cities, one of them across the date line; half anywhere. Ids of all lengths to 40, popularity with
/// ties.
inline std::vector<Place> world(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0, 0.1);
  const double cities[][2] = {{40.7, -74}, {31.2, 121.5}, {-17.8, 180}, {64.1, -21.9}, {0, 0}};
  std::vector<Place> places;
  for (std::size_t i = 0; i < count; ++i) {
    Place p = anywhere(random);
    if (i % 2) {
      const auto& city = cities[random() % 5];
      p.latitude = city[0] + normal(random), p.longitude = city[1] + normal(random);
      if (p.longitude > 180) p.longitude -= 360;
    }
    p.id = std::to_string(seed) + "-" + std::to_string(i) + std::string(random() % 30, 'x');
    p.popularity = static_cast<double>(random() % 50);
    if (i % 3) p.category = "category " + std::to_string(random() % 40);
    places.push_back(p);
  }
  return places;
}

/// An index in a folder of its own, of one file.
class Built {
 public:
  explicit Built(const std::vector<Place>& places, const chronotope::GeoIndexOptions& options = {}) {
    chronotope::build_geo_index(list_of(places), path(), options);
  }
  std::string path() const { return folder_.file("index"); }
  chronotope::GeoIndex open() const { return chronotope::GeoIndex(path()); }

 private:
  scratch::Folder folder_;
};

inline bool same(const chronotope::IndexedPlace& a, const Place& b) {
  return a.id == b.id && a.latitude == b.latitude && a.longitude == b.longitude && a.popularity == b.popularity &&
         a.category == b.category;
}

/// How many of the places are not where they should be: found by id, the same place by code, in the block of their
/// position, in its box.
inline int misplaced(const chronotope::GeoIndex& index, const std::vector<Place>& places) {
  int wrong = 0;
  for (const Place& p : places) {
    const auto code = index.find(p.id);
    const auto back = code ? index.place(*code) : std::nullopt;
    if (!back || !same(*back, p) || index.block_at(p.latitude, p.longitude) != code->block ||
        distance_km(index.box(code->block), p.latitude, p.longitude) > 1e-6)
      ++wrong;
  }
  return wrong;
}

}  // namespace geo_places
