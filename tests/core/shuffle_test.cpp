// Orders drawn from a seed.

#include "chronotope/core/shuffle.hpp"

#include <doctest/doctest.h>

#include <numeric>
#include <set>

using namespace chronotope;

namespace {

std::vector<int> numbers(int n) {
  std::vector<int> v(static_cast<std::size_t>(n));
  std::iota(v.begin(), v.end(), 0);
  return v;
}

std::vector<int> in_blocks(int n, std::size_t block, std::uint64_t counter = 0) {
  std::vector<int> v = numbers(n);
  shuffle_in_blocks(v, block, 7, counter);
  return v;
}

}  // namespace

TEST_CASE("a shuffle in blocks keeps every item, and depends on seed and counter alone") {
  for (const int n : {0, 1, 15, 16, 17, 1000})
    for (const std::size_t block : {std::size_t{1}, std::size_t{3}, std::size_t{16}, std::size_t{5000}}) {
      CAPTURE(n);
      CAPTURE(block);
      std::vector<int> v = in_blocks(n, block);
      CHECK(v == in_blocks(n, block));
      std::sort(v.begin(), v.end());
      CHECK(v == numbers(n));
    }
  CHECK(in_blocks(1000, 10, 0) != in_blocks(1000, 10, 1));
}

TEST_CASE("what is mixed lies in at most sixteen runs, whose order is random") {
  const std::size_t block = 10, mixed = 16 * block;
  const std::vector<int> v = in_blocks(3200, block);
  std::set<int> firsts;
  for (std::size_t from = 0; from < v.size(); from += mixed) {
    std::set<int> runs;
    for (std::size_t i = from; i < from + mixed; ++i) runs.insert(v[i] / static_cast<int>(block));
    CHECK(runs.size() == 16);
    firsts.insert(*runs.begin());
    CHECK_FALSE(std::is_sorted(v.begin() + static_cast<std::ptrdiff_t>(from), v.begin() + static_cast<std::ptrdiff_t>(from + mixed)));
  }
  CHECK(firsts != std::set<int>{0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 272, 288, 304});
  double apart = 0;  // runs beside each other in a group come from anywhere: about a third of all away
  for (std::size_t i = 1; i < v.size(); ++i) apart += std::abs(v[i] - v[i - 1]);
  CHECK(apart / static_cast<double>(v.size()) == doctest::Approx(3200.0 / 3).epsilon(0.1));
}
