// Padding behind a row does not change what is computed of it by a bit: batches are padded to their longest history.

#include "support.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

/// [1, n + padding]: n random values, then `pad`.
Block padded(const std::vector<double>& values, std::int64_t n, std::int64_t padding, double pad) {
  Block x(DType::f32, {1, n + padding});
  for (std::int64_t i = 0; i < n + padding; ++i) set(x, i, i < n ? values[static_cast<std::size_t>(i)] : pad);
  return x;
}

}  // namespace

TEST_CASE("sums and softmax of a row do not know how much padding follows it, to the bit") {
  CAPTURE(seed());
  std::uniform_real_distribution<double> draw(-3, 3);
  std::vector<double> values(400);
  for (double& v : values) v = draw(generator());
  Fast::stream s(1);
  for (std::int64_t n = 1; n <= 330; n += 1 + n / 12) {
    const Block alone(DType::f32, {1, 1}), row(DType::f32, {1, n});
    Fast::reduce(s, Reduction::sum, alone, padded(values, n, 0, 0));
    REQUIRE(Fast::try_softmax(s, row, padded(values, n, 0, 0)));
    for (const std::int64_t padding : {1, 5, 15, 16, 17, 40, 64, 200}) {
      CAPTURE(n);
      CAPTURE(padding);
      const Block sum(DType::f32, {1, 1}), shares(DType::f32, {1, n + padding});
      Fast::reduce(s, Reduction::sum, sum, padded(values, n, padding, 0));
      CHECK(get(sum, 0) == get(alone, 0));
      REQUIRE(Fast::try_softmax(s, shares, padded(values, n, padding, -1e30)));
      int different = 0;
      for (std::int64_t i = 0; i < n; ++i) different += get(shares, i) != get(row, i);
      CHECK(different == 0);
    }
  }
}
