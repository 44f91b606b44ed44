// The search units against plain sorts.
#include "chronotope/data/behaviour_search.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

using chronotope::EmbeddingRows;
using chronotope::ScoredBehaviour;

namespace {

using Indices = std::vector<std::size_t>;

/// The first k of all indices in the order of `before`, rising.
template <class Before> Indices first_of(std::size_t size, std::size_t k, Before before) {
  Indices all(size);
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::sort(all.begin(), all.end(), before);
  all.resize(std::min(k, size));
  std::sort(all.begin(), all.end());
  return all;
}

/// What a search writes, with a guard behind its k places.
template <class Search> Indices kept_by(std::size_t k, Search search) {
  constexpr std::size_t guard = 0xdeadbeef;
  Indices kept(k + 1, guard);
  const std::size_t n = search(std::span(kept).first(k));
  REQUIRE(n <= k);
  CHECK(kept.back() == guard);
  kept.resize(n);
  return kept;
}

Indices hard(const std::vector<std::int32_t>& categories, std::int32_t category, std::size_t k) {
  return kept_by(k, [&](auto kept) { return chronotope::search_hard(categories, category, kept); });
}

Indices soft(const std::vector<std::int32_t>& ids, std::int32_t id, const EmbeddingRows& rows, std::size_t k) {
  std::vector<ScoredBehaviour> scratch;
  return kept_by(k, [&](auto kept) { return chronotope::search_soft(ids, id, rows, kept, scratch); });
}

}  // namespace

TEST_CASE("data: the newest behaviours") {
  const auto recent = [](std::size_t m, std::size_t k) { return kept_by(k, [&](auto kept) { return chronotope::search_recent(m, kept); }); };
  CHECK(recent(5, 3) == Indices{2, 3, 4});
  CHECK(recent(2, 3) == Indices{0, 1});
  CHECK(recent(0, 3).empty());
  CHECK(recent(3, 3) == Indices{0, 1, 2});
}

TEST_CASE("data: hard search by hand") {
  const std::vector<std::int32_t> list{7, 1, 7, 2, 3, 7, 4};
  CHECK(hard(list, 7, 2) == Indices{2, 5});
  CHECK(hard(list, 7, 3) == Indices{0, 2, 5});
  CHECK(hard(list, 7, 4) == Indices{0, 2, 5, 6});  // one of the rest, the newest
  CHECK(hard(list, 7, 5) == Indices{0, 2, 4, 5, 6});
  CHECK(hard(list, 9, 3) == Indices{4, 5, 6});
  CHECK(hard(list, 7, 7) == Indices{0, 1, 2, 3, 4, 5, 6});
  CHECK(hard(list, 7, 9) == Indices{0, 1, 2, 3, 4, 5, 6});
  CHECK(hard({}, 7, 3).empty());
  CHECK(hard({0, 0, 1, 2}, 0, 2) == Indices{2, 3});  // category 0 is not known: no one's
}

TEST_CASE("data: hard search against a plain sort") {
  constexpr unsigned seed = 11;
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 400; ++round) {
    const std::size_t m = random() % 400, k = 1 + random() % 70;
    const int categories = 1 << random() % 9;
    std::vector<std::int32_t> list(m);
    for (auto& category : list) category = static_cast<std::int32_t>(random() % static_cast<unsigned>(categories));
    const auto wanted = static_cast<std::int32_t>(random() % static_cast<unsigned>(categories));
    const auto same = [&](std::size_t i) { return wanted != 0 && list[i] == wanted; };
    CAPTURE(round);
    CHECK(hard(list, wanted, k) == first_of(m, k, [&](std::size_t a, std::size_t b) { return same(a) != same(b) ? same(a) : a > b; }));
  }
}

TEST_CASE("data: soft search by hand") {
  const std::vector<float> values{0, 0, /*1*/ 1, 0, /*2*/ 0, 1, /*3*/ 2, 0, /*4*/ NAN, 0};
  const EmbeddingRows rows{values, 2};
  const std::vector<std::int32_t> list{3, 1, 2, 1, 2, 4};  // inner products with row 1: 2 1 0 1 0 NaN
  CHECK(soft(list, 1, rows, 1) == Indices{0});
  CHECK(soft(list, 1, rows, 2) == Indices{0, 3});  // of two equal ones the newer
  CHECK(soft(list, 1, rows, 3) == Indices{0, 1, 3});
  CHECK(soft(list, 1, rows, 4) == Indices{0, 1, 3, 4});
  CHECK(soft(list, 1, rows, 5) == Indices{0, 1, 2, 3, 4});
  CHECK(soft(list, 1, rows, 8) == Indices{0, 1, 2, 3, 4, 5});
  CHECK(soft(list, 4, rows, 2) == Indices{4, 5});  // nothing but NaN: the newest
  CHECK(soft({}, 1, rows, 2).empty());
}

TEST_CASE("data: soft search against a plain sort") {
  constexpr unsigned seed = 12;
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    const std::size_t m = random() % 400, k = 1 + random() % 70, width = 1 + random() % 19, count = 1 + random() % 200;
    std::vector<float> values(count * width);
    for (float& value : values) value = static_cast<float>(static_cast<int>(random() % 7) - 3);  // whole: exact, with many ties
    std::vector<std::int32_t> list(m);
    for (auto& id : list) id = static_cast<std::int32_t>(random() % count);
    const std::size_t wanted = random() % count;
    std::vector<float> score(m);
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t d = 0; d < width; ++d) score[i] += values[static_cast<std::size_t>(list[i]) * width + d] * values[wanted * width + d];
    CAPTURE(round);
    CHECK(soft(list, static_cast<std::int32_t>(wanted), {values, static_cast<std::int64_t>(width)}, k) ==
          first_of(m, k, [&](std::size_t a, std::size_t b) { return score[a] != score[b] ? score[a] > score[b] : a > b; }));
  }
}

TEST_CASE("data: searches use their scratch again") {
  const std::vector<float> values{1, 2, 3, 4};
  std::vector<ScoredBehaviour> scratch;
  scratch.reserve(3);
  const ScoredBehaviour* const before = scratch.data();
  Indices kept(3);
  const std::vector<std::int32_t> list{0, 1, 2, 3, 0, 1, 2, 3};
  for (int round = 0; round < 3; ++round) CHECK(chronotope::search_soft(list, 2, {values, 1}, kept, scratch) == 3);
  CHECK(scratch.data() == before);
}
