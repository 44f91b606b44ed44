// Attention of the oneDNN backend against naive loops in double precision.

#include "attention_fixture.hpp"

#include "chronotope/core/error.hpp"

namespace {

using namespace attention_fixture;
using chronotope::ShapeError;

TEST_CASE("attention agrees with naive loops for any head width") {
  for (const std::int64_t dim : {24, 8, 32, 33, 64, 1, 5, 128, 200, 256}) {
    check({{17, 1, 0, 2, 70}, 3, dim}, 11);
    check({{17, 1, 0, 2, 70}, 2, dim, 2, true}, 12);
  }
}

TEST_CASE("attention agrees with naive loops at training lengths") {
  check({{256, 300}, 2, 24}, 21);
  check({{256, 300}, 2, 24, 1, true}, 22);
  check({{300, 256}, 1, 32, 2}, 23);
  check({{300}, 2, 33, 7, true}, 24);
  check({{1000}, 1, 24, 3}, 25);
}

TEST_CASE("attention of one query, of short sequences, and of sequences that do not ask") {
  check({{256}, 4, 24, 256}, 31);
  check({{47, 48, 49, 1, 1, 3, 16, 15, 8}, 2, 24}, 32);
  check({{5, 40, 0, 7}, 2, 24, 1, false, 1, {1}}, 33);
  check({{60}, 2, 24, 1, false, 1, {0}}, 34);
  check({{0, 0, 3, 0}, 2, 8}, 35);
  check({{0, 0}, 2, 8}, 36);
  check({{9, 12}, 2, 8, 0}, 37);
}

TEST_CASE("attention with extreme scores stays finite and exact to its condition") {
  check({{70, 33}, 2, 24, 1, false, 5}, 41);
  Problem p({{64}, 1, 16}, 42);
  for (float& x : p.q_rows) x = 9.0f;
  for (std::int64_t t = 0; t < p.T; ++t) std::fill_n(p.at(1, t, 0), p.D, (t % 2 == 0 ? 80.0f : -80.0f) / (4 * 9.0f));
  onednn_backend::stream stream(1);
  const Results got = run(p, stream);
  const Reference want = reference(p);
  check_near("out", got.out, want.out);
  check_near("lse", got.lse, want.lse);
  check_near("dk", got.dk, want.dk);
}

TEST_CASE("attention on every instruction set") {
  for_each_instruction_set([] {
    check({{17, 1, 60}, 2, 24}, 51);
    check({{40, 9}, 2, 33, 2, true}, 52);
  });
}

TEST_CASE("attention is equal to the bit between runs and thread counts") {
  Problem p({{100, 3, 0, 256, 17, 31}, 5, 24, 1, true}, 61);
  onednn_backend::stream one(1);
  const Results first = run(p, one);
  for (const int threads : {1, 2, 3}) {
    CAPTURE(threads);
    onednn_backend::stream stream(threads);
    CHECK(run(p, stream) == first);
    CHECK(run(p, stream) == first);
  }
}

TEST_CASE("attention writes through strided outputs") {
  Problem p({{20, 30}, 2, 24, 1, true}, 71);
  onednn_backend::stream stream(2);
  const Results dense = run(p, stream);
  Buffer all(3 * p.T * p.H * p.D);
  View slices[3];
  for (int i = 0; i < 3; ++i) {
    slices[i] = contiguous_view(all.data() + i * p.H * p.D, DType::f32, {p.T, p.H, p.D});
    slices[i].strides[0] = 3 * p.H * p.D;
  }
  Results r = dense;
  REQUIRE(onednn_backend::try_attention_backward(stream, slices[0], slices[1], slices[2], p.dout_view(), p.q(),
                                                 p.part(1), p.part(2), r.out.view({p.Q, p.H, p.D}),
                                                 r.lse.view({p.Q, p.H}), p.layout(), p.scale));
  bool same = true;
  for (std::int64_t t = 0; t < p.T; ++t) {
    for (std::int64_t i = 0; i < p.H * p.D; ++i) {
      const std::int64_t from = t * p.H * p.D + i, to = 3 * t * p.H * p.D + i;
      same = same && all[to] == dense.dq[from] && all[to + p.H * p.D] == dense.dk[from] &&
             all[to + 2 * p.H * p.D] == dense.dv[from];
    }
  }
  CHECK(same);
  CHECK(all.guards_hold());
}

TEST_CASE("attention declines what it does not cover and writes nothing") {
  onednn_backend::stream stream(1);
  Problem p({{6}, 2, 8}, 81);
  Results r(p);
  const auto declined = [&](const View& q, const View& k) {
    const View out = r.out.view(q.shape), lse = r.lse.view({p.Q, p.H});
    return !onednn_backend::try_attention(stream, out, lse, q, k, p.part(2), p.layout(), 1) &&
           r.out.untouched() && r.lse.untouched();
  };
  View doubles = p.q();
  doubles.dtype = DType::f64;
  CHECK(declined(doubles, p.part(1)));
  View apart = p.part(1);
  apart.shape[2] = 4;
  apart.strides[2] = 2;
  CHECK(declined(p.q(), apart));
  Problem wide({{2}, 1, 257}, 82);
  Results w(wide);
  CHECK_FALSE(onednn_backend::try_attention(stream, w.out.view({2, 1, 257}), w.lse.view({2, 1}), wide.q(), wide.part(1),
                                            wide.part(2), wide.layout(), 1));
  CHECK(w.out.untouched());
}

TEST_CASE("attention refuses layouts that break the rules") {
  onednn_backend::stream stream(1);
  const auto refused = [&](std::vector<std::int32_t> offsets, std::vector<std::int32_t> rows) {
    Problem p({{6}, 2, 8}, 91);
    Results r(p);
    p.offsets = std::move(offsets);
    p.rows = std::move(rows);
    CHECK_THROWS_AS(onednn_backend::try_attention(stream, r.out.view({p.Q, p.H, p.D}), r.lse.view({p.Q, p.H}), p.q(),
                                                  p.part(1), p.part(2), p.layout(), 1), ShapeError);
    CHECK(r.out.untouched());
  };
  const std::vector<std::int32_t> rows{0, 1, 2, 3, 4, 5};
  refused({0, 7}, rows);
  refused({1, 6}, rows);
  refused({0, 4, 3, 6}, rows);
  refused({0, 6}, {0, 1, 2, 3, 3, 5});
  refused({0, 6}, {-1, 1, 2, 3, 4, 5});
  refused({0, 6}, {0, 1, 2, 3, 4, 6});
}

}  // namespace
