#pragma once
// The parts of the generated city: kinds of places, the map, a person. Whole numbers only, see generate_city.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "chronotope/data/city.hpp"
#include "invented.hpp"

namespace chronotope::city {

using invented::day_part;
using invented::day_parts;
using invented::Point;
using invented::Random;

using PartWeights = std::array<int, day_parts>;

enum class Quarter { living, business, leisure };

struct Kind {
  const char* slug;      ///< beginning of the place ids
  const char* category;  ///< category name
  int share;             ///< percent of all places
  Quarter quarter;       ///< where it mostly is
  int reach;             ///< metres people gladly go for it
  int then;              ///< kind that often follows, -1 for none
  PartWeights workday, weekend;
};

enum : int { residence, office, kind_count = 16 };
const std::array<Kind, kind_count>& kinds();

struct Place {
  int kind = 0;
  Point at;
  int popularity = 0;
  std::string id;
};

/// Districts of one quarter each with the places around their centres.
class Map {
 public:
  explicit Map(const CityOptions& options);

  const Place& place(int number) const { return places_[number]; }
  const std::vector<int>& of_kind(int kind) const { return by_kind_[kind]; }
  double latitude(int place) const { return plane_.latitude(places_[place].at); }
  double longitude(int place) const { return plane_.longitude(places_[place].at); }

 private:
  struct District {
    Point centre;
    Quarter quarter;
  };

  Place make_place(int kind, Random& random) const;

  std::vector<District> districts_;
  std::vector<Place> places_;
  std::array<std::vector<int>, kind_count> by_kind_;
  invented::Plane plane_;
};

/// Somebody who moves about. Calls of visit() must follow the order of time.
class Person {
 public:
  Person(const Map& map, std::uint64_t seed, int number);

  /// Hour of a check-in on a workday or weekend day, by how awake people are and how late this one lives.
  int draw_hour(bool weekend);
  /// The place visited at an hour of a day (Monday 0 of the first week is day 0).
  int visit(int day, int hour);
  Random& random() { return random_; }

 private:
  struct Favourite {
    int place, visits;
  };

  void make_appointments();
  int choose_kind(int part, bool weekend);
  int choose_place(int kind, Point from);
  int return_to(int kind, Point from);
  int explore(int kind, Point from);
  Point whereabouts(int day, int part, bool weekend) const;
  void remember(int place);

  const Map& map_;
  Random random_;
  int home_, work_, lateness_;
  std::array<int, kind_count> taste_;
  std::array<std::vector<Favourite>, kind_count> favourites_;
  std::array<std::array<int, day_parts>, 7> appointments_;  // place, -1 for none
  int last_place_ = -1, last_day_ = -1;
};

}  // namespace chronotope::city
