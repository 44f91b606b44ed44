// What the conformance suite has too few elements for: several blocks, runs and passes.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "cuda/arrays.hpp"

using namespace chronotope;

namespace {

/// Numbers without a pattern, the same in each run.
std::vector<float> numbers(std::int64_t n, std::uint32_t state = 1) {
  std::vector<float> all(static_cast<std::size_t>(n));
  for (float& x : all) {
    state = state * 1664525u + 1013904223u;  // Numerical Recipes' generator
    x = static_cast<float>(state >> 8) * 0x1p-22f - 2;
  }
  return all;
}

}  // namespace

TEST_CASE("scatter_add of thousands of ids has a CPU's bits") {
  cuda_backend::stream stream;
  const std::int64_t rows = 7, width = 3, count = 9001;
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * i % 11 % static_cast<std::size_t>(rows));
  const std::vector<float> start = numbers(rows * width, 2), added = numbers(count * width, 3);
  std::vector<float> wanted = start;
  for (std::int64_t m = 0; m < count; ++m)
    for (std::int64_t j = 0; j < width; ++j)
      wanted[static_cast<std::size_t>(ids[static_cast<std::size_t>(m)] * width + j)] += added[static_cast<std::size_t>(m * width + j)];
  const Array<float> table(stream, {rows, width}, start), from(stream, {count, width}, added);
  cuda_backend::scatter_add(stream, table.view(), Array<std::int32_t>(stream, {count}, ids).view(), from.view());
  CHECK(table.fetch() == wanted);
}

TEST_CASE("topk of thousands, with equal ones and NaN, chosen at once and in parts") {
  cuda_backend::stream stream;
  const std::int64_t rows = 2, columns = 17001;
  std::vector<float> values = numbers(rows * columns);
  for (float& x : values) x = std::trunc(x * 100);
  for (std::size_t i = 5; i < values.size(); i += 701) values[i] = std::nanf("");
  const Array<float> in(stream, {rows, columns}, values);
  for (const std::int64_t k : {1, 40, 1500, 17001}) {  // the last at once; the third in parts on the emulated device alone
    const Array<float> best(stream, {rows, k});
    const Array<std::int32_t> indices(stream, {rows, k});
    cuda_backend::topk(stream, best.view(), indices.view(), in.view());
    std::vector<std::int32_t> wanted;
    for (std::int64_t r = 0; r < rows; ++r) {
      const auto at = [&](std::int32_t i) { return values[static_cast<std::size_t>(r * columns + i)]; };
      std::vector<std::int32_t> order(static_cast<std::size_t>(columns));
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return std::isnan(at(b)) ? !std::isnan(at(a)) : at(a) > at(b); });
      wanted.insert(wanted.end(), order.begin(), order.begin() + k);
    }
    CHECK(indices.fetch() == wanted);
    const std::vector<float> got = best.fetch();
    for (std::size_t i = 0; i < got.size(); ++i) {
      const float x = values[i / static_cast<std::size_t>(k) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(wanted[i])];
      if (std::isnan(x) ? !std::isnan(got[i]) : got[i] != x) FAIL("value " << i << " of " << k);
    }
  }
}

TEST_CASE("a transposition of several tiles and planes") {
  cuda_backend::stream stream;
  const std::int64_t planes = 2, rows = 45, columns = 70;
  const std::vector<float> values = numbers(planes * rows * columns);
  const Array<float> in(stream, {planes, columns, rows}, values), out(stream, {planes, rows, columns});
  View turned = in.view();
  std::swap(turned.shape[1], turned.shape[2]);
  std::swap(turned.strides[1], turned.strides[2]);
  cuda_backend::copy(stream, out.view(), turned);
  const std::vector<float> got = out.fetch();
  std::int64_t wrong = 0;
  for (std::int64_t p = 0; p < planes; ++p)
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t c = 0; c < columns; ++c)
        wrong += got[static_cast<std::size_t>((p * rows + r) * columns + c)] != values[static_cast<std::size_t>((p * columns + c) * rows + r)];
  CHECK(wrong == 0);
}

TEST_CASE("more elements than a grid has threads") {
  cuda_backend::stream stream;
  const std::int64_t n = 4400001, half = n / 2;
  const Array<float> x(stream, {n});
  cuda_backend::fill(stream, x.view(), 3);
  View every_second = x.view();
  every_second.shape = {half};
  every_second.strides[0] = 2;
  cuda_backend::unary(stream, Unary::neg, every_second, every_second);
  const std::vector<float> got = x.fetch();
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < n; ++i) wrong += got[static_cast<std::size_t>(i)] != (i % 2 == 0 && i < 2 * half ? -3.0f : 3.0f);
  CHECK(wrong == 0);
}

TEST_CASE("sums in many parts are exact where rounding cannot hide") {
  cuda_backend::stream stream;
  const std::int64_t n = 60000, columns = 3;
  std::vector<float> values(static_cast<std::size_t>(n * columns));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 17);
  std::vector<float> by_column(static_cast<std::size_t>(columns));
  for (std::size_t i = 0; i < values.size(); ++i) by_column[i % static_cast<std::size_t>(columns)] += values[i];
  const Array<float> in(stream, {n, columns}, values), out(stream, {1, columns}), total(stream, {1, 1});
  cuda_backend::reduce(stream, Reduction::sum, out.view(), in.view());
  cuda_backend::reduce(stream, Reduction::sum, total.view(), in.view());
  CHECK(out.fetch() == by_column);
  CHECK(total.fetch()[0] == by_column[0] + by_column[1] + by_column[2]);
}

TEST_CASE("sums keep what single additions round away, within threads and between them") {
  cuda_backend::stream stream;
  const std::int64_t rows = 3, columns = 6001;
  // Beside 2^24 an odd number is rounded away. What is large adds up to 0 in each row, so the sum is that of the small ones.
  std::vector<float> values, turned(static_cast<std::size_t>(rows * columns));
  std::vector<float> wanted;
  std::mt19937 random(7);
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<float> row;
    for (int i = 0; i < 1500; ++i) row.insert(row.end(), {0x1p24f, -0x1p24f});
    while (row.size() < static_cast<std::size_t>(columns)) row.push_back(static_cast<float>((row.size() + static_cast<std::size_t>(r)) % 4));
    wanted.push_back(std::accumulate(row.begin(), row.end(), 0.0f, [](float sum, float x) { return std::abs(x) < 4 ? sum + x : sum; }));
    std::shuffle(row.begin(), row.end(), random);
    for (std::size_t c = 0; c < row.size(); ++c) turned[c * static_cast<std::size_t>(rows) + static_cast<std::size_t>(r)] = row[c];
    values.insert(values.end(), row.begin(), row.end());
  }
  const auto sums = [&](const Shape& shape, const std::vector<float>& of, const Shape& kept) {
    const Array<float> in(stream, shape, of), out(stream, kept);
    cuda_backend::reduce(stream, Reduction::sum, out.view(), in.view());
    return out.fetch();
  };
  CHECK(sums({rows, columns}, values, {rows, 1}) == wanted);
  CHECK(sums({columns, rows}, turned, {1, rows}) == wanted);
  CHECK(sums({rows, columns}, values, {1, 1}) == std::vector<float>{wanted[0] + wanted[1] + wanted[2]});
}

TEST_CASE("sums of more columns than three blocks have") {
  cuda_backend::stream stream;
  const std::int64_t rows = 200, columns = 300;
  std::vector<float> values(static_cast<std::size_t>(rows * columns)), wanted(static_cast<std::size_t>(columns));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i % 23);
    wanted[i % wanted.size()] += values[i];
  }
  const Array<float> in(stream, {rows, columns}, values), out(stream, {1, columns});
  cuda_backend::reduce(stream, Reduction::sum, out.view(), in.view());
  CHECK(out.fetch() == wanted);
}

TEST_CASE("a batch that cuBLAS takes in several calls") {
  cuda_backend::stream stream;
  const std::int64_t outer = 2, inner = 3, m = 4, k = 5, n = 6;
  const std::vector<float> left = numbers(outer * inner * m * k), right = numbers(outer * inner * k * n, 5);
  const Array<float> a(stream, {outer, m, inner, k}, left), b(stream, {outer, inner, k, n}, right), out(stream, {outer, inner, m, n});
  View heads = a.view();  // as attention does: the axis of heads between rows
  std::swap(heads.shape[1], heads.shape[2]);
  std::swap(heads.strides[1], heads.strides[2]);
  cuda_backend::matmul(stream, out.view(), heads, b.view(), 0);
  const std::vector<float> got = out.fetch();
  double worst = 0;
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t h = 0; h < inner; ++h)
      for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t j = 0; j < n; ++j) {
          double sum = 0;
          for (std::int64_t x = 0; x < k; ++x)
            sum += static_cast<double>(left[static_cast<std::size_t>(((o * m + i) * inner + h) * k + x)]) *
                   static_cast<double>(right[static_cast<std::size_t>(((o * inner + h) * k + x) * n + j)]);
          worst = std::max(worst, std::abs(sum - static_cast<double>(got[static_cast<std::size_t>(((o * inner + h) * m + i) * n + j)])));
        }
  CHECK(worst < 1e-5);  // sums of 5 products below 4: 8 roundoffs of 20
}
