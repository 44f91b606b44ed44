// Fused equals composed, forward and backward: onednn_backend with and without its hooks in f32, both against the
// composition in f64.

#ifdef CHRONOTOPE_HAVE_ONEDNN

#include "branching.hpp"
#include "chronotope/backend/onednn_backend.hpp"
#include "chronotope/backend/primitives_only.hpp"
#include "ops/fused_comparison.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

using Fused = onednn_backend;
using Composed = primitives_only<onednn_backend>;

template <class F> void compare(const char* name, const std::vector<Shape>& shapes, double terms, F f, Taken taken = Taken::yes, double range = 1.5) {
  INFO(std::string(name), " of ", to_string(shapes[0]));
  const Outcome reference = compare_fused<Fused>(shapes, terms, f, taken, range);
  const Outcome composed = outcome<Composed>(shapes, DType::f32, range, f);
  CHECK_FALSE(composed.one_node);
  INFO("composed");
  check_close(composed, reference, terms);
}

}  // namespace

TEST_CASE("fused norms, softmax and swiglu equal their compositions") {
  for (const Shape& shape : {Shape{1}, Shape{7}, Shape{3, 5}, Shape{2, 16}, Shape{4, 3, 33}, Shape{257, 64}, Shape{5, 768}}) {
    const std::int64_t width = shape[-1];
    const auto terms = static_cast<double>(std::max(width, shape.elements() / width));
    compare("softmax", {shape}, terms, [](auto&, const auto& x) { return softmax(x[0]); });
    if (width > 1) {  // the gradient of a norm of one number is pure cancellation
      compare("rms_norm", {shape, {width}}, terms, [](auto&, const auto& x) { return rms_norm(x[0], x[1]); });
      compare("layer_norm", {shape, {width}, {width}}, terms, [](auto&, const auto& x) { return layer_norm(x[0], x[1], x[2]); });
    }
    Shape twice = shape;
    twice[-1] *= 2;
    compare("swiglu", {twice}, 1, [](auto&, const auto& x) { return swiglu(x[0]); });
  }
  compare("strided norms", {{33, 20}, {33}}, 33, [](auto&, const auto& x) { return rms_norm(transpose(x[0], 0, 1), x[1]); }, Taken::either);
  compare("strided softmax", {{33, 20}}, 33, [](auto&, const auto& x) { return softmax(transpose(x[0], 0, 1)); }, Taken::either);
}

TEST_CASE("fused rope equals its composition, backward turns back") {
  const std::tuple<std::int64_t, std::int64_t, std::int64_t> sizes[] = {{1, 1, 2}, {5, 3, 6}, {7, 2, 24}, {64, 8, 32}};
  for (const auto& [tokens, heads, width] : sizes) {
    std::vector<std::int32_t> at;
    for (std::int64_t t = 0; t < tokens; ++t) at.push_back(static_cast<std::int32_t>((t * 7 + 3) % 70));
    const auto turned = [&, w = width, n = tokens](auto& c, const auto& x) {
      using B = typename std::decay_t<decltype(c)>::backend;
      return rope(x[0], Tensor<B>::from_host(c, at, {n}), RopeTables<B>(c, 70, w, 10000, x[0].dtype()));
    };
    compare("rope", {{tokens, heads, width}}, 2, turned);
    const auto piece = [&, w = width, n = tokens](auto& c, const auto& x) {
      using B = typename std::decay_t<decltype(c)>::backend;
      return rope(select(x[0], 1, 1), Tensor<B>::from_host(c, at, {n}), RopeTables<B>(c, 70, w, 10000, x[0].dtype()));
    };
    compare("rope of a piece", {{tokens, 3, heads, width}}, 2, piece, Taken::either);
    const auto in_place = [&, w = width, n = tokens](auto& c, const auto& x) {
      using B = typename std::decay_t<decltype(c)>::backend;
      return rope_in_place(select(x[0] + x[0], 1, 1), Tensor<B>::from_host(c, at, {n}), RopeTables<B>(c, 70, w, 10000, x[0].dtype()));
    };
    compare("rope in place", {{tokens, 3, heads, width}}, 4, in_place, Taken::either);
  }
}

TEST_CASE("fused linear cross-entropy equals its composition") {
  const std::tuple<std::int64_t, std::int64_t, std::int64_t> sizes[] = {{1, 1, 2}, {3, 5, 7}, {17, 24, 300}, {64, 96, 1031}};
  for (const auto& [rows, width, classes] : sizes) {
    std::vector<std::int32_t> wanted;
    for (std::int64_t i = 0; i < rows; ++i) wanted.push_back(static_cast<std::int32_t>((i * 31 + 1) % classes));
    // Logits of a few units, as in models: e^x has the relative error of x times |x|, which the formula does not know.
    compare("linear_cross_entropy", {{rows, width}, {classes, width}}, static_cast<double>(std::max(classes, width)),
            [&, n = rows](auto& c, const auto& x) {
              using B = typename std::decay_t<decltype(c)>::backend;
              return linear_cross_entropy(x[0], x[1], Tensor<B>::from_host(c, wanted, {n}));
            }, Taken::yes, 0.5);
  }
}

TEST_CASE("fused attention equals its composition") {
  struct Case {
    std::vector<std::int32_t> lengths, rows;
    std::int64_t heads, width;
  };
  const Case cases[] = {{{1}, {0}, 1, 2},
                        {{3, 2}, {0, 1, 2, 3, 4}, 2, 4},
                        {{0, 4, 0, 0, 5, 0}, {1, 2, 8}, 3, 24},
                        {{2, 3, 2}, {6}, 2, 8},
                        // No query that sees one key: its gradient of k is pure cancellation, large beside the others here.
                        {{130, 70, 1, 33}, {5, 129, 139, 199, 203, 233}, 4, 24},
                        {{256}, {}, 2, 32}};
  for (const Case& use : cases) {
    std::vector<std::int32_t> rows = use.rows;
    std::int32_t tokens = 0;
    for (std::int32_t length : use.lengths) tokens += length;
    if (rows.empty())
      for (std::int32_t t = 0; t < tokens; ++t) rows.push_back(t);
    const auto Q = static_cast<std::int64_t>(rows.size());
    compare("attention", {{Q, use.heads, use.width}, {tokens, use.heads, use.width}, {tokens, use.heads, use.width}}, tokens,
            [&](auto& c, const auto& x) {
              using B = typename std::decay_t<decltype(c)>::backend;
              return attention(x[0], x[1], x[2], Packing<B>(c, use.lengths), Tensor<B>::from_host(c, rows, {Q}), 0.3);
            });
  }
  for (unsigned seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    std::mt19937 random_layout(seed);
    const branching::Layout x = branching::draw(random_layout, 16, 60);
    const auto Q = static_cast<std::int64_t>(x.rows.size()), tokens = static_cast<std::int64_t>(x.tokens());
    compare("attention of branches", {{Q, 2, 24}, {tokens, 2, 24}, {tokens, 2, 24}}, static_cast<double>(tokens), [&](auto& c, const auto& in) {
      using B = typename std::decay_t<decltype(c)>::backend;
      return attention(in[0], in[1], in[2], Packing<B>(c, x.lengths, x.prefixes), Tensor<B>::from_host(c, x.rows, {Q}), 0.3);
    });
  }
  compare("attention over pieces of one tensor", {{9, 3, 2, 8}}, 9, [](auto& c, const auto& x) {
    using B = typename std::decay_t<decltype(c)>::backend;
    const auto rows = Tensor<B>::from_host(c, std::vector<std::int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8}, {9});
    return attention(select(x[0], 1, 0), select(x[0], 1, 1), select(x[0], 1, 2), Packing<B>(c, {4, 5}), rows, 0.3);
  }, Taken::either);
}

TEST_CASE("fused sum of squares equals its composition") {
  Context<Fused> c;
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{1000}, Shape{257, 33}}) {
    const auto values = draw(shape.elements(), 5);
    double expected = 0, fourth = 0;
    for (double x : values) {
      expected += static_cast<float>(x) * static_cast<double>(static_cast<float>(x));
      fourth += x * x * x * x;
    }
    const auto n = static_cast<double>(std::max<std::size_t>(values.size(), 1));
    const float got = sum_squares(upload(c, values, shape, DType::f32)).item<float>();
    CHECK(std::abs(got - expected) <= testing::tolerance<float>(n, std::sqrt(fourth / n), expected));
  }
}

TEST_CASE("fused linear layers equal their compositions") {
  const std::tuple<std::int64_t, std::int64_t, std::int64_t> sizes[] = {{1, 1, 1}, {5, 7, 3}, {13, 80, 64}, {200, 64, 33}, {97, 300, 130}};
  for (const auto& [rows, in, out] : sizes)
    for (const bool relu : {false, true})
      compare("linear", {{rows, in}, {out, in}, {out}}, static_cast<double>(std::max({rows, in, out})),
              [relu](auto&, const auto& x) { return linear(x[0], x[1], x[2], relu); });
  compare("linear over leading axes", {{4, 3, 10}, {6, 10}, {6}}, 12, [](auto&, const auto& x) { return linear(x[0], x[1], x[2], true); });
  compare("linear of a transposed input", {{10, 7}, {6, 10}, {6}}, 10,
          [](auto&, const auto& x) { return linear(transpose(x[0], 0, 1), x[1], x[2]); }, Taken::either);
}

TEST_CASE("a fused linear layer with a bias for each group of rows equals its composition") {
  const std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t> sizes[] = {{1, 1, 1, 1}, {13, 7, 3, 5}, {205, 48, 64, 168}, {97, 300, 130, 9}};
  for (const auto& [rows, in, out, groups] : sizes) {
    std::vector<std::int32_t> group;
    for (std::int64_t r = 0; r < rows; ++r) group.push_back(static_cast<std::int32_t>(r * 7 % groups));
    compare("linear_grouped", {{rows, in}, {out, in}, {groups, out}}, static_cast<double>(std::max({rows, in, out})), [&, n = rows](auto& c, const auto& x) {
      using B = typename std::decay_t<decltype(x[0])>::backend;
      return linear_grouped(x[0], x[1], x[2] * 1.0, Tensor<B>::from_host(c, group, {n}));  // the gradient of a leaf would stay rows
    }, Taken::either);
  }
  Context<Fused> c;
  const auto ones = [&](std::int64_t a, std::int64_t b) { return full<Fused>(c, {a, b}, 1); };
  const auto groups = [&](std::vector<std::int32_t> g) { return Tensor<Fused>::from_host(c, g, {static_cast<std::int64_t>(g.size())}); };
  CHECK(linear_grouped(ones(2, 3), ones(4, 3), ones(2, 4), groups({0, 1})).to_host<float>() == std::vector<float>(8, 4));
  CHECK_THROWS_AS(linear_grouped(ones(2, 3), ones(4, 3), ones(2, 4), groups({0, 2})), ShapeError);   // no such group
  CHECK_THROWS_AS(linear_grouped(ones(2, 3), ones(4, 3), ones(2, 4), groups({0, -1})), ShapeError);
  CHECK_THROWS_AS(linear_grouped(ones(2, 3), ones(4, 3), ones(2, 5), groups({0, 1})), ShapeError);
  CHECK_THROWS_AS(linear_grouped(ones(2, 3), ones(4, 3), ones(2, 4), groups({0, 1, 0})), ShapeError);
}

TEST_CASE("a fused linear layer gives a row the same bits beside any others") {
  Context<Fused> c;
  const std::int64_t rows = 205, in = 600, out = 70;
  const auto x = upload(c, draw(rows * in, 1), {rows, in}, DType::f32), w = upload(c, draw(out * in, 2), {out, in}, DType::f32), b = upload(c, draw(out, 3), {out}, DType::f32);
  const auto all = linear(x, w, b, true).to_host<float>();
  for (const auto& [begin, end] : {std::pair<std::int64_t, std::int64_t>{0, 1}, {7, 9}, {100, 205}})
    CHECK(linear(slice(x, 0, begin, end), w, b, true).to_host<float>() == std::vector<float>(all.begin() + begin * out, all.begin() + end * out));
}

namespace {

/// Behaviours that are there: all, none, a tail, and one with gaps, in turn.
std::vector<std::uint8_t> some_valid(std::int64_t samples, std::int64_t kept) {
  std::vector<std::uint8_t> valid;
  for (std::int64_t b = 0; b < samples; ++b)
    for (std::int64_t j = 0; j < kept; ++j) valid.push_back(b % 4 == 0 || (b % 4 == 2 && j >= kept / 2) || (b % 4 == 3 && j % 3 != 1));
  return valid;
}

}  // namespace

TEST_CASE("a fused interest unit equals its composition") {
  struct Case {
    std::int64_t samples, queries, masks, kept, width, heads, hidden, out;
  };
  for (const Case& n : {Case{1, 1, 1, 1, 1, 1, 1, 1}, Case{5, 5, 3, 7, 8, 2, 5, 8}, Case{6, 2, 1, 50, 33, 1, 20, 70}, Case{9, 5, 3, 20, 64, 2, 32, 64}}) {
    const auto valid = some_valid(n.samples, n.kept);
    // A gradient through a unit vector of one element is pure cancellation.
    const std::vector<Shape> shapes{{n.samples, n.queries, n.width}, {n.samples, n.kept, n.width}, {n.samples, n.masks, n.kept}, {1},
                                    {n.heads * n.hidden, n.width}, {n.heads * n.hidden}, {n.heads, n.out, n.hidden}, {n.heads, n.out}};
    const auto unit = [&](auto& c, const auto& x) {
      using B = typename std::decay_t<decltype(c)>::backend;
      return hmin<B>({x[0], x[1], x[2], Tensor<B>::from_host(c, valid, {n.samples, n.kept}), x[3], x[4], x[5], x[6], x[7]});
    };
    const auto terms = static_cast<double>(std::max({n.samples * n.kept, n.samples * n.queries * n.masks, n.width, n.heads * n.hidden}));
    if (n.width > 1) compare("hmin", shapes, terms, unit, Taken::yes, 1);
    else CHECK(outcome<Fused>(shapes, DType::f32, 1, unit).one_node);
  }
}

TEST_CASE("a fused forgetting mask equals its composition") {
  const std::int64_t samples = 9, materials = 3;
  for (const std::int64_t kept : {1, 4, 50})
    for (const CurveForm form : {CurveForm::exponential, CurveForm::power, CurveForm::logarithm})
      for (const bool logistic : {false, true}) {
        const auto valid = some_valid(samples, kept);
        std::vector<std::uint8_t> review;
        std::vector<double> time;
        for (std::int64_t i = 0; i < samples * materials * kept; ++i) review.push_back(philox_uniform(3, 1, static_cast<std::uint64_t>(i)) < 0.3);
        for (std::int64_t i = 0; i < samples * kept; ++i) time.push_back(static_cast<double>(kept - i % kept) * 1.25 - 1);
        const auto mask = [&](auto& c, const auto& x) {
          using B = typename std::decay_t<decltype(c)>::backend;
          const Shape shape{samples, materials, kept};
          const ReviewTensors<B> at{Tensor<B>::from_host(c, valid, {samples, kept}), Tensor<B>::from_host(c, review, shape), upload(c, time, {samples, kept}, x[0].dtype())};
          // Constants near the paper's, whatever was drawn for them.
          return forgetting_mask<B>(at, {x[0] * 0.1 + 0.4, x[1] * 0.1 + 0.9, x[2] * 3.0 + 20.0, x[3] * 0.5 + 2.0}, {.form = form, .logistic = logistic});
        };
        const std::vector<Shape> shapes(4, Shape{materials});
        // What the least and the largest get cancels most of the rest: the terms are larger than the sums by this much.
        const double cancelled = 64;
        compare("forgetting mask", shapes, static_cast<double>(samples * kept) * cancelled, mask, Taken::either, 1);
      }
}

TEST_CASE("the fast backend refuses numbers outside their tables") {
  Context<Fused> c;
  const auto number = [&](std::vector<std::int32_t> v) { return Tensor<Fused>::from_host(c, v, {static_cast<std::int64_t>(v.size())}); };
  const auto x = full<Fused>(c, {2, 2, 4}, 1);
  for (std::int32_t bad : {-1, 5, 1 << 30}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(rope(x, number({0, bad}), RopeTables<Fused>(c, 5, 4)), ShapeError);
    CHECK_THROWS_AS(linear_cross_entropy(full<Fused>(c, {2, 3}, 1), full<Fused>(c, {5, 3}, 1), number({0, bad})), ShapeError);
    CHECK_THROWS_AS(attention(x, x, x, Packing<Fused>(c, {2}), number({0, bad}), 1), ShapeError);
  }
}

#endif
