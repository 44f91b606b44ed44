// Encoding piece by piece, with candidates in between, is encoding everything at once.

#include "generative/tiny.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

/// A user's actions, then candidates; asks u and the last token of each candidate.
struct Question11 {
  TokenMaker make;
  std::vector<InnerInput> inners;
  std::vector<std::int32_t> blocks;
  Question11(std::uint64_t seed, int candidates) : make(seed) {
    for (int i = 0; i < candidates; ++i) inners.push_back(make.inner()), blocks.push_back(make.below(4));
  }
};

void add_candidate(TokenBatch& batch, Prefix seen, const Question11& q, std::size_t i) {
  batch.branch(seen);
  batch.block(q.blocks[i]);
  batch.ask(batch.inner(q.inners[i]), Question::state);
}

std::vector<double> host(const T& x) { return x.to_host<double>(); }

/// Equal but for the order in which products of other sizes are added up.
void check_equal(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-11));
}

}  // namespace

TEST_CASE_TEMPLATE("a decoder that goes on gives what it gives at once", D, LlamaDecoder<Reference>, GptDecoder<Reference>) {
  D decoder(context(), tiny_decoder());
  stir(decoder);
  const NoGrad no_grad;
  const T x = random({9, tiny_width}, 4);
  const Packing<Reference> whole(context(), {9});
  const T wanted = decoder.decode(x, whole, ids({0, 1, 2, 3, 4, 5, 6, 7, 8}));
  for (const std::int64_t cut : {1, 4, 8}) {
    KeyValues<Reference> past;
    std::vector<std::int32_t> early, late;
    for (std::int32_t r = 0; r < 9; ++r) (r < cut ? early : late).push_back(r);
    const T a = decoder.decode_more(slice(x, 0, 0, cut), Packing<Reference>(context(), {static_cast<std::int32_t>(cut)}), ids(early), past);
    const T b = decoder.decode_more(slice(x, 0, cut, 9), whole, ids(late), past);
    CHECK(past.tokens() == 9);
    check_equal(host(concat(Inputs{a, b}, 0)), host(wanted));
  }
}

TEST_CASE("new tokens must be the packing's last") {
  LlamaDecoder<Reference> decoder(context(), tiny_decoder());
  KeyValues<Reference> past;
  CHECK_THROWS_WITH_AS(decoder.decode_more(random({2, tiny_width}, 1), Packing<Reference>(context(), {3}), ids({1}), past),
                       "[decode_more] 0 tokens before and 2 new ones are not the packing's 3", ShapeError);
  CHECK_THROWS_AS(past.keep(1), ShapeError);
}

TEST_CASE("a user encoded once and asked with candidates equals the full pass, and forgets the candidates") {
  auto model = tiny_generative();
  stir(model);
  const NoGrad no_grad;
  const Question11 q(6, 5);
  const auto history = [](TokenBatch& batch) {
    TokenMaker make(7);
    make.text(batch, 3);
    for (int i = 0; i < 4; ++i) make.action(batch, false);
  };
  TokenBatch all;
  all.sequence();
  history(all);
  const std::int32_t u = all.context(TokenMaker(8).context());
  for (std::size_t i = 0; i < 5; ++i) add_candidate(all, {0, u + 1}, q, i);
  const std::vector<double> wanted = host(model.hidden(TokenTensors<Reference>(context(), all)));

  Encoded<Reference> user;
  TokenBatch first;
  first.sequence();
  history(first);
  first.ask(first.tokens() - 1, Question::state);
  user.add(context(), model, first);
  for (int round = 0; round < 2; ++round) {
    const auto mark = user.mark();
    TokenBatch request;
    request.sequence();
    request.context(TokenMaker(8).context());
    request.ask(0, Question::state);
    user.extend(context(), model, request);
    TokenBatch candidates;
    for (std::size_t i = 0; i < 5; ++i) add_candidate(candidates, {0, u + 1}, q, i);
    check_equal(host(user.add(context(), model, candidates)), wanted);
    user.keep(mark);
    CHECK(user.tokens() == first.tokens());
    TokenBatch both;
    both.sequence();
    both.context(TokenMaker(8).context());
    for (std::size_t i = 0; i < 5; ++i) add_candidate(both, {0, u + 1}, q, i);
    check_equal(host(user.extend(context(), model, both)), wanted);
    user.keep(mark);
    CHECK(user.tokens() == first.tokens());
  }
}

TEST_CASE("a candidate's state does not know of the others, nor of their order") {
  auto model = tiny_generative();
  stir(model);
  const NoGrad no_grad;
  const Question11 q(9, 6);
  const auto states = [&](const std::vector<std::size_t>& order) {
    TokenBatch batch;
    batch.sequence();
    TokenMaker make(10);
    make.action(batch, false);
    const std::int32_t u = batch.context(make.context());
    for (const std::size_t i : order) add_candidate(batch, {0, u + 1}, q, i);
    return host(model.hidden(TokenTensors<Reference>(context(), batch)));
  };
  const auto all = states({0, 1, 2, 3, 4, 5}), turned = states({5, 4, 3, 2, 1, 0});
  for (std::size_t i = 0; i < 6; ++i) {
    const auto own = states({i});
    const auto row = [&](const std::vector<double>& x, std::size_t r) { return std::vector<double>(x.begin() + static_cast<std::ptrdiff_t>(r * tiny_width), x.begin() + static_cast<std::ptrdiff_t>((r + 1) * tiny_width)); };
    for (std::size_t k = 0; k < static_cast<std::size_t>(tiny_width); ++k) {
      CHECK(row(all, i)[k] == doctest::Approx(own[k]).epsilon(1e-12));
      CHECK(row(turned, 5 - i)[k] == doctest::Approx(own[k]).epsilon(1e-12));
    }
  }
}
