// TokenTrail and TokenPointers: which past actions whoever asks may point to, and how both relate, worked out by hand.

#include "chronotope/components/token_pointers.hpp"

#include <doctest/doctest.h>

#include "chronotope/core/error.hpp"

using namespace chronotope;

namespace {

/// The step of a context at an hour, a weekday and a position.
ContextInput at(std::int32_t weekday, std::int32_t hour, std::int64_t local, TokenPosition where = {}) { return {{0, 0, weekday, hour}, {}, local, where}; }

}  // namespace

TEST_CASE("a trail knows contexts, places and who asks in them; relations worked out by hand") {
  TokenBatch batch;
  batch.sequence();
  batch.text(1);
  batch.context(at(0, 9, 0, {40, 3}));  // row 1, at a place in block 1
  batch.block(1);
  batch.inner({2, 5, {}, 0, {40, 3.1f}});
  batch.type(1);
  batch.context(at(0, 11, 7 * 24 * 3600));  // row 5: nobody knows where; an unknown place
  batch.block(2);
  batch.inner({0, 5, {}, 0, {}});
  batch.context(at(0, 10, 14 * 24 * 3600, {40, 3}));  // row 8
  const std::int32_t inside = batch.block(1);
  batch.branch({0, 9});
  const std::int32_t branch = batch.block(2);
  TokenTrail trail;
  trail.add(batch);
  REQUIRE(trail.steps().size() == 3);
  CHECK(trail.steps()[0].block == 1);
  CHECK(trail.steps()[0].inner == 2);
  CHECK(trail.steps()[2].place_row == -1);
  CHECK(trail.asker(8).step == 2);
  CHECK(trail.asker(8).block == -1);
  CHECK(trail.asker(inside).block == 1);
  CHECK(trail.asker(branch).step == 2);
  CHECK(trail.asker(branch).block == 2);
  CHECK_THROWS_WITH_AS(trail.asker(3), "[tokens] row 3 is asked for a place, but is neither a context nor a block behind one", DataError);

  const PointerAsk asks[] = {{8, Question::block}, {inside, Question::inner}, {branch, Question::inner}};
  const TokenPointers p(trail, asks);
  CHECK(p.sequences == 1);
  CHECK(p.queries == 1);
  CHECK(p.keys == 2);
  CHECK(p.hidden == std::vector<std::uint8_t>{0, 1, 0, 1, 1, 1});
  CHECK(p.value == std::vector<std::int32_t>{1, 0, 2, 0, 0, 0});
  CHECK(p.alone == std::vector<std::uint8_t>{0, 0, 1});
  CHECK(p.match(std::vector<std::int32_t>{1, 1, 0}) == std::vector<float>{1, 0, 0, 0, 0, 0});
  CHECK(p.recency == std::vector<std::int32_t>{14, 13});   // 336 and 168 hours
  CHECK(p.hour == std::vector<std::int32_t>{14, 14});      // an hour apart, both on a working day
  CHECK(p.weekday == std::vector<std::int32_t>{2, 2});
  CHECK(p.distance == std::vector<std::int32_t>{8, 16});   // 8.5 km; unknown
  CHECK(p.follow == std::vector<std::int32_t>{0, 2});      // before the second action: another place of the same category
}

TEST_CASE("a context in a branch knows the actions of its prefix and no more, worked out by hand") {
  constexpr std::int64_t week = 7 * 24 * 3600;
  TokenBatch batch;
  batch.sequence();
  batch.text(1);
  batch.context(at(0, 9, 0));  // row 1, in block 1
  batch.block(1);
  batch.inner({2, 5, {}, 0, {40, 3.1f}});
  batch.type(1);
  batch.context(at(0, 11, week));  // row 5, in block 2
  batch.block(2);
  batch.inner({3, 5, {}, 0, {40, 3}});
  batch.type(1);
  batch.context(at(0, 12, 9 * week));  // row 9: nobody asks behind it
  const auto asks_in = [&](Prefix seen, std::int32_t block) {
    batch.branch(seen);
    const std::int32_t row = batch.context(at(0, 10, 2 * week));
    batch.block(block);
    batch.inner({4, 1, {}, 0, {50, 5}});  // known to nobody
    return row;
  };
  const std::int32_t none = asks_in({0, 1}, 1), one = asks_in({0, 5}, 1), inside = asks_in({0, 7}, 1), both = asks_in({0, 9}, 2);
  TokenTrail trail;
  trail.add(batch);
  REQUIRE(trail.steps().size() == 7);
  CHECK(trail.asker(both).step == 6);
  CHECK(trail.asker(both + 1).step == 6);
  CHECK(trail.asker(both + 1).block == 2);
  for (std::size_t i = 2; i < 7; ++i) CHECK(trail.steps()[i].place_row == -1);
  const std::int32_t past[] = {0, 1, 2, 2};
  for (std::size_t i = 0; i < 4; ++i) CHECK(trail.steps()[3 + i].past == past[i]);

  const PointerAsk asks[] = {{none, Question::block}, {one, Question::block}, {one + 1, Question::inner}, {inside, Question::block}, {both, Question::block}, {both + 1, Question::inner}};
  const TokenPointers p(trail, asks);
  CHECK(p.sequences == 1);
  CHECK(p.queries == 4);
  CHECK(p.keys == 2);
  CHECK(p.alone == std::vector<std::uint8_t>{1, 0, 0, 0, 0, 0});
  CHECK(p.hidden == std::vector<std::uint8_t>{1, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0});
  CHECK(p.value == std::vector<std::int32_t>{0, 0, 1, 0, 2, 0, 1, 0, 1, 2, 0, 3});
  CHECK(p.recency == std::vector<std::int32_t>{0, 0, 14, 0, 14, 13, 14, 13});
  CHECK(p.distance == std::vector<std::int32_t>{0, 0, 0, 0, 16, 16, 8, 0});  // inside its second action nobody knows where it is
  CHECK(p.follow == std::vector<std::int32_t>{0, 0, 0, 0, 0, 0, 0, 2});

  TokenBatch more;
  more.branch({0, 9});
  more.context(at(0, 0, 0));
  more.context(at(0, 0, 0));
  CHECK_THROWS_WITH_AS(trail.add(more), "[tokens] row 23 is a second context in a branch: pointers know one a branch", DataError);
}

TEST_CASE("a trail that forgets branches is as before, and a branch that goes on is one at once") {
  TokenBatch user, branch, rest;
  user.sequence();
  user.context(at(1, 1, 1));
  user.block(2);
  user.inner({4, 1, {}, 0, {}});
  branch.branch({0, 3});
  branch.context(at(2, 2, 2));
  rest.sequence();
  rest.block(3);
  rest.inner({1, 1, {}, 0, {}});
  TokenTrail trail;
  trail.add(user);
  const TokenTrail::Mark before = trail.mark();
  for (int round = 0; round < 2; ++round) {
    trail.add(branch);
    const TokenTrail::Mark inside = trail.mark();
    for (int again = 0; again < 2; ++again) {
      trail.add(rest, true);
      CHECK(trail.asker(4).step == 1);
      CHECK(trail.asker(4).block == 3);
      CHECK(trail.steps()[1].place_row == -1);
      trail.keep(inside);
      CHECK_THROWS_AS(trail.asker(4), DataError);
    }
    trail.keep(before);
    REQUIRE(trail.steps().size() == 1);
    CHECK(trail.steps()[0].inner == 4);
    CHECK(trail.steps()[0].block == 2);
  }
}

TEST_CASE("a trail that forgets is as before, also inside an action") {
  TokenTrail trail;
  TokenBatch first, rest;
  first.sequence();
  first.context(at(1, 1, 1));
  trail.add(first);
  const TokenTrail::Mark mark = trail.mark();
  rest.sequence();
  rest.block(3);
  rest.inner({4, 1, {}, 0, {}});
  for (int round = 0; round < 2; ++round) {
    trail.add(rest, true);
    CHECK(trail.steps()[0].inner == 4);
    CHECK(trail.steps()[0].block == 3);
    trail.keep(mark);
    CHECK(trail.steps()[0].inner == 0);
    CHECK(trail.steps()[0].place_row == -1);
  }
}
