// From a log to batches: by hand, against a plain re-implementation, and what is refused. Schemas too.
#include "chronotope/data/click_batcher.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <utility>

#include "chronotope/data/generated_clicks.hpp"
#include "small_clicks.hpp"

using namespace chronotope;

namespace {

ClickBatch batch_of(const ClickLog& log, const BatchRules& rules, const std::vector<std::uint64_t>& samples, int threads = 1) {
  return ClickBatcher(log, schema_of(log), rules).make(samples, threads);
}

bool same(const ClickBatch& a, const ClickBatch& b) {
  return a.samples == b.samples && a.kept == b.kept && a.materials == b.materials && a.click == b.click && a.conversion == b.conversion &&
         a.hour == b.hour && a.weekday == b.weekday && a.holiday == b.holiday && a.ids == b.ids && a.numbers == b.numbers && a.valid == b.valid &&
         a.behaviour_hour == b.behaviour_hour && a.behaviour_weekday == b.behaviour_weekday && a.behaviour_ids == b.behaviour_ids &&
         a.behaviour_numbers == b.behaviour_numbers && a.age == b.age && a.review == b.review;
}

/// Full of what must not stay.
ClickBatch spoilt() {
  ClickBatch b;
  b.samples = b.kept = b.materials = 77;
  for (auto* v : {&b.click, &b.conversion, &b.holiday, &b.numbers, &b.behaviour_numbers, &b.age}) v->assign(999, NAN);
  for (auto* v : {&b.hour, &b.weekday, &b.behaviour_hour, &b.behaviour_weekday}) v->assign(999, -7);
  for (auto* v : {&b.valid, &b.review}) v->assign(999, 9);
  for (auto* v : {&b.ids, &b.behaviour_ids}) v->assign(9, std::vector<std::int32_t>(999, -7));
  return b;
}

GeneratedClicks generated() {
  GeneratedClickOptions o;
  o.users = 12, o.requests = 20, o.behaviours = 120, o.categories = 6, o.items = 150, o.cold = .3;
  return generate_clicks(o);
}

/// Indices of the behaviours a sample keeps, written down as the rules say and nothing else.
std::vector<std::size_t> kept_by_sort(const ClickLog& log, std::size_t sample, const BatchRules& rules) {
  std::vector<std::pair<float, std::size_t>> all;  // worth, index
  const auto column = [&](const std::string& name) { return std::find_if(log.behaviours.ids.begin(), log.behaviours.ids.end(), [&](const IdColumn& c) { return c.name == name; })->values; };
  for (std::size_t j = log.first[sample]; j < log.last[sample]; ++j) {
    float worth = 0;
    if (rules.search == Search::hard) worth = column("category")[j] == log.id_column("category").values[sample];
    if (rules.search == Search::soft)
      for (std::int64_t d = 0; d < rules.soft_rows.width; ++d)
        worth += rules.soft_rows.row(column("item")[j])[d] * rules.soft_rows.row(log.id_column("item").values[sample])[d];
    all.emplace_back(worth, j);
  }
  std::sort(all.rbegin(), all.rend());
  all.resize(std::min(all.size(), static_cast<std::size_t>(rules.kept)));
  std::vector<std::size_t> kept;
  for (const auto& [worth, index] : all) kept.push_back(index);
  std::sort(kept.begin(), kept.end());
  return kept;
}

/// Sample b of a batch against the log, value by value.
void check_sample(const ClickBatch& batch, std::size_t b, const ClickLog& log, std::size_t sample, const BatchRules& rules) {
  CAPTURE(sample);
  const auto k = static_cast<std::size_t>(batch.kept);
  const std::vector<std::size_t> kept = kept_by_sort(log, sample, rules);
  const std::size_t padding = k - kept.size();
  const Moments& at = log.behaviours.at;
  int wrong = batch.click[b] != log.click[sample] || batch.hour[b] != log.at.hour[sample] || batch.weekday[b] != log.at.weekday[sample];
  for (std::size_t c = 0; c < log.ids.size(); ++c) wrong += batch.ids[c][b] != log.ids[c].values[sample];
  wrong += batch.numbers[b] != log.numbers[0].values[sample];
  for (std::size_t i = 0; i < k; ++i) {
    const std::size_t place = b * k + i, j = i < padding ? 0 : kept[i - padding];
    const bool there = i >= padding;
    wrong += batch.valid[place] != there;
    wrong += batch.behaviour_hour[place] != (there ? at.hour[j] : 0) || batch.behaviour_weekday[place] != (there ? at.weekday[j] : 0);
    for (std::size_t c = 0; c < log.behaviours.ids.size(); ++c) wrong += batch.behaviour_ids[c][place] != (there ? log.behaviours.ids[c].values[j] : 0);
    wrong += batch.behaviour_numbers[place] != (there ? log.behaviours.numbers[0].values[j] : 0);
    wrong += batch.age[place] != (there ? static_cast<float>(static_cast<double>(log.at.time[sample] - at.time[j]) / 86400) : 0);
    const bool review[] = {hour_group(at.hour[j]) == hour_group(log.at.hour[sample]), week_group(at.weekday[j]) == week_group(log.at.weekday[sample]),
                           geohash_group(at.geohash[j]) == geohash_group(log.at.geohash[sample])};
    for (std::size_t m = 0; m < 3; ++m) wrong += batch.review[(b * 3 + m) * k + i] != (there && review[m]);
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("data: a batch by hand") {
  const ClickLog log = make_click_log(small_clicks::columns());
  BatchRules rules;
  rules.kept = 3;
  rules.holidays = HolidayCalendar("2024-01-02");
  const ClickBatch b = batch_of(log, rules, {1, 2, 3, 4, 2});
  CHECK(b.samples == 5);
  CHECK(b.kept == 3);
  CHECK(b.materials == 3);
  CHECK(b.click == std::vector<float>{0, 1, 0, 0, 1});
  CHECK(b.conversion == std::vector<float>{0, 0, 0, 0, 0});
  CHECK(b.hour == std::vector<std::int32_t>{5, 8, 0, 1, 8});
  CHECK(b.weekday == std::vector<std::int32_t>{0, 0, 0, 1, 0});
  CHECK(b.holiday == std::vector<float>{0, 0, 0, 1, 0});
  CHECK(b.ids == std::vector<std::vector<std::int32_t>>{{1, 1, 0, 2, 1}, {4, 5, 0, 9, 5}, {2, 0, 0, 1, 0}});
  CHECK(b.numbers == std::vector<float>{1, 2, 3, -1, 2});
  CHECK(b.valid == std::vector<std::uint8_t>{1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1});
  // Items of behaviours 0 to 8 are 1 to 9, their categories 0 1 2 0 1 | 2 0 1 2. Sample 1 (0 to 3) is of category 2: 2, and
  // the newest others 1 and 3. Sample 2 (0 to 4) is of none. Sample 4 (5 to 8) is of 1: 7, and 6 and 8.
  CHECK(b.behaviour_ids[0] == std::vector<std::int32_t>{2, 3, 4, 3, 4, 5, 0, 0, 0, 7, 8, 9, 3, 4, 5});
  CHECK(b.behaviour_ids[1] == std::vector<std::int32_t>{1, 2, 0, 2, 0, 1, 0, 0, 0, 0, 1, 2, 2, 0, 1});
  CHECK(b.behaviour_numbers == std::vector<float>{.5f, 1, 1.5f, 1, 1.5f, 2, 0, 0, 0, 3, 3.5f, 4, 1, 1.5f, 2});
  CHECK(b.behaviour_hour == std::vector<std::int32_t>{1, 2, 4, 2, 4, 5, 0, 0, 0, 1, 2, 4, 2, 4, 5});
  CHECK(b.behaviour_weekday == std::vector<std::int32_t>(15, 0));
  CHECK(b.age[0] == 15'000.f / 86'400);
  CHECK(b.age[8] == 0);
  CHECK(b.age[11] == 75'000.f / 86'400);
  // Sample 1 asks at 5:33 on Monday in wmpp2u; behaviours 1 and 3 were there, 2 was in u4pruy; 3 was at 4:10, the others earlier.
  CHECK(std::vector(b.review.begin(), b.review.begin() + 9) == std::vector<std::uint8_t>{0, 0, 1, 1, 1, 1, 1, 0, 1});
  CHECK(std::vector(b.review.begin() + 18, b.review.begin() + 27) == std::vector<std::uint8_t>(9, 0));  // all padding
}

TEST_CASE("data: the paper's request finds its review points") {
  ClickColumns c = small_clicks::columns();
  const auto put = [](ClickColumns::Times& at, std::size_t i, int hour, int weekday, const char* cell) {
    at.hour[i] = static_cast<std::uint8_t>(hour), at.weekday[i] = static_cast<std::uint8_t>(weekday), at.geohash[i] = pack_geohash6(cell);
  };
  put(c.at, 1, 12, 1, "wmpp2u");  // Tuesday 12:00
  put(c.behaviours_at, 0, 16, 5, "wkpp2u");
  put(c.behaviours_at, 1, 17, 4, "wjpp2u");
  put(c.behaviours_at, 2, 12, 1, "wmpp2u");
  put(c.behaviours_at, 3, 11, 6, "");
  const ClickLog log = make_click_log(c);
  BatchRules rules;
  rules.kept = 5;
  const auto review = [&] { return batch_of(log, rules, {1}).review; };
  using Flags = std::vector<std::uint8_t>;
  CHECK(review() == Flags{0, 1, 0, 1, 1, /**/ 0, 0, 1, 1, 0, /**/ 0, 1, 0, 1, 0});
  const GroupTable identical({"identical", "identical", "identical"}), none({"none", "none", "none"});
  rules.groups = identical;
  CHECK(review() == Flags{0, 0, 0, 1, 0, /**/ 0, 0, 0, 1, 0, /**/ 0, 0, 0, 1, 0});
  rules.groups = none;
  CHECK(review() == Flags(15, 0));
  // Where the request's place is not known, no place is a review point, not even those that are not known either.
  put(c.at, 1, 12, 1, "");
  const ClickLog lost = make_click_log(c);
  for (const GroupTable& groups : {GroupTable(), identical}) {
    rules.groups = groups;
    const Flags flags = batch_of(lost, rules, {1}).review;
    CHECK(Flags(flags.begin() + 10, flags.end()) == Flags(5, 0));
    CHECK(flags[3] == 1);
  }
}

TEST_CASE("data: batches of a generated log, value by value") {
  const ClickLog log = generated().log;
  std::vector<std::uint64_t> samples;
  constexpr unsigned seed = 13;
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 60; ++i) samples.push_back(random() % log.size());
  std::vector<float> table(static_cast<std::size_t>(log.id_column("item").rows) * 3);
  for (float& x : table) x = static_cast<float>(static_cast<int>(random() % 5) - 2);
  ClickBatch again = spoilt();
  for (const Search search : {Search::recent, Search::hard, Search::soft})
    for (const std::int64_t kept : {1, 7, 50, 300}) {
      BatchRules rules;
      rules.search = search, rules.kept = kept, rules.soft_rows = {table, 3};
      const ClickBatcher batcher(log, schema_of(log), rules);
      const ClickBatch batch = batcher.make(samples);
      CAPTURE(static_cast<int>(search));
      CAPTURE(kept);
      REQUIRE(batch.samples == 60);
      CHECK(batch.conversion.empty());
      for (std::size_t b = 0; b < samples.size(); ++b) check_sample(batch, b, log, samples[b], rules);
      for (const int threads : {2, 5, 1000}) {
        batcher.make(samples, again, threads);
        CHECK(same(batch, again));
      }
    }
}

TEST_CASE("data: no sample sees another, and searches of a shared list are remembered rightly") {
  ClickLog log = generated().log;
  // All samples as candidates of one request with one list: categories alternate, items are more than are remembered.
  std::size_t longest = 0;
  for (std::size_t i = 0; i < log.size(); ++i)
    if (log.last[i] - log.first[i] > log.last[longest] - log.first[longest]) longest = i;
  const std::vector<std::uint64_t> first(log.size(), log.first[longest]), last(log.size(), log.last[longest]);
  REQUIRE(last[0] - first[0] > 60);
  log.first = first, log.last = last;
  const std::span items = log.id_column("item").values;
  REQUIRE(std::set(items.begin(), items.end()).size() > 64);
  std::vector<float> table(static_cast<std::size_t>(log.id_column("item").rows) * 2);
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<float>(i * 7 % 11) - 5;
  std::vector<std::uint64_t> twice(2 * log.size());
  for (std::size_t i = 0; i < twice.size(); ++i) twice[i] = i % log.size();
  for (const Search search : {Search::hard, Search::soft})
    for (const std::int64_t kept : {5, 40}) {
      BatchRules rules;
      rules.search = search, rules.kept = kept, rules.soft_rows = {table, 2};
      const ClickBatch together = batch_of(log, rules, twice);
      int differ = 0;
      for (std::size_t i = 0; i < log.size(); ++i) {
        const ClickBatch alone = batch_of(log, rules, {i});
        for (const std::size_t b : {i, i + log.size()}) {
          const auto at = together.behaviour_ids[0].begin() + static_cast<std::ptrdiff_t>(b) * kept;
          differ += !std::equal(at, at + kept, alone.behaviour_ids[0].begin());
        }
      }
      CHECK(differ == 0);
    }
}

TEST_CASE("data: columns follow the schema, not the log") {
  const ClickLog log = make_click_log(small_clicks::columns());
  ClickSchema schema = schema_of(log);
  std::swap(schema.ids[0], schema.ids[2]);
  schema.ids.pop_back();
  schema.behaviour_ids.erase(schema.behaviour_ids.begin());
  schema.numbers.clear();
  schema.conversion = false;
  const std::vector<std::uint64_t> samples{0, 4};
  const ClickBatch b = ClickBatcher(log, schema).make(samples);
  CHECK(b.ids == std::vector<std::vector<std::int32_t>>{{1, 1}, {3, 9}});  // category, item
  REQUIRE(b.behaviour_ids.size() == 1);
  CHECK(b.behaviour_ids[0].back() == 2);
  CHECK(b.numbers.empty());
  CHECK(b.conversion.empty());
  CHECK(b.kept == 50);
}

TEST_CASE("data: splits") {
  const ClickLog log = make_click_log(small_clicks::columns());
  CHECK(samples_of(log, Split::train) == std::vector<std::uint64_t>{0, 1});
  CHECK(samples_of(log, Split::validation) == std::vector<std::uint64_t>{2});
  CHECK(samples_of(log, Split::test) == std::vector<std::uint64_t>{3, 4});
  const ClickBatch none = ClickBatcher(log, schema_of(log)).make({}, 4);
  CHECK(none.samples == 0);
  CHECK(none.valid.empty());
}

TEST_CASE("data: what batches cannot be made of") {
  const ClickLog log = make_click_log(small_clicks::columns());
  const std::vector<std::uint64_t> outside{0, 5};
  const ClickBatcher batcher(log, schema_of(log));
  CHECK(scratch::error_of([&] { batcher.make(outside); }) == "DataError: click batches: there is no sample 5; the log has 5");
  CHECK(scratch::error_of([&] { batcher.make({}, 0); }) == "ConfigError: click batches: threads = 0 is out of range: 1 to 1024");
  const auto error = [&](auto change) {
    BatchRules rules;
    change(rules);
    return scratch::error_of([&] { ClickBatcher(log, schema_of(log), rules); });
  };
  CHECK(error([](auto&) {}) == "");
  CHECK(error([](auto& r) { r.kept = 0; }) == "ConfigError: click batches: kept = 0 is out of range: 1 to 100000");
  CHECK(error([](auto& r) { r.search = Search::soft; }).starts_with("ConfigError: click batches: a soft search needs embeddings"));
  const std::vector<float> table(40);
  const auto soft = [&](const std::string& column, std::int64_t width) {
    return error([&](auto& r) { r.search = Search::soft, r.soft_column = column, r.soft_rows = {table, width}; });
  };
  CHECK(soft("item", 4) == "");
  CHECK(soft("itm", 4) == "DataError: the click log has no id column \"itm\"; did you mean \"item\"?");
  CHECK(soft("user", 10) == "DataError: click batches: behaviours have no id column \"user\" to search by");
  CHECK_THROWS_WITH_AS(ClickBatcher(log, schema_of(log), {.search = Search::soft, .soft_rows = {table, 3}}),
                       "[click batches] soft_rows hold 40 values; column \"item\" needs 10 rows of 3", ShapeError);
}

TEST_CASE("data: schemas as text") {
  const ClickLog log = make_click_log(small_clicks::columns());
  const ClickSchema schema = schema_of(log);
  CHECK(schema.ids.size() == 3);
  CHECK(schema.behaviour_numbers.size() == 1);
  CHECK(schema.conversion);
  const std::string text = schema_json(schema);
  CHECK(parse_schema(text) == schema);
  CHECK(parse_schema(schema_json(schema_of(generated().log))) == schema_of(generated().log));
  const auto damage = [&](const std::string& what, const std::string& with) {
    std::string bad = text;
    const auto at = bad.find(what);
    REQUIRE(at != bad.npos);
    const std::string error = scratch::error_of([&] { parse_schema(bad.replace(at, what.size(), with)); });
    CAPTURE(error);
    CHECK(error.starts_with("FormatError: click schema: "));
    return error;
  };
  CHECK(damage("{", "") == "FormatError: click schema: the text: is not a JSON object");
  CHECK(damage(text, "[]") == "FormatError: click schema: the text: is not a JSON object");
  CHECK(damage("\"numbers\"", "\"numbs\"") == "FormatError: click schema: numbers: is missing or not a list");
  CHECK(damage("\"user\"", "7") == "FormatError: click schema: ids[0]: \"name\" is missing or not text");
  CHECK(damage("\"part\":\"item\"", "\"part\":\"shop\"").find("ids[1]: its part is none") != std::string::npos);
  CHECK(damage("\"rows\":10", "\"rows\":0").find("ids[1]: \"rows\" is missing or not") != std::string::npos);
  CHECK(damage("\"rows\":10", "\"rows\":2147483648").find("ids[1]: \"rows\"") != std::string::npos);
  CHECK(damage("\"rows\":10", "\"rows\":11").find("table \"item\" has other rows elsewhere") != std::string::npos);
  CHECK(damage("\"name\":\"item\"", "\"name\":\"user\"").find("ids[1]: the name \"user\" stands twice") != std::string::npos);
  CHECK(damage("true", "1") == "FormatError: click schema: conversion: is missing or not true or false");
  for (std::size_t length = 0; length < text.size(); length += 7)
    CHECK(scratch::error_of([&] { parse_schema(text.substr(0, length)); }).starts_with("FormatError: click schema: "));
}

TEST_CASE("data: whether a log fits the schema of a model") {
  const ClickSchema schema = schema_of(make_click_log(small_clicks::columns()));
  const auto error = [&](auto change) {
    ClickColumns columns = small_clicks::columns();
    change(columns);
    return scratch::error_of([&] { check_schema(schema, view_click_columns(columns)); });
  };
  const std::string start = "DataError: the click log does not fit the model: ";
  CHECK(error([](auto&) {}) == "");
  CHECK(error([](auto& c) { std::swap(c.ids[0], c.ids[2]); }) == "");
  CHECK(error([](auto& c) { c.numbers.push_back({"more", FeaturePart::user, {}}); }) == "");
  CHECK(error([](auto& c) { c.ids[1].rows = 11; }) == start + "samples, column \"item\": 11 rows in table \"item\", the model has 10");
  CHECK(error([](auto& c) { c.ids[1].table = "t"; }) == start + "samples, column \"item\": table \"t\", the model has \"item\"");
  CHECK(error([](auto& c) { c.ids[1].part = FeaturePart::user; }) == start + "samples, column \"item\": describes the user, in the model the item");
  CHECK(error([](auto& c) { c.ids.pop_back(), c.behaviour_ids.pop_back(); }) == start + "samples, column \"category\": it is missing");
  CHECK(error([](auto& c) { c.numbers[0].name = "far"; }) == start + "samples, column \"distance\": it is missing");
  CHECK(error([](auto& c) { c.behaviour_ids.pop_back(); }) == start + "behaviours, column \"category\": it is missing");
  CHECK(error([](auto& c) { c.behaviour_numbers[0].part = FeaturePart::context; }) ==
        start + "behaviours, column \"price\": describes the context, in the model the item");
  CHECK(error([](auto& c) { c.conversion.clear(); }) == start + "samples, column \"conversion\": it is not recorded");
}
