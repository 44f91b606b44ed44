// Memory that hooks take for themselves.
#include <doctest/doctest.h>

#include <cuda_runtime.h>

#include "cuda/arrays.hpp"
#include "emulator/control.hpp"

using namespace chronotope;

namespace {

/// Bytes that both passes of linear_cross_entropy need beside their arguments.
template <class T> std::size_t scratch_of(std::int64_t Q, std::int64_t P) {
  cuda_backend::stream s;
  const Array<T> h(s, {Q, 1}), w(s, {P, 1}), nll(s, {Q}), lse(s, {Q}), dh(s, {Q, 1}), dw(s, {P, 1});
  const Array<std::int32_t> target(s, {Q});
  const auto run = [&] {
    REQUIRE(cuda_backend::try_linear_cross_entropy(s, nll.view(), lse.view(), h.view(), w.view(), target.view()));
    REQUIRE(cuda_backend::try_linear_cross_entropy_backward(s, dh.view(), dw.view(), nll.view(), h.view(), w.view(), target.view(), lse.view()));
    cuda_backend::synchronize(s);
  };
  const Array<T> a(s, {1, 1}), b(s, {1, 1}), product(s, {1, 1});
  cuda_backend::matmul(s, product.view(), a.view(), b.view(), 0);  // cuBLAS's workspace, which stays
  cuda_backend::synchronize(s);
  const std::size_t before = cuda_on_host::live_bytes();
  cuda_on_host::forget_peak();
  run();
  const std::size_t taken = cuda_on_host::peak_bytes() - before;
  run();
  CHECK(cuda_on_host::peak_bytes() - before == taken);  // kept for the calls that follow
  return taken;
}

}  // namespace

TEST_CASE("linear cross entropy takes a block of logits, however many rows and classes there are") {
  cuda_on_host::reset();
  constexpr std::size_t side = CHRONOTOPE_LOGIT_SIDE, block = side * side * 4, state = 4;  // numbers that a row of a block keeps
  for (const auto& [rows, classes] : {std::pair<std::int64_t, std::int64_t>{1, 9000}, {64, 1000}, {65, 1000}, {500, 130}}) {
    CAPTURE(rows);
    const std::size_t narrow = scratch_of<float>(rows, classes), wide = scratch_of<double>(rows, classes);
    CHECK(narrow <= block + side * state * sizeof(float));
    CHECK(wide <= block + side * state * sizeof(double));
    CHECK(wide >= block / 2);
  }
}

TEST_CASE("an operand that repeats along a batch is converted to bf16 once") {
  cuda_on_host::reset();
  cuda_backend::stream s;
  constexpr std::int64_t batch = 50, width = 64;
  const Array<float> x(s, {batch, 1, width}), w(s, {width, width}), y(s, {batch, 1, width});
  View shared = w.view();
  shared.shape = Shape{batch, width, width};
  shared.strides = {0, width, 1};
  const auto run = [&] {
    cuda_backend::matmul(s, y.view(), x.view(), shared, 0);
    cuda_backend::synchronize(s);
  };
  run();  // the workspace stays
  s.set_math(MathMode::bf16);
  const std::size_t before = cuda_on_host::live_bytes();
  cuda_on_host::forget_peak();
  run();
  run();
  CHECK(cuda_on_host::peak_bytes() - before == (batch * width + width * width) * 2);
}
