#include "world_kinds.hpp"

namespace chronotope::world {
namespace {

enum : int {
  noodles = functional_count,
  hot_pot,
  sushi,
  pizza,
  fast_food,
  cafe,
  bakery,
  bar,
  karaoke,
  mall,
  cinema,
  gym,
  park,
  museum,
  sight,
  hot_spring,
  hotel
};

}  // namespace

const std::array<Kind, kind_count>& kinds() {
  static constexpr PartWeights never{};
  static const std::array<Kind, kind_count> table = {{
      // category, share, then, workday, weekend, travel
      {"Residence", 16, -1, never, never, never},
      {"Office", 8, -1, never, never, never},
      {"Hospital", 2, -1, never, never, never},
      {"School", 3, -1, never, never, never},
      {"Parking", 5, -1, never, never, never},
      {"Station", 3, -1, never, never, never},
      {"Bank", 3, -1, never, never, never},
      {"Noodle House", 7, cafe, {1, 2, 1, 16, 1, 7, 2}, {1, 1, 1, 9, 1, 6, 2}, {1, 1, 1, 12, 1, 5, 2}},
      {"Hot Pot Restaurant", 5, karaoke, {1, 0, 0, 3, 0, 14, 5}, {2, 0, 0, 6, 0, 14, 6}, {1, 0, 0, 5, 0, 16, 4}},
      {"Sushi Restaurant", 4, bar, {0, 0, 0, 7, 0, 10, 2}, {0, 0, 0, 7, 0, 10, 2}, {0, 0, 0, 6, 0, 8, 2}},
      {"Pizza Place", 4, cinema, {1, 0, 0, 5, 1, 9, 3}, {1, 0, 0, 6, 1, 9, 3}, {0, 0, 0, 3, 0, 4, 1}},
      {"Fast Food", 5, -1, {4, 5, 2, 12, 3, 5, 4}, {6, 2, 2, 8, 3, 4, 5}, {3, 2, 1, 5, 1, 2, 2}},
      {"Cafe", 7, bakery, {0, 14, 9, 3, 10, 1, 0}, {0, 5, 12, 3, 11, 1, 0}, {0, 5, 3, 2, 6, 0, 0}},
      {"Bakery", 5, park, {0, 13, 4, 1, 4, 2, 0}, {0, 14, 4, 1, 3, 1, 0}, {0, 8, 1, 1, 1, 0, 0}},
      {"Bar", 4, karaoke, {5, 0, 0, 0, 0, 4, 16}, {9, 0, 0, 0, 1, 4, 16}, {4, 0, 0, 0, 0, 2, 10}},
      {"Karaoke", 2, fast_food, {4, 0, 0, 0, 0, 2, 8}, {8, 0, 0, 0, 2, 3, 11}, {1, 0, 0, 0, 0, 1, 3}},
      {"Shopping Mall", 4, cafe, {0, 0, 3, 2, 6, 4, 1}, {0, 0, 8, 5, 14, 3, 1}, {0, 0, 2, 1, 4, 1, 0}},
      {"Cinema", 2, bar, {0, 0, 0, 0, 2, 6, 6}, {0, 0, 1, 3, 7, 8, 7}, {0, 0, 0, 0, 1, 1, 1}},
      {"Gym", 3, noodles, {0, 10, 2, 1, 3, 11, 2}, {0, 7, 8, 1, 5, 2, 0}, {0, 1, 0, 0, 0, 1, 0}},
      {"Park", 2, cafe, {0, 7, 5, 2, 4, 2, 0}, {0, 7, 11, 4, 10, 2, 0}, {0, 3, 4, 2, 4, 1, 0}},
      {"Museum", 1, cafe, {0, 0, 3, 1, 3, 0, 0}, {0, 0, 8, 3, 7, 0, 0}, {0, 1, 10, 3, 9, 0, 0}},
      {"Sight", 2, noodles, {0, 0, 1, 1, 2, 1, 0}, {0, 1, 5, 3, 6, 1, 0}, {1, 14, 24, 8, 22, 4, 1}},
      {"Hot Spring", 1, hot_pot, {0, 0, 0, 0, 1, 2, 3}, {0, 0, 2, 1, 4, 4, 4}, {0, 0, 1, 0, 3, 5, 6}},
      {"Hotel", 2, sight, {0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0}, {10, 4, 0, 0, 2, 3, 12}},
  }};
  return table;
}

const std::array<int, kind_count>& before_travel() {
  static const auto table = [] {
    std::array<int, kind_count> weights{};
    weights[hotel] = 45, weights[sight] = 30, weights[museum] = 10, weights[hot_pot] = 8, weights[hot_spring] = 7;
    return weights;
  }();
  return table;
}

const std::array<std::array<int, kind_count>, archetype_count>& archetypes() {
  static const std::array<std::array<int, kind_count>, archetype_count> table = {{
      // functional kinds; noodles, hot pot, sushi, pizza, fast food, cafe, bakery, bar, karaoke, mall, cinema, gym,
      // park,
      // museum, sight, hot spring, hotel
      {0, 0, 0, 0, 0, 0, 0, 2, 9, 2, 2, 2, 3, 1, 9, 9, 2, 5, 1, 1, 0, 1, 2, 1},
      {0, 0, 0, 0, 0, 0, 0, 4, 2, 1, 3, 12, 4, 2, 2, 2, 3, 6, 3, 1, 1, 1, 0, 1},
      {0, 0, 0, 0, 0, 0, 0, 3, 2, 1, 9, 2, 1, 6, 0, 0, 9, 3, 1, 9, 2, 1, 1, 1},
      {0, 0, 0, 0, 0, 0, 0, 2, 1, 9, 1, 1, 9, 1, 5, 1, 2, 1, 9, 1, 1, 1, 1, 1},
      {0, 0, 0, 0, 0, 0, 0, 9, 3, 0, 0, 0, 1, 9, 0, 0, 2, 0, 0, 9, 3, 1, 6, 1},
      {0, 0, 0, 0, 0, 0, 0, 2, 2, 4, 1, 1, 6, 3, 5, 0, 1, 6, 1, 2, 9, 9, 1, 1},
  }};
  return table;
}

const std::array<Occupation, occupation_count>& occupations() {
  static const std::array<Occupation, occupation_count> table = {{
      {"student", school, 17, 12, 1, 1},
      {"teacher", school, 25, 40, 5, 2},
      {"engineer", office, 23, 41, 3, 2},
      {"clerk", office, 20, 45, 0, 2},
      {"nurse", hospital, 21, 42, 0, 4},
      {"banker", bank, 24, 40, 3, 5},
      {"driver", station, 22, 43, 1, 4},
      {"retired", residence, 62, 28, 4, 4},
  }};
  return table;
}

}  // namespace chronotope::world
