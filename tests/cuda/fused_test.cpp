// Fused equals composed, forward and backward: rows of lengths beside a warp's, narrow ones and wide ones, more rows than
// one part of a weight's gradient.

#ifdef CHRONOTOPE_HAVE_EIGEN

#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/train/adam_step.hpp"
#include "ops/fused_comparison.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

template <class F> void compare(const char* name, const std::vector<Shape>& shapes, double terms, F f, Taken taken = Taken::yes) {
  INFO(std::string(name), " of ", to_string(shapes[0]));
  compare_fused<cuda_backend>(shapes, terms, f, taken);
}

}  // namespace

TEST_CASE("fused norms and softmax on a device equal their compositions") {
  for (const Shape& shape : {Shape{1}, Shape{3, 5}, Shape{5, 31}, Shape{2, 2, 32}, Shape{7, 33}, Shape{130, 96}, Shape{5, 768}, Shape{2, 1000},
                             Shape{700, 3}}) {
    const std::int64_t width = shape[-1];
    const auto terms = static_cast<double>(std::max(width, shape.elements() / width));
    compare("softmax", {shape}, terms, [](auto&, const auto& x) { return softmax(x[0]); });
    if (width == 1) continue;  // the gradient of a norm of one number is pure cancellation
    compare("rms_norm", {shape, {width}}, terms, [](auto&, const auto& x) { return rms_norm(x[0], x[1]); });
    compare("layer_norm", {shape, {width}, {width}}, terms, [](auto&, const auto& x) { return layer_norm(x[0], x[1], x[2]); });
  }
  compare("strided norms", {{33, 20}, {33}}, 33, [](auto&, const auto& x) { return rms_norm(transpose(x[0], 0, 1), x[1]); }, Taken::either);
  compare("strided softmax", {{33, 20}}, 33, [](auto&, const auto& x) { return softmax(transpose(x[0], 0, 1)); }, Taken::either);
}

TEST_CASE("fused swiglu and rope on a device equal their compositions") {
  for (const Shape& shape : {Shape{2}, Shape{5, 62}, Shape{70, 66}, Shape{2, 3, 1200}})
    compare("swiglu", {shape}, 1, [](auto&, const auto& x) { return swiglu(x[0]); });
  const std::tuple<std::int64_t, std::int64_t, std::int64_t> sizes[] = {{1, 1, 2}, {5, 3, 6}, {64, 4, 32}, {7, 24, 64}};
  for (const auto& [tokens, heads, width] : sizes) {
    std::vector<std::int32_t> at;
    for (std::int64_t t = 0; t < tokens; ++t) at.push_back(static_cast<std::int32_t>((t * 7 + 3) % 70));
    const auto turned = [&, w = width, n = tokens](auto& c, const auto& x) {
      using B = typename std::decay_t<decltype(c)>::backend;
      return rope(x[0], Tensor<B>::from_host(c, at, {n}), RopeTables<B>(c, 70, w, 10000, x[0].dtype()));
    };
    compare("rope", {{tokens, heads, width}}, 2, turned);
    const auto in_place = [&, w = width, n = tokens](auto& c, const auto& x) {
      using B = typename std::decay_t<decltype(c)>::backend;
      return rope_in_place(select(x[0] + x[0], 1, 1), Tensor<B>::from_host(c, at, {n}), RopeTables<B>(c, 70, w, 10000, x[0].dtype()));
    };
    compare("rope in place", {{tokens, 3, heads, width}}, 4, in_place, Taken::either);
  }
}

TEST_CASE("fused dropout on a device equals its composition") {
  for (const Shape& shape : {Shape{1}, Shape{31}, Shape{5, 33}, Shape{130, 96}})
    for (const double p : {0.1, 0.999}) compare("dropout", {shape}, 1, [p](auto&, const auto& x) { return dropout(x[0], p); });
}

TEST_CASE("fused sums of squares on a device equal their composition") {
  Context<cuda_backend> c;
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{257, 33}, Shape{50001}}) {
    const auto values = draw(shape.elements(), 5);
    testing::TermSum expected;
    for (const double x : values) expected.add(static_cast<long double>(static_cast<float>(x)) * static_cast<float>(x));
    const float got = sum_squares(upload(c, values, shape, DType::f32)).item<float>();
    CHECK(std::abs(got - expected.total()) <= expected.tolerance<float>());
  }
}

namespace {

constexpr AdamStep step{.lr = 3e-4, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .weight_decay = 0.05,
                        .correction1 = 0.19, .correction2 = 0.0199, .grad_scale = 0.7};

/// Parameter and moments after a step, dense where there are no ids.
template <Backend B> Outcome stepped(const Shape& shape, const std::vector<std::int32_t>& ids, DType dtype) {
  Context<B> c(typename B::stream(), 42);
  const auto p = upload(c, draw(shape.elements(), 1), shape, dtype), m = upload(c, draw(shape.elements(), 2), shape, dtype),
             v = upload(c, draw(shape.elements(), 3, 0, 2), shape, dtype);
  Shape rows = shape;
  if (!ids.empty()) rows[0] = static_cast<std::int64_t>(ids.size());
  const auto g = upload(c, draw(rows.elements(), 4), rows, dtype);
  if (ids.empty()) adam(p, m, v, g, step);
  else adam_rows(p, m, v, Tensor<B>::from_host(c, ids, {rows[0]}), g, step);
  Outcome result;
  result.tensors = {on_host(p), on_host(m), on_host(v)};
  return result;
}

void compare_steps(const Shape& shape, const std::vector<std::int32_t>& ids) {
  INFO("a step of ", to_string(shape));
  const Outcome expected = stepped<Reference>(shape, ids, DType::f64);
  check_close(stepped<cuda_backend>(shape, ids, DType::f32), expected, 2);
  check_close<double>(stepped<cuda_backend>(shape, ids, DType::f64), expected, 2, 2);
}

}  // namespace

TEST_CASE("fused steps of AdamW on a device equal their composition") {
  for (const Shape& shape : {Shape{1}, Shape{31, 33}, Shape{9001}}) compare_steps(shape, {});
  for (const std::int64_t width : {1, 31, 32, 33, 1000}) compare_steps({20, width}, {7, 0, 19, 3, 11});
}

#endif
