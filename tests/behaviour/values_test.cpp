// Behaviour modules by hand, and what they refuse.

#include "behaviour/fixture.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

using Numbers = std::vector<std::int32_t>;

/// One sample whose behaviours are all there, with these keys [k, 1].
struct Single {
  explicit Single(const std::vector<double>& keys) : keys_(of(keys, {1, static_cast<std::int64_t>(keys.size()), 1})) {
    const std::size_t k = keys.size();
    host.samples = 1, host.kept = static_cast<std::int64_t>(k);
    host.valid.assign(k, 1), host.hour = {0}, host.behaviour_hour.assign(k, 0), host.behaviour_weekday.assign(k, 0), host.age.assign(k, 0);
    host.ids = {{1}}, host.behaviour_ids.assign(3, Numbers(k));
    narrow.key = 1, narrow.kept = host.kept;
  }
  ClickInputs<Reference> inputs() const {
    const auto part = [](std::int64_t width) { return random({1, width}, 3); };
    return {host, {part(narrow.hour), part(narrow.week), part(narrow.location), part(narrow.item), T()}, keys_,
            T::from_host(context(), host.valid, {1, host.kept})};
  }

  ClickBatch host;
  ClickWidths narrow = widths;

 private:
  T keys_;
};

/// A module as a user might write it: the newest behaviour.
template <Backend B> class Newest {
 public:
  using backend = B;
  explicit Newest(const ClickWidths& widths) : widths_(widths) {}
  std::int64_t width() const { return widths_.key; }
  Tensor<B> operator()(const ClickInputs<B>& x) const { return select(kept_keys(x, widths_), 1, x.host.kept - 1); }
  template <class V> void visit(V&&) {}

 private:
  ClickWidths widths_;
};
static_assert(BehaviourModule<Newest<Reference>> && !BehaviourModule<TargetAttention<Reference>>);

/// Attention that scores everything alike and hands keys through.
void flatten(TargetAttention<Reference>& attention) {
  attention.weights.key.weight.assign(of({0}, {1, 1}));
  attention.value.weight.assign(of({1}, {1, 1}));
}

}  // namespace

TEST_CASE("a module of one's own") {
  Single s({1, 2, 6});
  check_values(Newest<Reference>(s.narrow)(s.inputs()), {6}, {1, 1});
}

TEST_CASE("GSU only is the mean of what was kept") {
  Single s({1, 2, 6});
  GsuPooling<Reference> module(context(), s.narrow, DType::f64);
  check_values(module(s.inputs()), {3}, {1, 1});
  s.host.valid = {0, 1, 1};
  check_values(module(s.inputs()), {4}, {1, 1});
}

TEST_CASE("hours lie round the clock") {
  CHECK(detail::clock_distance(23, 1) == 2);
  CHECK(detail::clock_distance(1, 23) == 2);
  CHECK(detail::clock_distance(0, 12) == 12);
  CHECK(detail::clock_distance(6, 6) == 0);
  CHECK_THROWS_AS(detail::clock_distance(24, 0), DataError);
  CHECK_THROWS_AS(detail::clock_distance(0, -1), DataError);
}

TEST_CASE("an interest clock reads hourly means by their distance") {
  Single s({1, 3, 10});
  s.host.hour = {23}, s.host.behaviour_hour = {1, 1, 23};
  InterestClock<Reference> module(context(), s.narrow, {2.0}, DType::f64);
  const double peak = 1 / (std::sqrt(2 * std::numbers::pi) * 2);
  check_values(module(s.inputs()), {peak * (10 + std::exp(-0.5) * 2)}, {1, 1});
  CHECK_THROWS_AS(InterestClock<Reference>(context(), s.narrow, {0.0}, DType::f64), ConfigError);
  s.host.behaviour_hour = {1, 24, 0};
  CHECK_THROWS_AS(module(s.inputs()), DataError);
}

TEST_CASE("ages fall into buckets that double") {
  const auto bucket = [](double hours) { return Sim<Reference>::age_bucket(hours / 24); };
  CHECK(bucket(0) == 0);
  CHECK(bucket(0.99) == 0);
  CHECK(bucket(1.01) == 1);
  CHECK(bucket(2.99) == 1);
  CHECK(bucket(3.01) == 2);
  CHECK(bucket(24) == 4);
  CHECK(bucket(-5) == 0);
  CHECK(bucket(1e9) == 15);
}

TEST_CASE("behaviours cluster by repeated item, else by category") {
  const std::vector<std::uint8_t> valid{1, 1, 1, 1, 1, 1, 0, 0, 1, 1};
  const Numbers items{7, 8, 7, 0, 0, 9, 4, 4, 4, 5}, categories{1, 2, 3, 2, 1, 2, 0, 0, 0, 0};
  const BehaviourClusters c(5, valid, items, categories);
  // First row: item 7 twice, its categories do not matter; 8 and the first unknown share category 2; the other unknown is alone.
  // Second row: 9 of category 2; 4 and 5 occur once among what is there.
  CHECK(c.row == Numbers{0, 1, 0, 1, 2, 5, 5, 5, 6, 6});
  CHECK(c.size == Numbers{2, 2, 1, 0, 0, 1, 2, 0, 0, 0});
  CHECK_THROWS_AS(BehaviourClusters(4, valid, items, categories), ShapeError);
  CHECK_THROWS_AS(BehaviourClusters(5, valid, Numbers{1, 2}, categories), ShapeError);
}

TEST_CASE("a cluster of n counts as n behaviours") {
  Single s({1, 2, 6, 11});
  s.host.behaviour_ids[0] = {3, 3, 3, 4};
  TwinV2<Reference> module(context(), s.narrow, {1, 0, 1}, DType::f64);
  flatten(module.attention);
  check_values(module(s.inputs()), {5}, {1, 1});
  TwinV2<Reference> elsewhere(context(), s.narrow, {1, 0, 7}, DType::f64);
  CHECK(error_text<ShapeError>([&] { elsewhere(s.inputs()); }).find("categories in 7 of 3 columns") != std::string::npos);
}

TEST_CASE("ST-PIL puts day, hour and region together") {
  Single s({1, 2, 6, 12});
  s.host.behaviour_weekday = {0, 0, 3, 3}, s.host.hour = {0}, s.host.behaviour_hour = {12, 23, 1, 6}, s.host.behaviour_ids[2] = {1, 1, 0, 2};
  StPil<Reference> module(context(), s.narrow, {0, 2, 1}, DType::f64);
  for (auto* a : {&module.daily, &module.near, &module.levels}) flatten(*a);
  const double daily = (1.5 + 9) / 2, hourly = (2 + 6) / 2.0, areal = 1.5, both = 2;
  check_values(module(s.inputs()), {(daily + hourly + areal + both) / 4}, {1, 1});
  s.host.ids[0] = {0};  // nowhere: neither areal nor hourly-areal, also not with the behaviour that is nowhere
  check_values(module(s.inputs()), {(daily + hourly) / 2}, {1, 1});
  s.host.behaviour_weekday[0] = 7;
  CHECK_THROWS_AS(module(s.inputs()), DataError);
  s.host.ids.clear();
  CHECK_THROWS_AS(module(s.inputs()), ShapeError);
}

TEST_CASE("a filter of ones doubles its series") {
  Single s({1, 2, 6});
  s.host.materials = 1, s.host.review = {1, 0, 1};
  Fim<Reference> module(context(), s.narrow, {1, 1}, DType::f64);
  flatten(module.attention);
  module.real.assign(full<Reference>(context(), {2, 1, 2}, 1, DType::f64));
  module.imaginary.assign(full<Reference>(context(), {2, 1, 2}, 0, DType::f64));
  check_values(module(s.inputs()), {6, 7}, {1, 2});
  s.host.materials = 0, s.host.review.clear();
  CHECK_THROWS_AS(module(s.inputs()), ShapeError);
  CHECK_THROWS_AS(Fim<Reference>(context(), s.narrow, {1, -1}, DType::f64), ConfigError);
}

TEST_CASE("heads must divide the keys, columns must be there") {
  CHECK(error_text<ConfigError>([] { MultiHeadAttention<Reference>(context(), widths, {3}, DType::f64); }).find("3 heads do not divide keys of width 4") != std::string::npos);
  CHECK_THROWS_AS(MultiHeadAttention<Reference>(context(), widths, {0}, DType::f64), ConfigError);
  CHECK_THROWS_AS(Sim<Reference>(context(), widths, {0, 3}, DType::f64), ConfigError);
  const std::vector<ClickSchema::Ids> columns{{"item", "item", FeaturePart::item, 5}, {"geohash", "geohash", FeaturePart::item, 5}};
  CHECK(column_of(columns, "geohash") == 1);
  CHECK(error_text<ConfigError>([&] { column_of(columns, "shop"); }).find("column shop; the log has item, geohash") != std::string::npos);
}
