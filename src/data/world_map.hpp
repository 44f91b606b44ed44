#pragma once
// Cities, neighbourhoods and places of the generated world, in few bytes a place.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "chronotope/data/world.hpp"
#include "world_kinds.hpp"

namespace chronotope::world {

using invented::Point;

/// Places first to last - 1. Places of a neighbourhood and kind stand together.
struct PlaceRange {
  std::uint32_t first = 0, last = 0;
};

class Map {
 public:
  /// Throws ConfigError when there are too few places for the cities.
  explicit Map(const WorldOptions& options);

  std::uint32_t size() const { return static_cast<std::uint32_t>(x_.size()); }
  int cities() const { return static_cast<int>(cities_.size()); }

  int city_of(std::uint32_t place) const { return neighbourhoods_[neighbourhood_of(place)].city; }
  /// O(log neighbourhoods).
  int neighbourhood_of(std::uint32_t place) const;
  int kind_of(std::uint32_t place) const;
  /// Metres from the centre of its city. O(log neighbourhoods); O(1) where its neighbourhood is known.
  Point at(std::uint32_t place) const { return at(place, neighbourhood_of(place)); }
  Point at(std::uint32_t place, int neighbourhood) const {
    const Point centre = neighbourhoods_[neighbourhood].at;
    return {centre.x + x_[place], centre.y + y_[place]};
  }
  int quality(std::uint32_t place) const { return quality_[place]; }
  int theme(std::uint32_t place) const { return theme_[place]; }
  /// Among the places of its kind and neighbourhood: 1, 2, ...
  int rank(std::uint32_t place) const { return rank_[place]; }
  /// Of being chosen, quality left aside: falls with the square of the rank; differs by neighbourhood.
  std::int64_t popularity(std::uint32_t place) const { return popularity(place, neighbourhood_of(place)); }
  std::int64_t popularity(std::uint32_t place, int neighbourhood) const;
  /// Weight among places of one kind and neighbourhood, for people of a theme: at most 2^20.
  std::int64_t attraction(std::uint32_t place, int theme) const;

  int city_of_neighbourhood(int neighbourhood) const { return neighbourhoods_[neighbourhood].city; }
  Point centre(int neighbourhood) const { return neighbourhoods_[neighbourhood].at; }
  int fame(int neighbourhood) const { return neighbourhoods_[neighbourhood].fame; }
  PlaceRange of_kind(int neighbourhood, int kind) const;
  /// Neighbourhoods of the city at most three steps of its grid from one, that one with them.
  std::vector<int> around(int neighbourhood) const;
  int first_neighbourhood(int city) const { return cities_[city].first_neighbourhood; }
  int neighbourhoods(int city) const { return cities_[city].rows * cities_[city].rows; }
  int middle(int city) const;
  PlaceRange of_city(int city) const { return cities_[city].places; }

  /// The best known places of a kind in a city, best first; at most 20.
  const std::vector<std::uint32_t>& best_known(int city, int kind) const { return cities_[city].best[kind]; }

  GeoPosition degrees(int city, Point at) const;
  int offset_minutes(int city) const { return cities_[city].offset; }

 private:
  struct City {
    invented::Plane plane;
    int offset;
    PlaceRange places;
    int first_neighbourhood, rows;
    std::array<std::vector<std::uint32_t>, kind_count> best;
  };
  struct Neighbourhood {
    std::uint32_t first;
    std::array<std::uint16_t, kind_count + 1> kinds;  // where each begins, after `first`
    std::uint8_t city, fame;
    Point at;
  };

  void add_city(const WorldOptions& options, int city, std::uint32_t count);
  void add_neighbourhood(const WorldOptions& options, int city, int number, std::uint32_t count);
  void add_place(invented::Random& random, int rank);
  void find_best_known(City& city);

  std::vector<City> cities_;
  std::vector<Neighbourhood> neighbourhoods_;
  std::vector<std::int16_t> x_, y_;  // from the centre of the neighbourhood
  std::vector<std::uint8_t> rank_, quality_, theme_;
};

std::string place_id(std::uint32_t place);

}  // namespace chronotope::world
