// Linear layers where nothing is recorded: right, and every row with bits of its own.

#include "chronotope/autograd/parameter.hpp"
#include "chronotope/ops/ops.hpp"
#include "fused_fixture.hpp"
#include "support.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

/// Rows [begin, begin + count) of a view.
View rows(View v, std::int64_t begin, std::int64_t count) {
  v.data = v.as<float>() + begin * v.strides[0];
  v.shape[0] = count;
  return v;
}

}  // namespace

TEST_CASE("unrecorded linear layers: the bits of a row do not depend on how many there are, nor on threads") {
  fused_fixture::for_each_instruction_set([&] {
    for (const auto& [K, N] : {std::array<std::int64_t, 2>{1, 1}, {7, 5}, {48, 144}, {300, 33}, {1024, 9}, {70, 135}}) {
      constexpr std::int64_t R = 211;
      const Block x(DType::f32, {R, K}, {R, K + 3}), w = random_block({N, K}), y(DType::f32, {R, N}), part(DType::f32, {R, N}, {R, N + 2});
      randomise(x);
      std::vector<unsigned char> first;
      with_threads({&y}, [&](Fast::stream& s) {
        REQUIRE(Fast::try_linear(s, y, x, w, View{}, false));
        if (first.empty()) first = y.bytes();
        CHECK(y.bytes() == first);
        for (const std::int64_t count : {1, 2, 3, 4, 5, 6, 7, 11, 15, 16, 17, 100})
          for (const std::int64_t begin : {std::int64_t{0}, std::int64_t{9}, R - count}) {
            const View some = rows(part, begin, count);
            REQUIRE(Fast::try_linear(s, some, rows(x, begin, count), w, View{}, false));
            std::int64_t other = 0;
            for (std::int64_t i = 0; i < count * N; ++i) other += get(some, i) != get(y, begin * N + i);
            CAPTURE(seed());
            CAPTURE(count);
            CHECK(other == 0);
          }
        CHECK(part.guards_intact());
      });
      check_all("x w^T", y, [&](std::int64_t i) {
        Reference sum;
        for (std::int64_t k = 0; k < K; ++k) sum.add(get(x, i / N * K + k) * get(w, i % N * K + k));
        sum.square *= static_cast<double>(1 + K);  // without vectors the sum is one chain, whose errors grow with its length
        return sum;
      });
    }
  });
}

TEST_CASE("unrecorded linear layers that are not covered are declined") {
  Fast::stream s(1);
  const Block x = random_block({3, 4}), w = random_block({5, 4}), y(DType::f32, {3, 5}), wide(DType::f64, {3, 4});
  const std::vector<unsigned char> before = y.bytes();
  CHECK_FALSE(Fast::try_linear(s, y, x, w, View{}, true));
  CHECK_FALSE(Fast::try_linear(s, y, wide, w, View{}, false));
  CHECK_FALSE(Fast::try_linear(s, y, permuted(random_block({4, 3}), {1, 0}), w, View{}, false));
  CHECK(y.bytes() == before);
}

TEST_CASE("unrecorded cross entropy takes rows in pieces, and gives each what it gives it alone") {
  constexpr std::int64_t Q = 130, P = 40000, D = 6;  // two pieces
  Context<Fast> context(Fast::stream(2));
  const Tensor<Fast> h = uniform<Fast>(context, {Q, D}), w = uniform<Fast>(context, {P, D});
  std::vector<std::int32_t> targets;
  for (std::int32_t i = 0; i < Q; ++i) targets.push_back(i * 307 % static_cast<std::int32_t>(P));
  const Tensor<Fast> target = Tensor<Fast>::from_host(context, targets, {Q});
  const std::vector<float> recorded = linear_cross_entropy(h, w, target).to_host<float>();
  const NoGrad no_grad;
  const std::vector<float> nll = linear_cross_entropy(h, w, target).to_host<float>();
  for (std::int64_t i = 0; i < Q; ++i) {
    const auto at = static_cast<std::size_t>(i);
    CHECK(nll[at] == doctest::Approx(recorded[at]).epsilon(1e-5));
    if (i % 13 == 0) CHECK(linear_cross_entropy(slice(h, 0, i, i + 1), w, slice(target, 0, i, i + 1)).to_host<float>()[0] == nll[at]);
  }
}
