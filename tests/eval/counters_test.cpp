#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "checkin_fixture.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/eval/counters.hpp"
#include "chronotope/eval/targets.hpp"

using namespace chronotope;
using doctest::Approx;
using fixture::day;
using fixture::hour;
using fixture::TableBuilder;

namespace {

constexpr std::int64_t monday = 4 * day, tuesday = 5 * day, saturday = 9 * day;  // of January 1970
constexpr double nowhere = -std::numeric_limits<double>::infinity();

CounterWeights only(CounterPart part) {
  CounterWeights w{};
  w[static_cast<std::size_t>(part)] = 1;
  return w;
}

// Places a, b, c are candidates, d is not. Training rows: a 2, b 2, c 3.
CheckinTable small_table() {
  return TableBuilder({"a", "b", "c", "d"})
      .user("u")
      .row(0, monday + 8 * hour, 0, Split::train, false, 0, 0)
      .row(1, monday + 9 * hour, 0, Split::train, false, 0, 0.01)
      .row(0, tuesday + 8 * hour, 0, Split::train, false, 0, 0)
      .row(2, tuesday + 12 * hour, 0, Split::train, false, 0.02, 0)
      .row(3, tuesday + 13 * hour, 3, Split::test)
      .row(1, tuesday + 14 * hour, 3, Split::test, true)
      .user("v")
      .row(1, monday + 8 * hour, 1, Split::train, false, 0, 0.01)
      .row(2, monday + 10 * hour, 1, Split::train, false, 0.02, 0)
      .row(2, saturday + 8 * hour, 2, Split::train, false, 0.02, 0);
}

struct Small {
  CheckinTable table = small_table();
  CounterTables tables = fit_counters(table);

  void check(CounterPart part, std::span<const Checkin> history, std::int64_t at, double a, double b, double c) const {
    CAPTURE(counter_part_name(part));
    const auto score = counter_scores(tables, history, at, only(part));
    REQUIRE(score.size() == 4);
    CHECK(score[0] == Approx(a).epsilon(1e-6));
    CHECK(score[1] == Approx(b).epsilon(1e-6));
    CHECK(score[2] == Approx(c).epsilon(1e-6));
    CHECK(score[3] == nowhere);
  }
};

double likeness(double hours) { return std::exp(-0.5 * hours * hours / 2.25); }

const CounterResult& named(const std::vector<CounterResult>& results, const std::string& name) {
  for (const CounterResult& r : results)
    if (r.predictor.name == name) return r;
  throw DataError("no counter " + name);
}

double accuracy(const CounterResult& r) { return r.result.all.accuracy[0].mean; }

// Deterministic users walking over random places with habits; every split and a few unknown places occur.
CheckinTable random_table(unsigned seed, int users, int places) {
  std::mt19937 random(seed);
  const auto below = [&](int n) { return static_cast<std::int32_t>(random() % static_cast<unsigned>(n)); };
  std::vector<std::string> names;
  for (int p = 0; p < places; ++p) names.push_back("p" + std::to_string(1000 + p));
  TableBuilder builder(names);
  std::int32_t trajectory = 0;
  for (int u = 0; u < users; ++u) {
    builder.user("u" + std::to_string(1000 + u));
    std::int64_t time = below(30) * day;
    const std::int32_t favourite = below(places);
    for (int i = 0; i < 40; ++i) {
      time += (1 + below(40)) * hour;
      if (below(4) == 0) ++trajectory;
      const std::int32_t place = below(2) ? favourite : below(places);
      const Split split = i < 30 ? Split::train : i < 35 ? Split::validation : Split::test;
      const double east = 0.01 * (place % 7), north = 0.01 * (place / 7);
      builder.row(place, time, trajectory, split, i % 2 == 0, 40 + north, -74 + east);
    }
    ++trajectory;
  }
  return builder;
}

// Ranks from the serving form; popularity orders the places that score 0.
std::vector<RankedTarget> served_ranks(const CheckinTable& table, const CounterTables& tables, Split split,
                                       const CounterWeights& weights) {
  const auto candidate = training_places(table);
  const auto popularity = counter_scores(tables, {}, 0, only(CounterPart::popularity));
  std::vector<RankedTarget> ranks;
  for (const EvalTarget& target : evaluation_targets(table, split)) {
    const Checkin& truth = table.rows[target.row];
    auto score = counter_scores(tables, allowed_history(table, target), truth.local, weights);
    const auto place = static_cast<std::size_t>(truth.place);
    if (score[place] == 0)
      for (std::size_t p = 0; p < score.size(); ++p)
        if (score[p] == 0) score[p] = popularity[p] - 2;  // below every score, above -inf
    ranks.push_back(rank_scores(score, place, candidate));
  }
  return ranks;
}

}  // namespace

TEST_CASE("counter parts by hand: global ones") {
  const Small s;
  const auto u = s.table.history(0), v = s.table.history(1);
  s.check(CounterPart::popularity, u.first(3), 0, 2.0 / 7, 2.0 / 7, 3.0 / 7);
  s.check(CounterPart::popularity, {}, 0, 2.0 / 7, 2.0 / 7, 3.0 / 7);
  // a -> b, b -> a, a -> c within u's trajectory, b -> c within v's first; c -> c crosses trajectories.
  s.check(CounterPart::global_markov, u.first(3), 0, 0, 0.5, 0.5);
  s.check(CounterPart::global_markov, u.first(2), 0, 0.5, 0, 0.5);
  s.check(CounterPart::global_markov, v, 0, 0, 0, 0);
  s.check(CounterPart::global_markov, u.first(5), 0, 0, 0, 0);  // last place is unknown

  const double a = 2 * std::exp(0.0), b = 2 * std::exp(-1.112), c = 3 * std::exp(-2.224);
  s.check(CounterPart::near_last, u.first(3), 0, a / (a + b + c), b / (a + b + c), c / (a + b + c));
  s.check(CounterPart::near_last, {}, 0, 2.0 / 7, 2.0 / 7, 3.0 / 7);

  const double at_a = 2, at_b = 1 + likeness(1), at_c = likeness(4) + likeness(2) + 1, all = at_a + at_b + at_c;
  s.check(CounterPart::hour_popularity, {}, saturday + 8 * hour + 59, at_a / all, at_b / all, at_c / all);
}

TEST_CASE("counter parts by hand: personal ones") {
  const Small s;
  const auto u = s.table.history(0), v = s.table.history(1);
  s.check(CounterPart::user_frequency, u.first(4), 0, 0.5, 0.25, 0.25);
  s.check(CounterPart::user_frequency, {}, 0, 0, 0, 0);
  s.check(CounterPart::user_frequency, u, 0, 0.4, 0.4, 0.2);  // the test row at b counts, the one at d cannot
  s.check(CounterPart::user_frequency_training, u, 0, 0.5, 0.25, 0.25);
  s.check(CounterPart::user_last, u.first(4), 0, 0, 0, 1);
  s.check(CounterPart::user_last, u.first(5), 0, 0, 0, 0);
  s.check(CounterPart::user_markov, u.first(3), 0, 0, 1, 0);
  s.check(CounterPart::user_markov, u.first(4), 0, 0, 0, 0);  // nothing ever followed c
  s.check(CounterPart::user_markov, v, 0, 0, 0, 1);           // across trajectories: the user's own order counts

  const auto weight = [](double hours) { return std::exp(-hours / 24 / 14); };
  const double a = weight(28) + weight(4), b = weight(27), c = 1;
  s.check(CounterPart::user_recent, u.first(4), 0, a / (a + b + c), b / (a + b + c), c / (a + b + c));
  // Ages count back from the last check-in even where its place is unknown, which cancels here.
  s.check(CounterPart::user_recent, u.first(5), 0, a / (a + b + c), b / (a + b + c), c / (a + b + c));

  // v on a Monday at nine: b one hour off; c one hour off twice, once on a Saturday.
  s.check(CounterPart::user_hour, v, monday + 9 * hour, 0, 1 / 2.3, 1.3 / 2.3);
  s.check(CounterPart::user_hour, v, saturday + 9 * hour, 0, 0.3 / 1.6, 1.3 / 1.6);
}

TEST_CASE("hours wrap around midnight, also before 1970, and weekends are found there") {
  const CheckinTable table = TableBuilder({"a", "b"})
                                 .user("u")
                                 .row(0, -7 * day + 23 * hour)   // Thursday
                                 .row(1, -7 * day + 29 * hour)   // Friday at five
                                 .row(1, -5 * day + 1 * hour);   // Saturday at one
  const CounterTables tables = fit_counters(table);
  const auto score = counter_scores(tables, table.rows, monday + 1 * hour, only(CounterPart::user_hour));
  const double a = likeness(2), b = likeness(4) + 0.3;
  CHECK(score[0] == Approx(a / (a + b)));
  CHECK(score[1] == Approx(b / (a + b)));
}

TEST_CASE("nearness crosses the date line and survives positions far from everything") {
  const CheckinTable table = TableBuilder({"a", "b"})
                                 .user("u")
                                 .row(0, 0, 0, Split::train, false, 0, 179.999)
                                 .row(1, 1, 0, Split::train, false, 0, 179)
                                 .row(0, 2, 0, Split::test, false, 0, -179.999)
                                 .row(0, 3, 0, Split::test, false, 80, 0);
  const CounterTables tables = fit_counters(table);
  const auto near = counter_scores(tables, std::span(table.rows).first(3), 0, only(CounterPart::near_last));
  CHECK(near[0] == Approx(1).epsilon(1e-6));
  const auto far = counter_scores(tables, table.rows, 0, only(CounterPart::near_last));
  CHECK(far[0] == 0);
  CHECK(far[1] == 0);
}

TEST_CASE("counter_scores refuses what it cannot weigh") {
  const Small s;
  CounterWeights w{};
  w[2] = -1;
  CHECK_THROWS_AS(counter_scores(s.tables, {}, 0, w), DataError);
  w[2] = std::nan("");
  CHECK_THROWS_AS(counter_scores(s.tables, {}, 0, w), DataError);
  std::vector<Checkin> history{s.table.rows[0]};
  history[0].place = 4;
  CHECK_THROWS_AS(counter_scores(s.tables, history, 0, {}), DataError);
}

TEST_CASE("ranks by hand: ties, popularity among unknown places, ties won and shared") {
  // u was once at each of a, b, c; the target b is one of three most frequent. d is popular by w and unknown to u.
  const CheckinTable table = TableBuilder({"a", "b", "c", "d", "e"})
                                 .user("u")
                                 .row(0, 0)
                                 .row(1, hour)
                                 .row(2, 2 * hour)
                                 .test(1, 3 * hour)
                                 .user("w")
                                 .row(3, 0)
                                 .row(3, hour)
                                 .row(4, 2 * hour)
                                 .test(0, 3 * hour);
  const auto results = evaluate_counters(table);
  const CounterResult& frequency = named(results, "user_frequency");
  REQUIRE(frequency.ranks.size() == 2);
  CHECK(frequency.ranks[0].greater == 0);
  CHECK(frequency.ranks[0].ties == 2);
  CHECK(frequency.ranks[0].revisit);
  // w at a: d and e have scores; among the rest a, b, c (one row each) popularity says nothing.
  CHECK(frequency.ranks[1].greater == 2);
  CHECK(frequency.ranks[1].ties == 2);
  CHECK(!frequency.ranks[1].revisit);
  CHECK(frequency.result.all.accuracy[0].mean == 0.5);
  CHECK(frequency.shared.all.accuracy[0].mean == Approx(1.0 / 6));
  // Last place c for u, e for w: the truth has no score, so d, the most popular, and the last place come before it.
  const CounterResult& last = named(results, "user_last");
  CHECK(last.ranks[0].greater == 2);
  CHECK(last.ranks[0].ties == 2);
}

TEST_CASE("thirteen predictors, which of them see the time, weights without validation targets") {
  const Small s;
  const auto predictors = counter_predictors(s.table, s.tables);
  std::string timed;
  for (const CounterPredictor& p : predictors)
    if (p.sees_time) timed += p.name + " ";
  CHECK(predictors.size() == 13);
  CHECK(timed == "hour_of_week hour_popularity mixture_with_time ");
  CHECK(predictors[11].name == "mixture");
  CHECK(predictors[11].weights[static_cast<std::size_t>(CounterPart::user_frequency)] == 1.6);
  for (const CounterPredictor& p : predictors) {
    if (p.sees_time) continue;
    CAPTURE(p.name);
    CHECK(p.weights[static_cast<std::size_t>(CounterPart::user_hour)] == 0);
    CHECK(p.weights[static_cast<std::size_t>(CounterPart::hour_popularity)] == 0);
    CHECK(counter_scores(s.tables, s.table.history(0), monday, p.weights) ==
          counter_scores(s.tables, s.table.history(0), saturday + 7 * hour, p.weights));
  }
  const auto results = evaluate_counters(s.table);
  REQUIRE(results.size() == 13);
  // After d, an unknown place, back-off leaves recency: a twice, b and c once, c more recent than b.
  CHECK(named(results, "markov_backoff").ranks[0].greater == 2);
}

TEST_CASE("the search finds the part that predicts") {
  // Every user alternates between two places, a third is the most frequent by early habit: Markov is always right.
  TableBuilder builder({"a", "b", "c", "d"});
  for (int u = 0; u < 6; ++u) {
    builder.user("u" + std::to_string(u));
    for (int i = 0; i < 12; ++i) builder.row(2, i * hour, 10 * u);
    for (int i = 0; i < 6; ++i) builder.row(i % 2, day + i * hour, 10 * u + 1);
    builder.validation(0, 2 * day).validation(1, 2 * day + hour);
    builder.test(0, 3 * day).test(1, 3 * day + hour);
  }
  const CheckinTable table = builder;
  const auto results = evaluate_counters(table);
  CHECK(accuracy(named(results, "user_frequency")) == 0);
  CHECK(accuracy(named(results, "user_markov")) == 1);
  CHECK(accuracy(named(results, "mixture")) == 1);
  CHECK(accuracy(named(results, "mixture_with_time")) == 1);
}

TEST_CASE("evaluation agrees with serving on random files") {
  for (const unsigned seed : {1u, 2u, 3u}) {
    CAPTURE(seed);
    const CheckinTable table = random_table(seed, 8, 40);
    const CounterTables tables = fit_counters(table);
    for (const CounterResult& r : evaluate_counters(table)) {
      CAPTURE(r.predictor.name);
      const auto expected = served_ranks(table, tables, Split::test, r.predictor.weights);
      REQUIRE(r.ranks.size() == expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(r.ranks[i].greater == expected[i].greater);
        CHECK(r.ranks[i].ties == expected[i].ties);
      }
    }
  }
}

TEST_CASE("no single value of the weight searched last improves a mixture, nor is the start better") {
  const auto value = [](const std::vector<RankedTarget>& ranks) {
    return estimate(hits(ranks, 1)).mean + 0.5 * estimate(reciprocal_ranks(ranks)).mean;
  };
  for (const unsigned seed : {1u, 2u, 3u, 4u, 5u}) {
    CAPTURE(seed);
    CheckinTable table = random_table(seed, 8, 40);
    const CounterTables tables = fit_counters(table);
    for (Checkin& row : table.rows)  // unknown places are left out of the search
      if (tables.candidate[static_cast<std::size_t>(row.place)] < 0) row.target = false;
    CounterWeights weights = counter_predictors(table, tables)[11].weights, start{};
    const double found = value(served_ranks(table, tables, Split::validation, weights));
    std::fill(start.begin(), start.begin() + 7, 0.1);
    CHECK(found >= value(served_ranks(table, tables, Split::validation, start)) - 1e-9);
    for (const double near : {0.0, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 0.8, 1.6}) {
      weights[static_cast<std::size_t>(CounterPart::near_last)] = near;
      CHECK(found >= value(served_ranks(table, tables, Split::validation, weights)) - 1e-8);
    }
  }
}

TEST_CASE("degenerate files") {
  SUBCASE("no test targets") {
    const CheckinTable table = TableBuilder({"a"}).user("u").row(0, 0).row(0, 1, 0, Split::test);
    CHECK_THROWS_WITH_AS(evaluate_counters(table), doctest::Contains("test split has no targets"), DataError);
  }
  SUBCASE("no training rows") {
    const CheckinTable table = TableBuilder({"a"}).user("u").test(0, 0);
    CHECK_THROWS_WITH_AS(evaluate_counters(table), doctest::Contains("no row has split"), DataError);
  }
  SUBCASE("the training split") {
    CHECK_THROWS_AS(evaluate_counters(small_table(), Split::train), DataError);
  }
  SUBCASE("one place, no history, an unknown truth") {
    const CheckinTable table = TableBuilder({"a", "b"}).user("u").test(0, 0).test(1, 1).row(0, 2);
    for (const CounterResult& r : evaluate_counters(table)) {
      CAPTURE(r.predictor.name);
      CHECK(hit(r.ranks[0], 1) == 1);
      CHECK(hit(r.ranks[1], 1) == 0);
    }
  }
  SUBCASE("validation targets that are no candidates leave the default weights") {
    const CheckinTable table = TableBuilder({"a", "b"}).user("u").row(0, 0).validation(1, 1).test(0, 2);
    CHECK(named(evaluate_counters(table), "mixture").predictor.weights[1] == 1.6);
  }
  SUBCASE("times at the ends of their range") {
    constexpr auto most = std::numeric_limits<std::int64_t>::max(), least = std::numeric_limits<std::int64_t>::min();
    const CheckinTable table =
        TableBuilder({"a", "b"}).user("u").row(0, least).row(1, most).validation(0, most).test(0, most);
    for (const CounterResult& r : evaluate_counters(table)) CHECK(std::isfinite(r.result.all.mrr.mean));
  }
}
