#pragma once
// A generated world: action and request logs of invented people, with the probabilities that everything was drawn from.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chronotope/data/action_log.hpp"
#include "chronotope/data/place_list.hpp"
#include "chronotope/data/request_log.hpp"
#include "chronotope/data/travel_status.hpp"

namespace chronotope {

/// What to generate. The defaults give about 80,000 actions and 100,000 shown places.
struct WorldOptions {
  int users = 600;              ///< 1 to 100,000,000
  int places = 3000;            ///< 200 to 10,000,000, at least 40 a city
  int cities = 4;               ///< 2 to 64; their sizes fall as one over the rank
  int days = 120;               ///< 28 to 3,650, from Monday 2024-01-01 on
  int actions_per_user = 120;   ///< mean without clicks in requests, 10 up to twice `days`
  int requests_per_user = 15;   ///< mean of all but robots, 0 up to `days`
  int shown = 11;               ///< places in a request, 3 to 48; a request has up to two more or fewer
  int travellers_percent = 33;  ///< share of the users who go to other cities
  int robots_percent = 10;      ///< share of the users who do nothing but repeat one or two places
  std::uint64_t seed = 1;       ///< everything follows from it
};

/// What the generator knows of an action. An interest-based action was drawn from a distribution over places that
/// follows from the user's tastes and habits, all earlier actions, the time and the position. Of equal probabilities
/// the lower number of the place comes first.
struct ActionTruth {
  bool interest = false;
  /// The action is a click on a place shown in a request. It was drawn from the probabilities of the request; the
  /// distribution given here is the one that an action at this moment would have been drawn from.
  bool from_request = false;
  TravelStatus status = TravelStatus::local;
  // The rest is 0 for functional actions.
  std::uint32_t best = 0;       ///< number of the most probable place
  double best_probability = 0;  ///< of that place
  double best_ten = 0;          ///< sum over the ten most probable places
  double probability = 0;       ///< of the place of the action
  std::uint32_t rank = 0;       ///< of the place of the action, from 1; 0: it could not have been drawn
};

struct WorldAction {
  LoggedAction action;  ///< `interest` is not set: cleansing finds it
  ActionTruth truth;
};

struct WorldRequest {
  LoggedRequest request;
  TravelStatus status = TravelStatus::local;  ///< pre-travel: a trip begins within six days
  std::vector<double> click_probability;      ///< of each shown place; clicks are independent
};

struct WorldUser {
  std::string id;
  bool robot = false;
  std::vector<WorldAction> actions;    ///< in time order, all times different
  std::vector<WorldRequest> requests;  ///< in time order; no action stands between a request and its clicks
};

/// A place as the log knows it, and what the log does not show.
struct WorldPlace {
  std::string id;
  GeoPosition position;
  std::string category;
  double popularity = 0;  ///< of being chosen, before tastes and distances; any unit
  int city = 0;
  int quality = 0;  ///< 0 to 15
  int theme = 0;    ///< 0 to 7
};

/// The places are held in about 8 bytes each; users are made when asked for. Each user follows from the options and the
/// user's number alone. Integer arithmetic throughout: the same options give the same world on every platform.
class World {
 public:
  /// O(places) time and memory. Throws ConfigError for an option out of range.
  explicit World(const WorldOptions& options = {});
  ~World();
  World(World&&) noexcept;
  World& operator=(World&&) noexcept;

  const WorldOptions& options() const;
  std::uint32_t places() const;
  WorldPlace place(std::uint32_t number) const;

  /// What text or pictures of the place might be turned into: quality and theme, under noise. Sixteen values between
  /// -4 and 4.
  std::array<float, 16> vector(std::uint32_t place) const;

  /// User `number`, 0 to options().users - 1. O(actions x places of a neighbourhood): 40 to a few hundred.
  WorldUser user(std::uint32_t number) const;

  /// First and last second (UTC) in which something may happen.
  std::int64_t begin() const;
  std::int64_t end() const;

  /// Categories of functional places; all others are interest-based. Given to cleansing (--functional), they recover
  /// ActionTruth::interest exactly.
  static std::vector<std::string> functional_categories();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace chronotope
