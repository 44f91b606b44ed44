// The fused hooks in several orders of threads.
#ifdef CHRONOTOPE_HAVE_EIGEN

#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/train/adam_step.hpp"
#include "emulator/control.hpp"
#include "fused/math_modes.hpp"
#include "fused/pointer.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

using Fused = cuda_backend;

void run_steps() {
  Context<Fused> c;
  const auto some = [&](const Shape& shape, std::uint64_t seed) { return upload(c, draw(shape.elements(), seed, 0.1, 1), shape, DType::f32); };
  const auto p = some({9, 40}, 1), m = some({9, 40}, 2), v = some({9, 40}, 3);
  const AdamStep step{.lr = 0.01, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .weight_decay = 0.1,
                      .correction1 = 0.1, .correction2 = 0.01, .grad_scale = 1};
  adam(p, m, v, some({9, 40}, 4), step);
  adam_rows(p, m, v, Tensor<Fused>::from_host(c, std::vector<std::int32_t>{8, 0, 3, 5, 1}, {5}), some({5, 40}, 5), step);
  for (const auto& x : {p, m, v}) on_host(x);
  on_host(sum_squares(some({50001}, 6)));
}

/// Roots and branches of theirs that lie apart, most tokens asking; units and tiles of several.
void run_attention() {
  const std::vector<std::int32_t> lengths{70, 40, 3, 2, 0, 5, 33};
  const std::vector<Prefix> prefixes{{}, {}, {0, 70}, {70, 110}, {}, {0, 33}, {70, 71}};
  std::vector<std::int32_t> rows;
  for (std::int32_t t = 0; t < 153; ++t) if (t % 5 > 0) rows.push_back(t);
  const auto Q = static_cast<std::int64_t>(rows.size());
  outcome<Fused>({{Q, 2, 24}, {153, 2, 24}, {153, 2, 24}}, DType::f32, 1, [&](auto& c, const auto& x) {
    return attention(x[0], x[1], x[2], Packing<Fused>(c, lengths, prefixes), Tensor<Fused>::from_host(c, rows, {Q}), 0.3);
  });
}

void run_products() {
  const auto run = [&](const std::vector<Shape>& shapes, auto f) { outcome<Fused>(shapes, DType::f32, 0.5, f); };
  const auto ids = [](auto& c, std::int64_t n) { return Tensor<Fused>::from_host(c, std::vector<std::int32_t>(static_cast<std::size_t>(n), 3), {n}); };
  for (const std::int64_t width : {33, 64}) {
    run({{200, 9}, {width, 9}, {width}}, [](auto&, const auto& x) { return linear(x[0], x[1], x[2], true); });
    run({{20, 9}, {width, 9}, {5, width}}, [&](auto& c, const auto& x) { return linear_grouped(x[0], x[1], x[2] * 1.0, ids(c, 20)); });
  }
  for (const auto& [rows, classes] : {std::pair<std::int64_t, std::int64_t>{130, 70}, {3, 1401}})
    run({{rows, 9}, {classes, 9}}, [&, n = rows](auto& c, const auto& x) { return linear_cross_entropy(x[0], x[1], ids(c, n)); });
}

/// Forgetting masks and interest units of 5 samples of `kept` behaviours.
void run_stim(std::int64_t kept) {
  std::vector<std::uint8_t> valid, review;
  for (std::int64_t i = 0; i < 5 * kept; ++i) valid.push_back(i / kept != 1 && i % 5 != 2);
  for (std::int64_t i = 0; i < 15 * kept; ++i) review.push_back(i * 7 % 3 == 0);
  const std::vector<double> time = draw(5 * kept, 7, 0, 9);
  const auto mask = [&](auto& c, const auto& x) {
    const ReviewTensors<Fused> at{Tensor<Fused>::from_host(c, valid, {5, kept}), Tensor<Fused>::from_host(c, review, {5, 3, kept}),
                                  upload(c, time, {5, kept}, DType::f32)};
    return forgetting_mask<Fused>(at, {x[0], x[1], x[2] + 3.0, x[3] + 2.0}, {.logistic = true});
  };
  outcome<Fused>(std::vector<Shape>(4, Shape{3}), DType::f32, 1, mask);
  const auto unit = [&](auto& c, const auto& x) {
    return hmin<Fused>({x[0], x[1], x[2], Tensor<Fused>::from_host(c, valid, {5, kept}), x[3], x[4], x[5], x[6], x[7]});
  };
  outcome<Fused>({{5, 6, 40}, {5, kept, 40}, {5, 3, kept}, {1}, {34, 40}, {34}, {2, 3, 17}, {2, 3}}, DType::f32, 1, unit);
}

/// Scores of a pointer, few and many numbers in their tables.
void run_pointer() {
  const auto run = [](const PointerSize& n, const std::vector<Shape>& shapes) {
    outcome<Fused>(shapes, DType::f32, 1, [&](auto& c, const auto& x) { return pointer_scores(x[0], some_relations<Fused>(c, n, {x.begin() + 1, x.end()}), 0.5, 8); });
  };
  run({9, 4, 20, 33, {20, 26, 4}}, {{9, 4, 20, 33}, {20, 4}, {26, 4}, {4, 4}});
  run({7, 5, 30, 10, {200, 9}}, {{7, 5, 30, 10}, {200, 5}, {9, 5}});
}

/// Runs the hooks with threads in the order of a seed; the digest of everything that came back.
std::uint64_t digest_of(std::uint64_t order) {
  cuda_on_host::reset();
  cuda_on_host::set_seed(order);
  for (const Shape& shape : {Shape{200, 34}, Shape{3, 600}}) {
    const Shape width{shape[1]};
    const auto run = [&](const std::vector<Shape>& shapes, auto f) { outcome<Fused>(shapes, DType::f32, 1, f); };
    run({shape}, [](auto&, const auto& x) { return softmax(x[0]); });
    run({shape, width}, [](auto&, const auto& x) { return rms_norm(x[0], x[1]); });
    run({shape, width, width}, [](auto&, const auto& x) { return layer_norm(x[0], x[1], x[2]); });
    run({shape}, [](auto&, const auto& x) { return swiglu(x[0]); });
    run({shape}, [](auto&, const auto& x) { return dropout(x[0], 0.5); });
    run({{shape[0], 1, shape[1]}}, [&](auto& c, const auto& x) {
      const std::vector<std::int32_t> at(static_cast<std::size_t>(shape[0]), 2);
      return rope(x[0], Tensor<Fused>::from_host(c, at, {shape[0]}), RopeTables<Fused>(c, 3, shape[1]));
    });
  }
  run_steps();
  run_attention();
  run_products();
  for (const Mode& mode : math_modes) {
    const InMode scope(mode.math);
    run_products();
  }
  for (const std::int64_t kept : {70, 600}) run_stim(kept);
  run_pointer();
  CHECK(cuda_on_host::fault() == "");
  return cuda_on_host::digest();
}

}  // namespace

TEST_CASE("fused hooks give equal bits in every order of threads") {
  const std::uint64_t digest = digest_of(1);
  for (const std::uint64_t order : {2u, 3u}) CHECK(digest_of(order) == digest);
}

#endif
