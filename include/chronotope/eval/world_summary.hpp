#pragma once
// The best that anyone can reach on a generated world: measures of the probabilities that it was drawn from.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "chronotope/data/world.hpp"

namespace chronotope {

/// Of interest-based actions. Expected: the mean of the probabilities. Seen: how often it came true; the two differ by
/// the luck of the draw. NaN without actions.
struct BestHits {
  std::uint64_t actions = 0;
  double expected_at_1 = 0, expected_at_10 = 0;
  double seen_at_1 = 0, seen_at_10 = 0;
};

/// What is best in a range of time. Actions count that were drawn by choice, of users who are no robots and have made
/// 40 actions before: of users just met, a model cannot know what the generator knows.
struct WorldBest {
  std::int64_t from = 0;  ///< UTC seconds; up to the end of the world
  BestHits all;
  /// By TravelStatus. It depends on the place drawn, too: before a trip, expected is of the distribution over both
  /// cities.
  std::array<BestHits, 3> by_status;
  /// Clicks in requests, against the distribution of an action at that moment: expected says nothing, and best is not
  /// what it is, as it knows nothing of what was shown.
  BestHits from_requests;
  std::uint64_t requests = 0, requests_with_click = 0, shown = 0, clicks = 0;
  double auc = 0, gauc = 0;  ///< of the click probabilities, as eval/clicks.hpp and user_clicks.hpp say
};

struct WorldSummary {
  std::uint64_t users = 0, robots = 0;
  std::uint64_t actions = 0, functional = 0, robot_actions = 0;
  std::array<std::uint64_t, 3> by_status{};  ///< interest-based actions of users who are no robots
  /// Richness (data/cleansing.hpp) of the users who are no robots: least, deciles, most. NaN without users.
  std::array<double, 11> richness{};
  std::uint64_t poor = 0;         ///< of them, below .3: cleansing drops them
  std::uint64_t rich_robots = 0;  ///< robots that cleansing keeps
  std::vector<WorldBest> best;    ///< the whole time, the last 20 % and the last 10 %
};

/// Takes the users one by one. O(users) memory: about 100 bytes each.
class WorldSummaryBuilder {
 public:
  explicit WorldSummaryBuilder(const World& world);
  ~WorldSummaryBuilder();

  void add(const WorldUser& user);
  WorldSummary finish() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// As tables for people, every line of which says that the data is invented.
std::string format_world(const WorldOptions& options, const WorldSummary& summary);
/// Options and summary.
std::string world_json(const WorldOptions& options, const WorldSummary& summary);

}  // namespace chronotope
