#pragma once
// Kinds of places and people of the generated world.

#include <array>
#include <cstdint>

#include "invented.hpp"

namespace chronotope::world {

inline constexpr int kind_count = 24, functional_count = 7, interest_count = kind_count - functional_count;
enum : int { residence, office, hospital, school, parking, station, bank };  // the functional kinds
inline constexpr bool is_functional(int kind) { return kind < functional_count; }

using PartWeights = std::array<int, invented::day_parts>;

struct Kind {
  const char* category;
  int share;                             ///< percent of the places of a neighbourhood beyond one of each kind
  int then;                              ///< kind that often follows next door; -1: none
  PartWeights workday, weekend, travel;  ///< when people at home and travellers go there
};
const std::array<Kind, kind_count>& kinds();

/// What people who are about to travel look for.
const std::array<int, kind_count>& before_travel();

/// How much each of a few groups of people likes each kind; 0 for functional kinds.
inline constexpr int archetype_count = 6;
const std::array<std::array<int, kind_count>, archetype_count>& archetypes();

struct Occupation {
  const char* name;
  int work;             ///< kind of the place of work
  int youngest, years;  ///< ages from youngest to youngest + years - 1
  int younger, older;   ///< archetype under 35, and from 35 on
};
inline constexpr int occupation_count = 8;
const std::array<Occupation, occupation_count>& occupations();

}  // namespace chronotope::world
