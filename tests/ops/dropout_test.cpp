#include "ops/support.hpp"

#ifdef CHRONOTOPE_HAVE_ONEDNN
#include "chronotope/backend/onednn_backend.hpp"
#endif

using namespace chronotope;
using namespace chronotope::test;

namespace {

template <Backend B> std::vector<float> dropped_ones(Context<B>& c, const Shape& shape, double p) {
  return dropout(full<B>(c, shape, 1), p).template to_host<float>();
}

}  // namespace

TEST_CASE("dropout keeps the promised share and scales it") {
  Context<Reference> c({}, 99);
  for (double p : {0.1, 0.5, 0.8}) {
    const std::int64_t n = 40000;
    double kept = 0, neither = 0;
    for (float y : dropped_ones(c, {200, 200}, p)) {
      kept += y == static_cast<float>(1 / (1 - p));
      neither += y != 0 && y != static_cast<float>(1 / (1 - p));
    }
    CAPTURE(p);
    CHECK(neither == 0);
    CHECK(std::abs(kept / n - (1 - p)) < 5 * std::sqrt(p * (1 - p) / n));  // five standard deviations
  }
}

TEST_CASE("each dropout draws anew, and equal random states draw equally") {
  Context<Reference> c({}, 5);
  const auto first = dropped_ones(c, {64}, 0.5), second = dropped_ones(c, {64}, 0.5);
  CHECK(c.random().counter == 2);
  CHECK(first != second);
  c.random() = {5, 0};
  CHECK(dropped_ones(c, {64}, 0.5) == first);
  c.random() = {6, 0};
  CHECK(dropped_ones(c, {64}, 0.5) != first);
}

TEST_CASE("dropout of probability 0 is the tensor itself and draws nothing") {
  Context<Reference> c;
  const auto x = full<Reference>(c, {3}, 1);
  CHECK(dropout(x, 0).view().data == x.view().data);
  CHECK(c.random().counter == 0);
}

TEST_CASE("the mask follows row-major order and the numbers of core/philox.hpp, whatever the strides") {
  Context<Reference> c({}, 11);
  c.random().counter = 3;
  const auto x = full<Reference>(c, {6, 7}, 1);
  const auto y = dropout(transpose(x, 0, 1), 0.3).to_host<float>();
  for (std::size_t i = 0; i < y.size(); ++i) CHECK((y[i] != 0) == (philox_uniform(11, 3, i) >= 0.3f));
}

TEST_CASE("a draw next to the probability falls on the side that exact arithmetic says") {
  // 0.7 lies between two multiples of 2^-24, and f32(0.7) is the lower one: a draw that equals it must be dropped.
  const auto wanted = static_cast<std::uint32_t>(0.7 * 0x1p24);
  REQUIRE(static_cast<float>(0.7) == static_cast<float>(wanted) * 0x1p-24f);
  std::uint64_t counter = 0, at = 0;
  const std::uint64_t n = 4096;
  for (bool found = false; !found; counter += !found)
    for (std::uint64_t block = 0; block < n / 4 && !found; ++block) {
      const auto words = philox(1, counter, block);
      for (std::uint64_t i = 0; i < 4; ++i)
        if (words[i] >> 8 == wanted) found = true, at = 4 * block + i;
    }
  CAPTURE(counter);
  Context<Reference> c({}, 1);
  c.random().counter = counter;
  CHECK(dropped_ones(c, {static_cast<std::int64_t>(n)}, 0.7)[at] == 0);
#ifdef CHRONOTOPE_HAVE_ONEDNN
  Context<onednn_backend> fused(onednn_backend::stream(), 1);
  fused.random().counter = counter;
  CHECK(dropped_ones(fused, {static_cast<std::int64_t>(n)}, 0.7)[at] == 0);
#endif
}

#ifdef CHRONOTOPE_HAVE_ONEDNN
TEST_CASE("dropout and uniform numbers are equal to the bit on both backends") {
  for (const Shape& shape : {Shape{1}, Shape{7}, Shape{33, 65}, Shape{4, 3, 5}}) {
    Context<Reference> a({}, 1234567890123);
    Context<onednn_backend> b(onednn_backend::stream(), 1234567890123);
    a.random().counter = b.random().counter = 0x100000000;
    CHECK(uniform(a, shape).to_host<float>() == uniform(b, shape).to_host<float>());
    const auto values = draw(shape.elements(), 3);
    const std::vector<float> host(values.begin(), values.end());
    for (double p : {0.1, 0.3, 0.7}) {
      const auto x = Tensor<Reference>::from_host(a, host, shape);
      const auto y = Tensor<onednn_backend>::from_host(b, host, shape);
      CHECK(dropout(x, p).to_host<float>() == dropout(y, p).to_host<float>());
    }
  }
}
#endif
