#pragma once
// A click log of a few samples with everything in it, to be spoilt by tests.

#include <random>

#include "chronotope/data/click_builder.hpp"
#include "scratch.hpp"

namespace small_clicks {

inline constexpr std::int64_t monday = 1'704'067'200;  // 2024-01-01 00:00

/// Five behaviours of one user, four of another; samples 0 and 1 share a list, 2 prolongs it, 3 is cold, 4 of the
/// other.
inline chronotope::ClickColumns columns() {
  using chronotope::FeaturePart;
  chronotope::ClickColumns c;
  const std::uint32_t here = chronotope::pack_geohash6("wmpp2u"), there = chronotope::pack_geohash6("u4pruy");
  for (int i = 0; i < 9; ++i) c.behaviours_at.add(monday + (i < 5 ? i : i - 5) * 5000, i % 2 ? here : there);
  c.behaviour_ids = {{"item", "item", FeaturePart::item, 10, {1, 2, 3, 4, 5, 6, 7, 8, 9}},
                     {"category", "category", FeaturePart::item, 3, {0, 1, 2, 0, 1, 2, 0, 1, 2}}};
  c.behaviour_numbers = {{"price", FeaturePart::item, {0, .5f, 1, 1.5f, 2, 2.5f, 3, 3.5f, 4}}};
  c.click = {1, 0, 1, 0, 0};
  c.conversion = {1, 0, 0, 0, 0};
  c.split = {chronotope::Split::train, chronotope::Split::train, chronotope::Split::validation, chronotope::Split::test,
             chronotope::Split::test};
  for (const int seconds : {20'000, 20'000, 30'000, 0, 90'000}) c.at.add(monday + seconds, here);
  c.ids = {{"user", "user", FeaturePart::user, 4, {1, 1, 1, 0, 2}},
           {"item", "item", FeaturePart::item, 10, {3, 4, 5, 0, 9}},
           {"category", "category", FeaturePart::item, 3, {1, 2, 0, 0, 1}}};
  c.numbers = {{"distance", FeaturePart::context, {0, 1, 2, 3, -1}}};
  c.first = {0, 0, 0, 9, 5};
  c.last = {4, 4, 5, 9, 9};
  c.semi_synthetic = true;
  return c;
}

template <class T> bool same(std::span<const T> a, std::span<const T> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

inline bool same(const chronotope::Moments& a, const chronotope::Moments& b) {
  return same(a.time, b.time) && same(a.hour, b.hour) && same(a.weekday, b.weekday) && same(a.geohash, b.geohash);
}

inline bool same(const std::vector<chronotope::IdColumn>& a, const std::vector<chronotope::IdColumn>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.name == y.name && x.table == y.table && x.part == y.part && x.rows == y.rows && same(x.values, y.values);
  });
}

inline bool same(const std::vector<chronotope::NumberColumn>& a, const std::vector<chronotope::NumberColumn>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.name == y.name && x.part == y.part && same(x.values, y.values);
  });
}

inline bool same(const chronotope::ClickLog& a, const chronotope::ClickLog& b) {
  return same(a.click, b.click) && same(a.conversion, b.conversion) && same(a.split, b.split) && same(a.at, b.at) &&
         same(a.ids, b.ids) && same(a.numbers, b.numbers) && same(a.first, b.first) && same(a.last, b.last) &&
         same(a.behaviours.at, b.behaviours.at) && same(a.behaviours.ids, b.behaviours.ids) &&
         same(a.behaviours.numbers, b.behaviours.numbers) && a.semi_synthetic == b.semi_synthetic;
}

}  // namespace small_clicks
