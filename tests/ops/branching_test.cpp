// Attention over sequences that branch: against its definition, gradients, and refused layouts.

#include "branching.hpp"
#include "chronotope/components/decoder.hpp"
#include "ops/support.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

using Layout = branching::Layout;

Packing<Reference> packed(const Layout& x) { return {context(), x.lengths, x.prefixes}; }

/// Attention of one head by its definition.
std::vector<double> by_definition(const Layout& x, const std::vector<double>& q, const std::vector<double>& k, const std::vector<double>& v,
                                  std::size_t width, double scale) {
  std::vector<double> out;
  for (std::size_t i = 0; i < x.rows.size(); ++i) {
    double total = 0;
    std::vector<double> mix(width, 0.0);
    for (std::int32_t key = 0; key < x.tokens(); ++key) {
      if (!x.sees(x.rows[i], key)) continue;
      const std::size_t at = static_cast<std::size_t>(key) * width;
      double score = 0;
      for (std::size_t d = 0; d < width; ++d) score += q[i * width + d] * k[at + d];
      const double weight = std::exp(score * scale);
      total += weight;
      for (std::size_t d = 0; d < width; ++d) mix[d] += weight * v[at + d];
    }
    for (double m : mix) out.push_back(m / total);
  }
  return out;
}

}  // namespace

TEST_CASE("branches stand at the positions after their prefix") {
  const Packing<Reference> packing(context(), {3, 2, 0, 1, 2, 2}, {{}, {0, 3}, {0, 2}, {0, 1}, {}, {6, 8}});
  CHECK(packing.position.to_host<std::int32_t>() == std::vector<std::int32_t>{0, 1, 2, 3, 4, 1, 0, 1, 2, 3});
  CHECK(packing.segment.to_host<std::int32_t>() == std::vector<std::int32_t>{0, 0, 0, 1, 1, 3, 4, 4, 5, 5});
  CHECK(packing.prefix.to_host<std::int32_t>() == std::vector<std::int32_t>{0, 0, 0, 3, 0, 2, 0, 1, 0, 0, 6, 8});
  CHECK(packing.positions == 5);
  const Packing<Reference> plain(context(), {3, 2}, {{}, {3, 3}});  // nothing before a segment: a root
  CHECK_FALSE(plain.prefix.defined());
  CHECK(plain.prefixes.empty());
  CHECK(plain.position.to_host<std::int32_t>() == std::vector<std::int32_t>{0, 1, 2, 0, 1});
}

TEST_CASE("attention of branches against its definition") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    std::mt19937 random_layout(seed);
    const Layout x = branching::draw(random_layout, 12, 9);
    const auto Q = static_cast<std::int64_t>(x.rows.size()), tokens = static_cast<std::int64_t>(x.tokens());
    const T q = random({Q, 1, 4}, seed), k = random({tokens, 1, 4}, seed + 100), v = random({tokens, 1, 4}, seed + 200);
    const auto expected = by_definition(x, q.to_host<double>(), k.to_host<double>(), v.to_host<double>(), 4, 0.8);
    check_values(attention(q, k, v, packed(x), ids(x.rows), 0.8), expected, {Q, 1, 4});
  }
}

TEST_CASE("a candidate's attention is that of its sequence alone") {
  // Two candidates after three tokens, and the second one packed as a sequence of its own.
  const Packing<Reference> branches(context(), {3, 2, 2}, {{}, {0, 3}, {0, 3}}), alone(context(), {5});
  const T x = random({7, 2, 4}, 5), own = gather(x, ids({0, 1, 2, 5, 6}));
  const T together = attention(x, x, x, branches, ids({0, 1, 2, 3, 4, 5, 6}), 0.5);
  check_values(gather(together, ids({0, 1, 2, 5, 6})), attention(own, own, own, alone, ids({0, 1, 2, 3, 4}), 0.5).to_host<double>(), {5, 2, 4});
}

TEST_CASE("gradients of attention of branches") {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    std::mt19937 random_layout(seed);
    const Layout x = branching::draw(random_layout, 6, 4);
    const Packing<Reference> packing = packed(x);
    const T rows = ids(x.rows);
    check_gradients("branches", {random({rows.size(0), 2, 2}, seed), random({packing.tokens(), 2, 2}, seed + 100), random({packing.tokens(), 2, 2}, seed + 200)},
                    [&](const Inputs& in) { return attention(in[0], in[1], in[2], packing, rows, 0.7); });
  }
}

TEST_CASE("prefixes that are not the first tokens of an earlier root are refused") {
  const auto refused = [](const std::vector<std::int32_t>& lengths, const std::vector<Prefix>& prefixes, const std::string& segment, const std::string& why) {
    const std::string text = error_text<ShapeError>([&] { Packing<Reference>(context(), lengths, prefixes); });
    INFO(text);
    CHECK(text.find("[packing]") != std::string::npos);
    CHECK(text.find(segment) != std::string::npos);
    CHECK(text.find(why) != std::string::npos);
  };
  refused({3, 2}, {{}}, "2 segments", "1 prefixes");
  refused({3, -1}, {{}, {0, 3}}, "segment 1", "negative length");
  refused({3, 2}, {{}, {-1, 2}}, "segment 1", "-1");
  refused({3, 2}, {{}, {2, 1}}, "segment 1", "ascend");
  refused({3, 2}, {{0, 1}, {}}, "segment 0", "before the segment");
  refused({3, 2}, {{}, {0, 4}}, "segment 1", "begins at 3");
  refused({3, 2}, {{}, {0, 2147483647}}, "segment 1", "begins at 3");
  refused({3, 2}, {{}, {1, 3}}, "segment 1", "without a prefix begins");
  refused({3, 2, 1}, {{}, {0, 3}, {3, 5}}, "segment 2", "without a prefix begins");
  refused({3, 2, 1}, {{}, {}, {0, 5}}, "segment 2", "segment 0, where it begins, ends at 3");
}

TEST_CASE("decoders count a branch's prefix among its positions") {
  const DecoderOptions options{.layers = 1, .width = 8, .heads = 2, .feed_forward = 8, .positions = 5, .dtype = DType::f64};
  const LlamaDecoder<Reference> llama(context(), options);
  const GptDecoder<Reference> gpt(context(), options);
  const auto decode = [&](const auto& decoder, std::int32_t own) {
    const Packing<Reference> packing(context(), {3, own}, {{}, {0, 3}});
    decoder.decode(random({packing.tokens(), 8}, 1), packing, ids({0}));
  };
  CHECK_NOTHROW(decode(llama, 2));
  CHECK_NOTHROW(decode(gpt, 2));
  for (const std::string& text : {error_text<ShapeError>([&] { decode(llama, 3); }), error_text<ShapeError>([&] { decode(gpt, 3); })}) {
    INFO(text);
    CHECK(text.find("6 tokens") != std::string::npos);
    CHECK(text.find("5 positions") != std::string::npos);
  }
}
