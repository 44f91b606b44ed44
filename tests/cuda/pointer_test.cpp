// Scores of a history pointer as the hook is called: packs and single pairs, bins outside their tables, what is declined.

#ifdef CHRONOTOPE_HAVE_EIGEN

#include "chronotope/backend/cuda_backend.hpp"
#include "cuda/arrays.hpp"
#include "fused/pointer.hpp"

using namespace chronotope;
using namespace chronotope::test;
using Stream = cuda_backend::stream;

namespace {

std::vector<float> numbers(std::int64_t n, std::uint64_t seed) {
  const auto values = draw(n, seed);
  return {values.begin(), values.end()};
}

/// Two relations of [2, 3, 4, keys]; everything lies `skipped` elements behind where memory begins.
struct Pointer {
  std::int64_t keys, skipped;
  Array<float> content, tables, scores, gradients;
  Array<std::int32_t> bins;

  Pointer(Stream& s, std::int64_t keys, std::int64_t skipped, const std::vector<std::int32_t>& all_bins)
      : keys(keys), skipped(skipped), content(s, {skipped + 24 * keys}, shifted(numbers(24 * keys, 1))), tables(s, {33}, numbers(33, 2)),
        scores(s, {skipped + 24 * keys}, numbers(skipped + 24 * keys, 3)), gradients(s, {33}, numbers(33, 4)),
        bins(s, {skipped + 16 * keys}, shifted(all_bins)) {}

  template <class V> std::vector<V> shifted(std::vector<V> values) const {
    values.insert(values.begin(), static_cast<std::size_t>(skipped), V());
    return values;
  }
  View grid(const Array<float>& of) const { return contiguous_view(of.view().as<float>() + skipped, DType::f32, {2, 3, 4, keys}); }
  std::vector<RelationViews> relations(const Array<float>& of) const {
    const auto at = [&](std::int64_t number) { return contiguous_view(bins.view().as<std::int32_t>() + skipped + number * 8 * keys, DType::i32, {2, 4, keys}); };
    return {{contiguous_view(of.view().data, DType::f32, {5, 3}), at(0)}, {contiguous_view(of.view().as<float>() + 15, DType::f32, {6, 3}), at(1)}};
  }
  /// Scores, then gradients as of these scores.
  std::vector<float> run(Stream& s) const {
    REQUIRE(cuda_backend::try_pointer_scores(s, grid(scores), grid(content), relations(tables), 0.5, 2));
    auto all = behind(scores);
    REQUIRE(cuda_backend::try_pointer_scores_backward(s, grid(scores), grid(content), relations(gradients), 0.5, 2));
    for (const auto& part : {behind(scores), gradients.fetch()}) all.insert(all.end(), part.begin(), part.end());
    return all;
  }
  std::vector<float> behind(const Array<float>& of) const {
    const auto all = of.fetch();
    return {all.begin() + skipped, all.end()};
  }
};

std::vector<std::int32_t> good_bins(std::int64_t keys) {
  auto all = some_bins(2, 4 * keys, 5, 1);
  const auto second = some_bins(2, 4 * keys, 6, 2);
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

}  // namespace

TEST_CASE("scores of a pointer: packs and single pairs give the same scores on a device") {
  Stream s;
  for (const std::int64_t keys : {2, 60}) {
    const Pointer packs(s, keys, 0, good_bins(keys)), single(s, keys, 1, good_bins(keys));
    const auto a = packs.run(s), b = single.run(s);
    REQUIRE(a.size() == b.size());
    const auto written = static_cast<std::size_t>(2 * 24 * keys);
    CHECK(std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(written), b.begin()));
    for (std::size_t i = written; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-6));  // stretches of warps differ
  }
}

TEST_CASE("bins outside their tables are told at the next wait, and add nothing on a device") {
  Stream s;
  for (const std::int64_t skipped : {0, 1})
    for (const std::int32_t bad : {-1, 6, 1 << 30}) {
      auto bins = good_bins(9);
      const Pointer good(s, 9, skipped, bins);
      bins[8 * 9 + 71] = bad;  // the last pair of the second relation
      const Pointer p(s, 9, skipped, bins);
      REQUIRE(cuda_backend::try_pointer_scores(s, p.grid(p.scores), p.grid(p.content), p.relations(p.tables), 0.5, 2));
      const std::string told = "id " + std::to_string(bad) + " at position 71 is outside a table of 6 rows";
      CHECK_THROWS_WITH_AS(cuda_backend::synchronize(s), doctest::Contains(told.c_str()), ShapeError);
      REQUIRE(cuda_backend::try_pointer_scores_backward(s, good.grid(good.scores), p.grid(p.content), p.relations(p.gradients), 0.5, 2));
      CHECK_THROWS_WITH_AS(cuda_backend::synchronize(s), doctest::Contains(told.c_str()), ShapeError);
      const auto without = p.gradients.fetch(), content = p.behind(p.content), scores = p.behind(p.scores);
      const auto all = good.run(s);
      const auto before = static_cast<std::size_t>(good_bins(9)[8 * 9 + 71]);
      const auto table = p.tables.fetch();
      for (std::size_t k = 0; k < 3; ++k) {
        const std::size_t last = (3 + k) * 36 + 35;
        CHECK(scores[last] == doctest::Approx(all[last] - 2 * table[15 + before * 3 + k]));
        CHECK(scores[last - 1] == all[last - 1]);
        const std::size_t at = 15 + before * 3 + k;
        CHECK(without[at] == doctest::Approx(all[2 * 216 + at] - 2 * content[last]).epsilon(1e-5));
      }
    }
}

TEST_CASE("scores of a pointer are declined where a device does not cover them, and nothing is written") {
  Stream s;
  const Pointer p(s, 5, 0, good_bins(5));
  const auto before = p.scores.fetch(), gradients = p.gradients.fetch();
  const auto declines = [&](const View& out, const View& content, const std::vector<RelationViews>& relations) {
    CHECK_FALSE(cuda_backend::try_pointer_scores(s, out, content, relations, 1, 1));
    CHECK_FALSE(cuda_backend::try_pointer_scores_backward(s, out, content, relations, 1, 1));
  };
  const View out = p.grid(p.scores), content = p.grid(p.content);
  const auto good = p.relations(p.gradients);
  const auto changed = [&](auto change) {
    auto all = good;
    change(all[1]);
    return all;
  };
  const Array<double> wide(s, {2, 3, 4, 5});
  const Array<std::int64_t> wide_bins(s, {2, 4, 5});
  const Array<float> large(s, {683, 3});
  View turned = content, spread = good[1].bins;
  std::swap(turned.strides[2], turned.strides[3]), spread.strides[0] = 0;
  declines(out, wide.view(), good);
  declines(out, turned, good);
  declines(contiguous_view(out.data, DType::f32, {2, 3, 5, 4}), content, good);
  declines(out, content, {});
  declines(out, content, std::vector<RelationViews>(9, good[0]));
  declines(out, content, changed([&](RelationViews& r) { r.bins = wide_bins.view(); }));
  declines(out, content, changed([&](RelationViews& r) { r.bins = spread; }));
  declines(out, content, changed([&](RelationViews& r) { r.table.shape = {3, 6}; }));
  declines(out, content, changed([&](RelationViews& r) { r.table = large.view(); }));
  cuda_backend::synchronize(s);
  CHECK(p.scores.fetch() == before);
  CHECK(p.gradients.fetch() == gradients);
}

#endif
