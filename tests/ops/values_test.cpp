// Values against numbers worked out by hand or by the plain definition.

#include "ops/support.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {
const double inf = std::numeric_limits<double>::infinity();
}

TEST_CASE("values of elementwise functions") {
  const std::vector<double> at = draw(9, 1, 0.1, 2);
  const T x = of(at);
  const auto expect = [&](const T& y, double (*f)(double)) {
    std::vector<double> expected;
    for (double a : at) expected.push_back(f(a));
    check_values(y, expected, {9});
  };
  expect(neg(x), [](double a) { return -a; });
  expect(exp(x), [](double a) { return std::exp(a); });
  expect(log(x), [](double a) { return std::log(a); });
  expect(sqrt(x), [](double a) { return std::sqrt(a); });
  expect(reciprocal(x), [](double a) { return 1 / a; });
  expect(sin(x), [](double a) { return std::sin(a); });
  expect(cos(x), [](double a) { return std::cos(a); });
  expect(tanh(x), [](double a) { return std::tanh(a); });
  expect(abs(-x), [](double a) { return a; });
  expect(sigmoid(x), [](double a) { return 1 / (1 + std::exp(-a)); });
  expect(silu(x), [](double a) { return a / (1 + std::exp(-a)); });
  expect(relu(x - 1.0), [](double a) { return std::max(a - 1, 0.0); });
  expect(gelu(x), [](double a) { return 0.5 * a * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (a + 0.044715 * a * a * a))); });
  check_values(sigmoid(of({-800, 0, 800})), {0, 0.5, 1}, {3});
  check_values(silu(of({-800, 800})), {0, 800}, {2});
}

TEST_CASE("values of arithmetic, broadcast") {
  const T a = of({1, 2, 3, 4, 5, 6}, {2, 3}), b = of({10, 20}, {2, 1});
  check_values(a + b, {11, 12, 13, 24, 25, 26}, {2, 3});
  check_values(a - b, {-9, -8, -7, -16, -15, -14}, {2, 3});
  check_values(a * of({1, 0, 2}), {1, 0, 6, 4, 0, 12}, {2, 3});
  check_values(b / a, {10, 5, 10.0 / 3, 5, 4, 20.0 / 6}, {2, 3});
  check_values(maximum(a, scalar_like(a, 3.5)), {3.5, 3.5, 3.5, 4, 5, 6}, {2, 3});
  CHECK(equal(a, of({1, 5, 3})).to_host<std::uint8_t>() == std::vector<std::uint8_t>{1, 0, 1, 0, 1, 0});
  CHECK(less(a, of({2, 2, 6})).to_host<std::uint8_t>() == std::vector<std::uint8_t>{1, 0, 1, 0, 0, 0});
  CHECK((ids({5, -7}) * ids({3, 2})).to_host<std::int32_t>() == std::vector<std::int32_t>{15, -14});
  CHECK(cast(of({1.9, -1.9, 300}), DType::i32).to_host<std::int32_t>() == std::vector<std::int32_t>{1, -1, 300});
  check_values(where(less(a, of({3, 3, 3})), scalar_like(a, 0), a), {0, 0, 3, 4, 5, 6}, {2, 3});
}

TEST_CASE("values of reductions") {
  const T x = of({1, 5, 2, 4, 0, 7}, {2, 3});
  check_values(sum(x, 0), {5, 5, 9}, {3});
  check_values(sum(x, -1, true), {8, 11}, {2, 1});
  check_values(sum(x), {19}, {});
  check_values(mean(x, 1), {8.0 / 3, 11.0 / 3}, {2});
  check_values(mean(x), {19.0 / 6}, {});
  check_values(max(x, 1), {5, 7}, {2});
  check_values(cumsum(x, 1), {1, 6, 8, 4, 4, 11}, {2, 3});
  check_values(cumsum(transpose(x, 0, 1), 1), {1, 5, 5, 5, 2, 9}, {3, 2});
  check_values(sum_squares(transpose(x, 0, 1)), {95}, {});
  check_values(logsumexp(of({1000, 1000, -inf, 3}, {2, 2}), 1), {1000 + std::log(2.0), 3}, {2, 1});
  check_values(logsumexp(of({-inf, -inf, inf, 3}, {2, 2}), 1), {-inf, inf}, {2, 1});
  check_values(sum(zeros(context(), {0, 3}, DType::f64)), {0}, {});
  CHECK(std::isnan(mean(zeros(context(), {0}, DType::f64)).item<double>()));
}

TEST_CASE("values of movement") {
  const T x = of({0, 1, 2, 3, 4, 5}, {2, 3});
  check_values(transpose(x, 0, 1), {0, 3, 1, 4, 2, 5}, {3, 2});
  check_values(reshape(transpose(x, 0, 1), {2, -1}), {0, 3, 1, 4, 2, 5}, {2, 3});
  check_values(slice(x, -1, 1, 3), {1, 2, 4, 5}, {2, 2});
  check_values(select(x, 0, 1), {3, 4, 5}, {3});
  check_values(expand(select(x, 0, 0), {2, 3}), {0, 1, 2, 0, 1, 2}, {2, 3});
  check_values(concat(Inputs{x, slice(x, 1, 0, 1)}, 1), {0, 1, 2, 0, 3, 4, 5, 3}, {2, 4});
  check_values(stack(Inputs{x, -x}, 1), {0, 1, 2, 0, -1, -2, 3, 4, 5, -3, -4, -5}, {2, 2, 3});
  check_values(permute(reshape(x, {1, 2, 3}), {2, 0, 1}), {0, 3, 1, 4, 2, 5}, {3, 1, 2});
  CHECK(transpose(x, 0, 1).view().data == x.view().data);
  CHECK(contiguous(transpose(x, 0, 1)).view().contiguous());
}

TEST_CASE("values of products and look-ups") {
  check_values(matmul(of({1, 2, 3, 4}, {2, 2}), of({5, 6, 7, 8}, {2, 2})), {19, 22, 43, 50}, {2, 2});
  check_values(linear(of({1, 2}), of({3, 4, 5, 6, 7, 8}, {3, 2})), {11, 17, 23}, {3});
  check_values(matmul(zeros(context(), {2, 0}, DType::f64), zeros(context(), {0, 2}, DType::f64)), {0, 0, 0, 0}, {2, 2});
  check_values(linear(zeros(context(), {3, 0}, DType::f64), zeros(context(), {2, 0}, DType::f64)), {0, 0, 0, 0, 0, 0}, {3, 2});
  const T table = of({0, 1, 10, 11, 20, 21}, {3, 2});
  check_values(gather(table, reshape(ids({2, 0}), {1, 2})), {20, 21, 0, 1}, {1, 2, 2});
  check_values(gather_concat(Inputs{table, of({7, 8}, {2, 1})}, Inputs{ids({1, 2}), ids({1, 0})}), {10, 11, 8, 20, 21, 7}, {2, 3});
  check_values(scatter_add(table, ids({2, 2}), of({1, 2, 3, 4}, {2, 2})), {0, 1, 10, 11, 24, 27}, {3, 2});
  check_values(table, {0, 1, 10, 11, 20, 21}, {3, 2});
  const auto [values, indices] = topk(of({3, 9, 9, 1, 5, 2, 8, 8}, {2, 4}), 3);
  check_values(values, {9, 9, 3, 8, 8, 5}, {2, 3});
  CHECK(indices.to_host<std::int32_t>() == std::vector<std::int32_t>{1, 2, 0, 2, 3, 0});
}

TEST_CASE("values of norms, rope, swiglu and losses") {
  check_values(rms_norm(of({3, 4}), of({1, 2}), 0), {3 / std::sqrt(12.5), 8 / std::sqrt(12.5)}, {2});
  check_values(layer_norm(of({1, 3}), of({2, 2}), of({10, 20}), 0), {8, 22}, {2});
  check_values(softmax(of({1, 1, -inf, 1000, 1000, 1001}, {2, 3})),
               {0.5, 0.5, 0, 1 / (2 + std::exp(1.0)), 1 / (2 + std::exp(1.0)), std::exp(1.0) / (2 + std::exp(1.0))}, {2, 3});
  const RopeTables<Reference> tables(context(), 4, 4, 100, DType::f64);
  const T x = of({1, 2, 3, 4}, {1, 1, 4});
  const double a = 3, b = 3 * 0.1;  // angles at position 3: theta^0 and theta^(-1/2)
  check_values(rope(x, ids({3}), tables), {std::cos(a) - 3 * std::sin(a), 2 * std::cos(b) - 4 * std::sin(b),
                                           3 * std::cos(a) + std::sin(a), 4 * std::cos(b) + 2 * std::sin(b)}, {1, 1, 4});
  check_values(swiglu(of({1, 2, 3, 4})), {3 / (1 + std::exp(-1.0)), 8 / (1 + std::exp(-2.0))}, {2});
  check_values(cross_entropy(of({0, 0, 1000, 0}, {2, 2}), ids({1, 1})), {std::log(2.0), 1000}, {2});
  check_values(linear_cross_entropy(of({1, 2}, {1, 2}), of({0, 0, 1, 1}, {2, 2}), ids({0})), {std::log(1 + std::exp(3.0))}, {1});
}

namespace {

/// Attention by its definition: one query, one head at a time.
std::vector<double> naive_attention(const std::vector<double>& q, const std::vector<double>& k, const std::vector<double>& v,
                                    const std::vector<int>& first, const std::vector<std::int32_t>& rows, int H, int D, double scale) {
  std::vector<double> out;
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (int h = 0; h < H; ++h) {
      const int last = rows[i], begin = first[static_cast<std::size_t>(last)];
      double total = 0;
      std::vector<double> mix(static_cast<std::size_t>(D), 0.0);
      for (int j = begin; j <= last; ++j) {
        double score = 0;
        for (int d = 0; d < D; ++d) score += q[(i * H + h) * D + d] * k[(static_cast<std::size_t>(j) * H + h) * D + d];
        const double weight = std::exp(score * scale);
        total += weight;
        for (int d = 0; d < D; ++d) mix[d] += weight * v[(static_cast<std::size_t>(j) * H + h) * D + d];
      }
      for (double m : mix) out.push_back(m / total);
    }
  return out;
}

}  // namespace

TEST_CASE("attention against its definition") {
  const std::vector<std::int32_t> rows{0, 2, 3, 6};
  const std::vector<int> first{0, 0, 0, 3, 4, 4, 4};  // lengths 3, 0, 1, 3
  const Packing<Reference> packing(context(), {3, 0, 1, 3});
  CHECK(packing.tokens() == 7);
  CHECK(packing.offsets.to_host<std::int32_t>() == std::vector<std::int32_t>{0, 3, 3, 4, 7});
  CHECK(packing.position.to_host<std::int32_t>() == std::vector<std::int32_t>{0, 1, 2, 0, 0, 1, 2});
  CHECK(packing.segment.to_host<std::int32_t>() == std::vector<std::int32_t>{0, 0, 0, 2, 3, 3, 3});
  const T q = random({4, 2, 3}, 5), k = random({7, 2, 3}, 6), v = random({7, 2, 3}, 7);
  const auto expected = naive_attention(q.to_host<double>(), k.to_host<double>(), v.to_host<double>(), first, rows, 2, 3, 0.8);
  check_values(attention(q, k, v, packing, ids(rows), 0.8), expected, {4, 2, 3});
}
