// Generated click logs: the truth is what it is said to be, clicks follow it, and every switch does something.
#include "chronotope/data/generated_clicks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "small_clicks.hpp"

using chronotope::GeneratedClickOptions;
using chronotope::GeneratedClicks;

namespace {

/// Area under the curve by ranks; ties count half.
double auc(const std::vector<double>& scores, std::span<const std::uint8_t> labels) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] < scores[b]; });
  double above = 0, negatives = 0, positives = 0;
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    double p = 0, n = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[i]]; ++end) (labels[order[end]] ? p : n) += 1;
    above += p * (negatives + n / 2);
    positives += p, negatives += n, i = end;
  }
  return above / (positives * negatives);
}

GeneratedClickOptions without(double GeneratedClickOptions::*part) {
  GeneratedClickOptions o;
  o.*part = 0;
  return o;
}

}  // namespace

TEST_CASE("data: the planted truth, computed once more from the ids and letters") {
  for (const auto age : {chronotope::Age::position, chronotope::Age::days}) {
    GeneratedClickOptions o;
    o.users = 20;
    o.age = age;
    o.hour = .7, o.week = -.4, o.place = 1.1, o.memory = 6;
    const GeneratedClicks g = chronotope::generate_clicks(o);
    const auto& log = g.log;
    const auto& past = log.behaviours;
    const auto letter_group = [](std::uint32_t cell) {
      const std::string two{chronotope::geohash_letter(cell, 0), chronotope::geohash_letter(cell, 1)};
      return two[0] != 'w' ? 'a' : std::string("0123456789bcdefghj").find(two[1]) != std::string::npos ? 'b' : 'c';
    };
    const auto shift = [](int hour) { return (hour + 21) % 24 < 8 ? 0 : (hour + 21) % 24 < 14 ? 1 : 2; };
    for (std::size_t i = 0; i < log.size(); i += 7) {
      double h = 0, w = 0, p = 0;
      for (std::size_t j = log.first[i]; j < log.last[i]; ++j) {
        if (log.id_column("category").values[i] != past.ids[1].values[j]) continue;
        const double old =
            age == chronotope::Age::position ? log.last[i] - j - 1. : (log.at.time[i] - past.at.time[j]) / 86400.;
        if (shift(log.at.hour[i]) == shift(past.at.hour[j])) h += std::exp(-old / 6);
        if ((log.at.weekday[i] > 4) == (past.at.weekday[j] > 4)) w += std::exp(-old / 6);
        if (letter_group(log.at.geohash[i]) == letter_group(past.at.geohash[j])) p += std::exp(-old / 6);
      }
      const double quality = g.item_quality[log.id_column("item").values[i]];
      const double logit =
          o.bias + o.quality * quality + .7 * std::log(1 + h) - .4 * std::log(1 + w) + 1.1 * std::log(1 + p);
      CHECK(g.truth[i] == doctest::Approx(1 / (1 + std::exp(-logit))).epsilon(1e-12));
    }
  }
}

TEST_CASE("data: clicks follow the truth") {
  const GeneratedClicks g = chronotope::generate_clicks();
  const double clicks = std::accumulate(g.log.click.begin(), g.log.click.end(), 0.);
  const double expected = std::accumulate(g.truth.begin(), g.truth.end(), 0.);
  double variance = 0, bands[2][2] = {};
  for (std::size_t i = 0; i < g.truth.size(); ++i) {
    variance += g.truth[i] * (1 - g.truth[i]);
    double* const band = bands[g.truth[i] > .5];
    band[0] += g.truth[i], band[1] += g.log.click[i];
  }
  CHECK(std::abs(clicks - expected) < 4 * std::sqrt(variance));
  for (const auto& band : bands) CHECK(std::abs(band[0] - band[1]) < .1 * band[0]);  // calibrated where high, too
  MESSAGE("clicks ", clicks / g.truth.size(), ", best possible AUC ", auc(g.truth, g.log.click));
  CHECK(auc(g.truth, g.log.click) > .72);
  CHECK(clicks / g.truth.size() > .1);
  CHECK(clicks / g.truth.size() < .5);
}

TEST_CASE("data: every planted part earns something, and is absent at strength 0") {
  const GeneratedClicks g = chronotope::generate_clicks();
  const double best = auc(g.truth, g.log.click);
  for (auto part : {&GeneratedClickOptions::hour, &GeneratedClickOptions::week, &GeneratedClickOptions::place,
                    &GeneratedClickOptions::quality}) {
    const GeneratedClickOptions o = without(part);
    std::vector<double> blind;  // who knows all but this part
    for (std::size_t i = 0; i < g.log.size(); ++i)
      blind.push_back(chronotope::planted_truth(g.log, i, o, g.item_quality));
    MESSAGE("without: ", auc(blind, g.log.click), " of ", best);
    CHECK(auc(blind, g.log.click) < best - .004);
  }
  GeneratedClickOptions nothing;
  nothing.hour = nothing.week = nothing.place = nothing.quality = 0;
  for (const double p : chronotope::generate_clicks(nothing).truth) CHECK(p == doctest::Approx(1 / (1 + std::exp(3.))));
}

TEST_CASE("data: every other option changes the log") {
  GeneratedClickOptions base;
  base.users = 30;
  const GeneratedClicks g = chronotope::generate_clicks(base);
  CHECK(small_clicks::same(g.log, chronotope::generate_clicks(base).log));
  const auto differs = [&](auto change) {
    GeneratedClickOptions o = base;
    change(o);
    const GeneratedClicks other = chronotope::generate_clicks(o);
    return !small_clicks::same(other.log, g.log) && other.truth != g.truth;
  };
  CHECK(differs([](auto& o) { o.seed = 2; }));
  CHECK(differs([](auto& o) { o.users = 31; }));
  CHECK(differs([](auto& o) { o.requests = 41; }));
  CHECK(differs([](auto& o) { o.behaviours = 60; }));
  CHECK(differs([](auto& o) { o.cold = .9; }));
  CHECK(differs([](auto& o) { o.categories = 9; }));
  CHECK(differs([](auto& o) { o.items = 250; }));
  CHECK(differs([](auto& o) { o.contrast = 0; }));
  CHECK(differs([](auto& o) { o.bias = 0; }));
  CHECK(differs([](auto& o) { o.memory = 100; }));
  CHECK(differs([](auto& o) { o.age = chronotope::Age::days; }));
}

TEST_CASE("data: generated logs have the shape that was asked for") {
  GeneratedClickOptions o;
  o.users = 300;
  o.requests = 5;
  o.cold = .3;
  const auto log = chronotope::generate_clicks(o).log;
  CHECK(log.semi_synthetic);
  CHECK(log.size() == 1500);
  int cold = 0;
  std::set<int> groups, past_groups, splits;
  for (std::size_t i = 0; i < log.size(); ++i) {
    const auto length = log.last[i] - log.first[i];
    CHECK(length <= 50);
    cold += length < 10;
    groups.insert(100 * chronotope::hour_group(log.at.hour[i]) + 10 * chronotope::week_group(log.at.weekday[i]) +
                  chronotope::geohash_group(log.at.geohash[i]));
    splits.insert(static_cast<int>(log.split[i]));
  }
  CHECK(groups.size() == 18);  // all combinations
  CHECK(splits.size() == 3);
  CHECK(std::abs(cold / 1500. - .3) < .12);
  for (std::size_t j = 0; j < log.behaviours.size(); ++j)
    past_groups.insert(chronotope::geohash_group(log.behaviours.at.geohash[j]));
  CHECK(past_groups.size() == 3);

  o = {};
  o.users = 2, o.requests = 3, o.behaviours = 20'000, o.cold = 0;
  const auto longest = chronotope::generate_clicks(o).log;
  CHECK(longest.last[0] - longest.first[0] > 8000);
  o.items = 23;
  CHECK(scratch::error_of([&] {
          chronotope::generate_clicks(o);
        }).starts_with("ConfigError: generate_clicks: items = 23"));
  o = {};
  o.memory = NAN;
  CHECK(scratch::error_of([&] { chronotope::generate_clicks(o); }).find("memory") != std::string::npos);
}
