#include <doctest/doctest.h>

#include "chronotope/core/error.hpp"
#include "chronotope/core/shape.hpp"

using namespace chronotope;

TEST_CASE("a shape knows its extents, axes and elements") {
  const Shape s{2, 3, 4};
  CHECK(s.rank() == 3);
  CHECK(s[0] == 2);
  CHECK(s[-1] == 4);
  CHECK(s.elements() == 24);
  CHECK(s.axis(-3) == 0);
  CHECK(s.axis(2) == 2);
  CHECK(to_string(s) == "[2, 3, 4]");
  CHECK(Shape{}.elements() == 1);
  CHECK(to_string(Shape{}) == "[]");
  CHECK(Shape{2, 0, 3}.elements() == 0);
  const std::int64_t huge = std::int64_t{1} << 40;
  CHECK_THROWS_AS((void)Shape({huge, huge}).elements(), ShapeError);
  CHECK(Shape{huge, huge, 0}.elements() == 0);
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK_FALSE(Shape{2, 3} == Shape{2, 3, 1});
  CHECK_FALSE(Shape{2, 3} == Shape{3, 2});
}

TEST_CASE("a shape refuses what it cannot be") {
  CHECK_THROWS_AS((Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}), ShapeError);
  CHECK_THROWS_AS((Shape{2, -1}), ShapeError);
  CHECK((Shape{1, 1, 1, 1, 1, 1, 1, 1}).rank() == 8);
  CHECK_THROWS_WITH_AS((Shape{2, 3}.axis(2)), "axis 2 does not exist in shape [2, 3]", ShapeError);
  CHECK_THROWS_AS((Shape{2, 3}.axis(-3)), ShapeError);
  CHECK_THROWS_AS(Shape{}.axis(0), ShapeError);
}

TEST_CASE("broadcasting aligns trailing axes and stretches extents of 1") {
  CHECK(broadcast({2, 3}, {3}, "add") == Shape{2, 3});
  CHECK(broadcast({}, {2, 1}, "add") == Shape{2, 1});
  CHECK(broadcast({4, 1, 3}, {2, 1}, "add") == Shape{4, 2, 3});
  CHECK(broadcast({1}, {0}, "add") == Shape{0});
  CHECK(broadcast({0, 3}, {1, 1}, "add") == Shape{0, 3});
  CHECK_THROWS_WITH_AS(broadcast({2, 3}, {2, 4}, "add"), "[add] shapes do not broadcast: [2, 3] with [2, 4] (3 against 4)", ShapeError);
  CHECK_THROWS_AS(broadcast({0}, {2}, "add"), ShapeError);
}

TEST_CASE("row-major strides and what counts as contiguous") {
  const Strides strides = contiguous_strides({2, 3, 4});
  CHECK(strides[0] == 12);
  CHECK(strides[1] == 4);
  CHECK(strides[2] == 1);
  View v = contiguous_view(nullptr, DType::f32, {2, 3, 4});
  CHECK(v.contiguous());
  v.strides[0] = 24;
  CHECK_FALSE(v.contiguous());
  v.shape[0] = 1;  // the stride of an extent of 1 is never used
  CHECK(v.contiguous());
  v.strides[2] = 0;
  CHECK_FALSE(v.contiguous());
}

TEST_CASE("dtypes have names, sizes and C++ types") {
  CHECK(std::string(to_string(DType::f32)) == "f32");
  CHECK(std::string(to_string(DType::i64)) == "i64");
  for (DType t : {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8})
    CHECK(dispatch(t, [&](auto zero) { return dtype_of<decltype(zero)> == t && sizeof(zero) == size_of(t); }));
  static_assert(Element<float> && Element<std::uint8_t> && !Element<bool> && !Element<char>);
}
