// What a model of places must never do, and what its numbers must add up to.

#include "components/tiny.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

template <class Model> std::vector<double> nll(const Model& model, const ActionBatch& batch) {
  const NoGrad no_grad;
  return model.nll(ActionTensors<Reference>(context(), batch)).template to_host<double>();
}
template <class Model> std::vector<double> probabilities(const Model& model, const ActionBatch& batch) {
  const NoGrad no_grad;
  return model.probabilities(ActionTensors<Reference>(context(), batch)).template to_host<double>();
}

void check_equal(const std::vector<double>& a, const std::vector<double>& b, double tolerance = 1e-12) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(tolerance));
}

template <class M> auto stirred() {
  auto model = M::make();
  stir(model);
  return model;
}

/// Row q of [Q, P].
std::vector<double> row(const std::vector<double>& p, std::size_t q) {
  const auto at = p.begin() + static_cast<std::ptrdiff_t>(q * tiny_places);
  return {at, at + tiny_places};
}

}  // namespace

#define EVERY_MODEL LlamaModel, GptModel, PointerModel, UserModel

TEST_CASE_TEMPLATE("probabilities sum to 1 and agree with the nll of the target", M, EVERY_MODEL) {
  const auto model = stirred<M>();
  const ActionBatch batch = made_up_batch({5, 0, 1, 4}, {0, 2, 4, 5, 9});
  const auto loss = nll(model, batch);
  const auto p = probabilities(model, batch);
  REQUIRE(loss.size() == 5);
  REQUIRE(p.size() == 5 * tiny_places);
  for (std::size_t q = 0; q < loss.size(); ++q) {
    double sum = 0;
    for (double x : row(p, q)) {
      CHECK(x >= 0);
      sum += x;
    }
    CHECK(sum == doctest::Approx(1).epsilon(1e-12));
    CHECK(std::exp(-loss[q]) == doctest::Approx(row(p, q)[static_cast<std::size_t>(batch.target[q])]).epsilon(1e-12));
  }
}

TEST_CASE_TEMPLATE("the nll of every possible target is that of its probability", M, EVERY_MODEL) {
  const auto model = stirred<M>();
  ActionBatch batch = made_up_batch({6}, {5});
  const auto p = probabilities(model, batch);
  for (std::int32_t place = 0; place < tiny_places; ++place) {
    batch.target = {place};
    CHECK(std::exp(-nll(model, batch)[0]) == doctest::Approx(p[static_cast<std::size_t>(place)]).epsilon(1e-12));
  }
}

TEST_CASE_TEMPLATE("the future does not change a prediction", M, EVERY_MODEL) {
  const auto model = stirred<M>();
  ActionBatch batch = made_up_batch({6}, {2, 3});
  const auto before = probabilities(model, batch);
  for (std::size_t i = 4; i < 6; ++i) batch.actions[i] = made_up(100 + i);
  check_equal(probabilities(model, batch), before, 1e-14);
  batch.lengths = {4};
  batch.actions.resize(4);
  check_equal(probabilities(model, batch), before);
}

TEST_CASE_TEMPLATE("nothing of the target's place is seen, all of its past is", M, EVERY_MODEL) {
  const auto model = stirred<M>();
  const ActionBatch batch = made_up_batch({4}, {3});
  const auto before = probabilities(model, batch);
  ActionBatch other = batch;
  Action& target = other.actions[3];
  target.place = (target.place + 1) % tiny_places;
  target.category = (target.category + 1) % tiny_categories;
  for (auto& cell : target.where) cell = (cell + 1) % tiny_geo_rows;
  target.latitude += 1, target.longitude -= 1;
  CHECK(probabilities(model, other) == before);
  other = batch;
  other.actions[3].when[3] = (other.actions[3].when[3] + 5) % 24;
  CHECK(probabilities(model, other) != before);  // its time is its context
  other = batch;
  other.actions[0].place = (other.actions[0].place + 1) % tiny_places;
  CHECK(probabilities(model, other) != before);
}

TEST_CASE_TEMPLATE("a sequence's prediction does not depend on its neighbours in the batch", M, EVERY_MODEL) {
  const auto model = stirred<M>();
  const ActionBatch all = made_up_batch({3, 0, 5, 1}, {2, 4, 6, 8});
  const auto together = nll(model, all);
  const std::pair<std::size_t, std::size_t> parts[] = {{0, 3}, {3, 8}, {8, 9}};
  std::vector<double> alone;
  for (const auto& [begin, end] : parts) {
    ActionBatch one;
    one.lengths = {static_cast<std::int32_t>(end - begin)};
    one.actions.assign(all.actions.begin() + static_cast<std::ptrdiff_t>(begin), all.actions.begin() + static_cast<std::ptrdiff_t>(end));
    for (std::size_t q = 0; q < all.selected.size(); ++q) {
      const auto i = static_cast<std::size_t>(all.selected[q]);
      if (i < begin || i >= end) continue;
      one.selected.push_back(static_cast<std::int32_t>(i - begin));
      one.target.push_back(all.target[q]);
    }
    for (double x : nll(model, one)) alone.push_back(x);
  }
  check_equal(alone, together);
}

TEST_CASE_TEMPLATE("asking for more actions does not change what was asked before", M, EVERY_MODEL) {
  const auto model = stirred<M>();
  const auto some = nll(model, made_up_batch({4, 3}, {3, 5})), all = nll(model, made_up_batch({4, 3}, {0, 1, 2, 3, 4, 5, 6}));
  check_equal(some, {all[3], all[5]});
}

TEST_CASE_TEMPLATE("batches without questions or without actions are answered with nothing", M, EVERY_MODEL) {
  const auto model = stirred<M>();
  CHECK(nll(model, made_up_batch({3, 2}, {})).empty());
  CHECK(probabilities(model, made_up_batch({3, 2}, {})).empty());
  CHECK(nll(model, made_up_batch({0, 0}, {})).empty());
  CHECK(nll(model, made_up_batch({}, {})).empty());
}
