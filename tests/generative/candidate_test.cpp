// CandidatePointer: against its definition, in sessions and at once, without a history.

#include <cmath>

#include "generative/tiny.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

using Head = TokenPointerHead<Reference>;

auto pointer_model() {
  auto model = tiny_generative<LlamaDecoder<Reference>, Head>();
  stir(model);
  return model;
}

std::vector<double> host(const T& x) { return x.to_host<double>(); }

/// A user with `actions`, u of a request, and candidates as branches behind it.
struct Request {
  TokenBatch tokens;
  std::vector<std::int32_t> rows, blocks;
  std::vector<InnerInput> places;

  Request(int actions, std::uint64_t seed) {
    TokenMaker make(seed);
    tokens.sequence();
    for (int i = 0; i < actions; ++i) make.action(tokens, false);
    const std::int32_t u = tokens.context(make.context());
    for (int i = 0; i < 12; ++i) {
      tokens.branch({0, u + 1});
      blocks.push_back(make.below(4)), places.push_back(make.inner());
      tokens.block(blocks.back());
      rows.push_back(tokens.inner(places.back()));
      tokens.ask(rows.back(), Question::state);
    }
  }
};

/// What CandidatePointer says it adds for a candidate, from its own attention's scores.
double by_definition(const CandidatePointer<Reference>& c, const ContextStates<Reference>& past, const CandidatePointers& p, std::int32_t block, const InnerInput& place) {
  const auto& steps = past.trail().steps();
  const std::size_t K = 2, N = static_cast<std::size_t>(p.keys), u = steps.size() - 1;
  const auto scores = host(c.attention(past.states(), p)), w = host(c.counts()), d = host((*c.distance)());
  double sum = d[static_cast<std::size_t>(p.distance[0])];
  for (std::size_t k = 0; k < K; ++k) {
    double there = 1, alike = 1, any = 1;
    for (std::size_t j = 0; j < u; ++j) {
      if (steps[j].inner == 0) continue;
      const double e = std::exp(scores[k * N + j]);
      any += e;
      if (steps[j].category == place.category && place.category != 0) alike += e;
      if (steps[j].inner == place.inner && steps[j].block == block) there += e;
    }
    sum += w[k] * std::log(there) + w[K + k] * std::log(alike) + w[2 * K + k] * std::log(any);
  }
  const auto q = host(c.asking(slice(past.states(), 0, static_cast<std::int64_t>(u), static_cast<std::int64_t>(u) + 1)));
  const auto places = host(c.place()), kinds = host(c.category());
  for (std::size_t i = 0; i < q.size(); ++i) sum += q[i] * (places[static_cast<std::size_t>(place.vector) * q.size() + i] + kinds[static_cast<std::size_t>(place.category) * q.size() + i]) / std::sqrt(static_cast<double>(q.size()));
  return sum;
}

}  // namespace

TEST_CASE("what a candidate's pointer adds to the log-odds: against its definition") {
  const auto model = pointer_model();
  const NoGrad no_grad;
  for (const int actions : {0, 1, 6}) {
    CAPTURE(actions);
    Request r(actions, 5);
    Encoded<Reference> user;
    const T h = user.add(context(), model, r.tokens);
    const auto got = host((*model.candidates)(user.contexts(), r.rows)), all = host(model.click_logits(TokenTensors<Reference>(context(), r.tokens))), plain = host(model.classifier(h));
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
      const CandidatePointers alone(user.contexts().trail(), std::span(r.rows).subspan(i, 1));
      const double want = by_definition(*model.candidates, user.contexts(), alone, r.blocks[i], r.places[i]);
      CHECK(got[i] == doctest::Approx(want).epsilon(1e-10));
      CHECK(all[i] == doctest::Approx(plain[i] + want).epsilon(1e-10));
    }
  }
}

TEST_CASE("a session ranks candidates as the full pass does, again and again") {
  const auto model = pointer_model();
  const NoGrad no_grad;
  const Request r(6, 7);
  const auto want = host(model.click_logits(TokenTensors<Reference>(context(), r.tokens)));
  TokenMaker make(7);
  Encoded<Reference> user;
  for (int i = 0; i < 6; ++i) {
    TokenBatch one;
    one.sequence();
    make.action(one, false);
    one.ask(one.tokens() - 1, Question::state);
    user.extend(context(), model, one);
  }
  const ContextInput u = make.context();
  for (int round = 0; round < 2; ++round) {
    const auto mark = user.mark();
    const auto seen = static_cast<std::int32_t>(user.tokens()) + 1;
    TokenBatch batch;
    batch.sequence();
    batch.context(u);
    std::vector<std::int32_t> rows;
    for (std::size_t i = 0; i < r.rows.size(); ++i) {
      batch.branch({0, seen});
      batch.block(r.blocks[i]);
      rows.push_back(seen - 1 + batch.inner(r.places[i]));
      batch.ask(batch.tokens() - 1, Question::state);
    }
    const T h = user.extend(context(), model, batch);
    const auto got = host(model.click_logits(h, user.contexts(), rows));
    for (std::size_t i = 0; i < want.size(); ++i) CHECK(got[i] == doctest::Approx(want[i]).epsilon(1e-10));
    user.keep(mark);
    CHECK_THROWS_AS(user.contexts().trail().place(rows[0]), DataError);
  }
}

TEST_CASE("candidates of a row that is no place, or of no context, are errors") {
  TokenBatch batch;
  TokenMaker make(3);
  batch.sequence();
  const std::int32_t early = batch.inner(make.inner()), u = batch.context(make.context());
  TokenTrail trail;
  trail.add(batch);
  for (const std::int32_t row : {early, u, u + 1, -1})
    CHECK_THROWS_WITH_AS(CandidatePointers(trail, std::span(&row, 1)), ("[tokens] row " + std::to_string(row) + " is asked for a click, but is no place behind a context").c_str(), DataError);
}
