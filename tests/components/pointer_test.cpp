#include "components/tiny.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

Action at(std::int32_t place, std::int32_t category, std::int32_t weekday, std::int32_t hour, double hours, float latitude, float longitude) {
  Action a;
  a.place = place;
  a.category = category;
  a.when = {0, 0, weekday, hour};
  a.latitude = latitude;
  a.longitude = longitude;
  a.utc = static_cast<std::int64_t>(hours * 3600);
  return a;
}

using Ints = std::vector<std::int32_t>;

/// The keys of one query of [S, M, N] values.
template <class V> std::vector<V> keys_of(const std::vector<V>& values, const PointerLayout& l, std::int64_t query) {
  const auto begin = values.begin() + query * l.keys;
  return {begin, begin + l.keys};
}

}  // namespace

TEST_CASE("the layout of a history, worked out by hand") {
  ActionBatch batch;
  batch.lengths = {5, 1};
  batch.actions = {at(3, 1, 4, 23, 0, 0, 0.1f),   at(5, 2, 5, 1, 2, 0, 0.4f), at(0, 0, 0, 8, 50, 1, 1),
                   at(3, 1, 6, 12, 99.5, 0, 0),   at(5, 2, 5, 22, 100, 9, 9), at(1, 1, 1, 1, 7, 0, 0)};
  batch.selected = {0, 4, 5};
  batch.target = {3, 5, 1};
  const PointerLayout l(batch);
  CHECK(l.sequences == 2);
  CHECK(l.keys == 5);
  CHECK(l.queries == 2);
  CHECK(l.key_action == Ints{0, 1, 2, 3, 4, 5, 0, 0, 0, 0});
  CHECK(l.key_place == Ints{3, 5, 0, 3, 5, 1, 0, 0, 0, 0});
  CHECK(l.query_action == Ints{0, 4, 5, 0});
  CHECK(l.slot == Ints{0, 1, 2});
  CHECK(l.alone == std::vector<std::uint8_t>{1, 0, 1});
  CHECK(keys_of(l.hidden, l, 0) == std::vector<std::uint8_t>{1, 1, 1, 1, 1});
  CHECK(keys_of(l.hidden, l, 1) == std::vector<std::uint8_t>{0, 0, 1, 0, 1});  // action 2 is an unknown place
  CHECK(keys_of(l.hidden, l, 2) == std::vector<std::uint8_t>{1, 1, 1, 1, 1});
  CHECK(keys_of(l.match, l, 1) == std::vector<float>{0, 1, 0, 0, 0});
  // Action 4 (Saturday, 22 h, coming from action 3 at 0, 0) and the visible past, actions 0, 1 and 3:
  CHECK(keys_of(l.recency, l, 1) == Ints{12, 12, 0, 5, 0});   // 100, 98 and 0.5 hours
  CHECK(keys_of(l.hour, l, 1) == Ints{1, 13 + 3, 0, 13 + 10, 0});  // a Friday; a Saturday over midnight; a Sunday
  CHECK(keys_of(l.weekday, l, 1) == Ints{0, 1, 0, 0, 0});
  CHECK(keys_of(l.distance, l, 1) == Ints{8, 10, 0, 0, 0});   // 11.1, 44.5 and 0 km
  CHECK(keys_of(l.follow, l, 1) == Ints{0, 3, 0, 0, 0});      // action 0, before action 1, is as action 3
}

TEST_CASE("bins end in their first and last") {
  ActionBatch batch;
  batch.lengths = {5};
  batch.actions = {at(1, 1, 0, 0, -90000, 0, 179.95f), at(2, 2, 0, 12, 100, 0, 0), at(2, 1, 0, 0, 99.999, 0, -179.95f),
                   at(4, 1, 0, 0, 200, 0, -179.95f), at(5, 1, 0, 0, 100, 0, 0)};
  batch.selected = {4};
  batch.target = {0};
  const PointerLayout l(batch);
  // Ten years; no time at all; 3.6 seconds; action 3 lies later than the question, as clocks may have it.
  CHECK(l.recency == Ints{PointerBins::recency - 1, 0, 0, 0, 0});
  CHECK(l.hour == Ints{13, 13 + 12, 13, 13, 0});
  CHECK(l.distance == Ints{8, PointerBins::distance - 1, 0, 0, 0});  // 11.1 km across the date line; half the equator
  CHECK(l.follow == Ints{0, 2, 0, 2, 0});  // the action before the question is of category 1
  CHECK(l.match == std::vector<float>(5, 0.f));
}

TEST_CASE("a pointer alone gives all probability to places of the past, each visit its share") {
  HistoryPointerHead<Reference> head(context(), tiny_head());
  head.gate.weight.assign(full<Reference>(context(), {3, tiny_width}, 0, DType::f64));
  head.gate.bias->assign(of({-60, 1, 1}));
  head.attention.query.weight.assign(full<Reference>(context(), {6, tiny_width}, 0, DType::f64));  // no content: biases decide
  ActionBatch batch = made_up_batch({4, 1}, {3, 4});
  const std::int32_t places[] = {2, 5, 2, 1, 1};
  for (std::size_t i = 0; i < 5; ++i) batch.actions[i].place = places[i];
  batch.target = {2, 1};
  const ActionTensors<Reference> actions(context(), batch);
  const T h = random({5, tiny_width}, 4);
  const auto p = head.probabilities(h, actions).to_host<double>();
  const std::vector<double> expected{0, 0, 2.0 / 3, 0, 0, 1.0 / 3};
  for (std::size_t i = 0; i < 6; ++i) CHECK(p[i] == doctest::Approx(expected[i]).epsilon(1e-12));
  CHECK(head.nll(h, actions).to_host<double>()[0] == doctest::Approx(std::log(1.5)).epsilon(1e-12));
}

TEST_CASE("who has no history is answered by the softmax alone") {
  HistoryPointerHead<Reference> head(context(), tiny_head());
  stir(head);
  head.gate.bias->assign(of({-20, 20, 20}));
  ActionBatch batch = made_up_batch({1, 3, 2}, {0, 1, 5});
  for (std::size_t i = 0; i < 6; ++i) batch.actions[i].place = static_cast<std::int32_t>(i);
  batch.actions[4].place = 0;  // the only past action of the last one is an unknown place
  const ActionTensors<Reference> actions(context(), batch);
  const T h = random({6, tiny_width}, 5);
  const auto expected = head.vocabulary.nll(gather(h, actions.selected), actions).to_host<double>();
  const auto loss = head.nll(h, actions).to_host<double>();
  for (std::size_t q = 0; q < 3; ++q) CHECK(loss[q] == doctest::Approx(expected[q]).epsilon(1e-12));
}

TEST_CASE("a target the softmax calls impossible has a finite loss and gradient") {
  HistoryPointerHead<Reference> head(context(), tiny_head());
  std::vector<double> weight(tiny_places * tiny_width, 0.0);
  for (std::int64_t i = 0; i < tiny_width; ++i) weight[static_cast<std::size_t>(i)] = 1000;  // place 0 takes all
  head.vocabulary.vocabulary.weight.assign(of(weight, {tiny_places, tiny_width}));
  ActionBatch batch = made_up_batch({1}, {0});
  batch.target = {3};
  const ActionTensors<Reference> actions(context(), batch);
  const T loss = head.nll(full<Reference>(context(), {1, tiny_width}, 1, DType::f64), actions);
  CHECK(loss.item<double>() == doctest::Approx(-std::log(1e-30)));
  backward(sum(loss));
  for (double g : testing::collected_gradient(head.gate.weight)) CHECK(std::isfinite(g));
}
