// The history pointer among tokens: against its definition, in pieces and at once, without a history, without what is not known.

#include <cmath>

#include "generative/tiny.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

using Head = TokenPointerHead<Reference>;

auto pointer_model(const TinyShape& shape = {}) {
  auto model = tiny_generative<LlamaDecoder<Reference>, Head>(shape);
  stir(model);
  return model;
}

std::vector<double> host(const T& x) { return x.to_host<double>(); }

/// A user with `actions`, then u of a request and the block behind it as a branch.
struct Request {
  TokenBatch tokens;
  std::int32_t u = 0;
  Request(int actions, std::uint64_t seed, const TinyShape& shape = {}) {
    TokenMaker make(seed, shape);
    tokens.sequence();
    for (int i = 0; i < actions; ++i) make.action(tokens, false);
    u = tokens.context(make.context());
  }
};

/// The scores of u and of every block behind it.
template <class Model> std::pair<std::vector<double>, std::vector<std::vector<double>>> scores_of(const Model& model, Request request, std::int64_t blocks) {
  request.tokens.ask(request.u, Question::block);
  std::vector<std::int32_t> rows{request.u};
  for (std::int32_t b = 0; b < blocks; ++b) {
    request.tokens.branch({0, request.u + 1});
    rows.push_back(request.tokens.block(b));
    request.tokens.ask(rows.back(), Question::inner);
  }
  Encoded<Reference> encoded;
  const NoGrad no_grad;
  const T h = encoded.add(context(), model, request.tokens);
  const auto first = host(model.head.block_scores(slice(h, 0, 0, 1), encoded.contexts(), std::span(rows).first(1)));
  std::vector<std::vector<double>> inner;
  const T all = model.head.inner_scores(slice(h, 0, 1, h.size(0)), encoded.contexts(), std::span(rows).subspan(1));
  for (std::int64_t b = 0; b < blocks; ++b) inner.push_back(host(slice(all, 0, b, b + 1)));
  return {first, inner};
}

double mass(const std::vector<double>& scores) {
  double sum = 0;
  for (const double s : scores) sum += std::exp(s);
  return sum;
}

/// The first `rows` tokens of a batch's only sequence.
void add_first(const TokenBatch& from, std::int32_t rows, TokenBatch& to) {
  std::array<std::size_t, token_kinds> next{};
  for (std::int32_t row = 0; row < rows; ++row) {
    const TokenKind kind = from.kinds()[static_cast<std::size_t>(row)];
    const std::size_t n = next[static_cast<std::size_t>(kind)]++;
    switch (kind) {
      case TokenKind::text: to.text(from.texts()[n]); break;
      case TokenKind::context: to.context(from.contexts()[n]); break;
      case TokenKind::block: to.block(from.blocks()[n]); break;
      case TokenKind::inner: to.inner(from.inners()[n]); break;
      case TokenKind::type: to.type(from.types()[n]); break;
    }
  }
}

}  // namespace

TEST_CASE("probabilities add up to 1, over blocks and over the places in each") {
  const auto model = pointer_model();
  for (const int actions : {0, 1, 6}) {
    const auto [blocks, inners] = scores_of(model, Request(actions, 3), 4);
    CHECK(mass(blocks) == doctest::Approx(1).epsilon(1e-12));
    for (const auto& inner : inners) CHECK(mass(inner) == doctest::Approx(1).epsilon(1e-12));
  }
}

TEST_CASE("the loss of a place is the score that generation gives it") {
  const auto model = pointer_model();
  const auto [blocks, inners] = scores_of(model, Request(6, 4), 4);
  for (std::int32_t block = 0; block < 4; ++block) {
    for (std::int32_t inner = 0; inner < 5; ++inner) {
      Request request(6, 4);  // inside the sequence, as in pre-training
      request.tokens.ask(request.u, Question::block, block);
      request.tokens.ask(request.tokens.block(block), Question::inner, inner);
      const auto inside = host(model.nll(TokenTensors<Reference>(context(), request.tokens)));
      CHECK(inside[0] == doctest::Approx(-blocks[static_cast<std::size_t>(block)]).epsilon(1e-10));
      CHECK(inside[1] == doctest::Approx(-inners[static_cast<std::size_t>(block)][static_cast<std::size_t>(inner)]).epsilon(1e-10));
    }
  }
  Request branched(6, 4);  // and as branches, as in alignment
  for (std::int32_t block = 3; block >= 0; --block) branched.tokens.ask(branched.u, Question::block, block);
  for (std::int32_t block = 3; block >= 0; --block) {
    branched.tokens.branch({0, branched.u + 1});
    branched.tokens.ask(branched.tokens.block(block), Question::inner, block + 1);
  }
  const auto all = host(model.nll(TokenTensors<Reference>(context(), branched.tokens)));
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(all[i] == doctest::Approx(-blocks[3 - i]).epsilon(1e-10));
    CHECK(all[4 + i] == doctest::Approx(-inners[3 - i][4 - i]).epsilon(1e-10));
  }
}

TEST_CASE("what kinds of places somebody went to is recalled before the softmax: against its definition") {
  auto model = pointer_model();
  Head& head = model.head;
  Parameter<Reference>& bias = *head.block_gate->bias;
  auto gate = host(bias());
  gate[0] = 60;  // the softmax alone
  bias.assign(T::from_host(context(), gate, bias.shape()));
  const NoGrad no_grad;
  Request request(5, 9);
  request.tokens.ask(request.u, Question::block);
  Encoded<Reference> encoded;
  const T h = encoded.add(context(), model, request.tokens);
  const std::vector<PointerAsk> asks{{request.u, Question::block}};
  const TokenPointers pointers(encoded.contexts().trail(), asks);
  const auto scores = host(head.recall(encoded.contexts().states(), pointers)), kinds = host(head.kinds.weight());
  const std::size_t N = 5, wide = 3;  // keys; width of each of two heads
  REQUIRE(scores.size() == 2 * N);
  std::vector<double> looked_up(2 * wide, 0);
  const auto& steps = encoded.contexts().trail().steps();
  for (std::size_t k = 0; k < 2; ++k) {
    double all = 0;
    for (std::size_t j = 0; j < N; ++j) all += steps[j].inner == 0 ? 0 : std::exp(scores[k * N + j]);
    for (std::size_t j = 0; j < N; ++j)
      for (std::size_t d = 0; d < wide; ++d)
        looked_up[k * wide + d] += steps[j].inner == 0 ? 0 : std::exp(scores[k * N + j]) / all * kinds[static_cast<std::size_t>(steps[j].category) * 2 * wide + k * wide + d];
  }
  const T moved = h + head.recalled(T::from_host(context(), looked_up, {1, static_cast<std::int64_t>(2 * wide)}));
  const T thought = moved + head.ffn(head.norm(moved));
  const auto got = host(head.block_scores(h, encoded.contexts(), std::vector{request.u})), want = host(head.typed.block_scores(thought, encoded.contexts(), {}));
  const auto unmoved = host(head.typed.block_scores(h + head.ffn(head.norm(h)), encoded.contexts(), {}));
  double apart = 0;
  for (std::size_t b = 0; b < 4; ++b) {
    CHECK(got[b] == doctest::Approx(want[b]).epsilon(1e-10));
    apart = std::max(apart, std::abs(want[b] - unmoved[b]));
  }
  CHECK(apart > 1e-4);
}

TEST_CASE("a session gives the scores of the full pass, again and again") {
  const auto model = pointer_model();
  const NoGrad no_grad;
  const auto [blocks, inners] = scores_of(model, Request(5, 6), 4);
  Encoded<Reference> user;
  TokenMaker make(6);
  for (int i = 0; i < 5; ++i) {  // an action at a time
    TokenBatch one;
    one.sequence();
    make.action(one, false);
    one.ask(one.tokens() - 1, Question::state);
    user.extend(context(), model, one);
  }
  const ContextInput u = make.context();
  for (int round = 0; round < 2; ++round) {
    const auto mark = user.mark();
    TokenBatch request, branch;
    request.sequence();
    request.ask(request.context(u), Question::state);
    const std::int32_t row = static_cast<std::int32_t>(user.tokens());
    const T h = user.extend(context(), model, request);
    const auto first = host(model.head.block_scores(h, user.contexts(), std::vector{row}));
    for (std::size_t b = 0; b < 4; ++b) CHECK(first[b] == doctest::Approx(blocks[b]).epsilon(1e-10));
    branch.branch({0, row + 1});
    branch.ask(branch.block(2), Question::inner);
    const T behind = user.add(context(), model, branch);
    const auto second = host(model.head.inner_scores(behind, user.contexts(), std::vector{row + 1}));
    for (std::size_t i = 0; i < 5; ++i) CHECK(second[i] == doctest::Approx(inners[2][i]).epsilon(1e-10));
    user.keep(mark);
    CHECK(user.contexts().trail().steps().size() == 5);
  }
}

TEST_CASE("contexts in branches: losses and gradients are those of sequences of their own") {
  const std::uint64_t seed = std::random_device()();
  INFO("seed ", seed);
  TokenMaker make(seed);
  std::vector<TokenBatch> users;
  for (const int actions : {0, 4, 7}) {
    make.local = 0;
    TokenBatch& user = users.emplace_back();
    user.sequence();
    make.text(user, 1);
    for (int i = 0; i < actions; ++i) make.action(user, false);
  }
  TokenBatch shared, apart;
  std::vector<std::int32_t> begins;
  for (const TokenBatch& user : users) begins.push_back(shared.tokens()), shared.sequence(), add_first(user, user.tokens(), shared);
  for (int branch = 0; branch < 24; ++branch) {
    const auto u = static_cast<std::size_t>(make.below(3));
    const std::int32_t sees = 1 + make.below(users[u].tokens());  // also inside an action
    const ContextInput now = make.context();
    const std::int32_t block = make.below(4), targets[] = {make.below(4), make.below(5)};
    shared.branch({begins[u], begins[u] + sees});
    apart.sequence();
    add_first(users[u], sees, apart);
    for (TokenBatch* batch : {&shared, &apart}) {
      batch->ask(batch->context(now), Question::block, targets[0]);
      batch->ask(batch->block(block), Question::inner, targets[1]);
    }
  }
  auto model = pointer_model();
  const auto losses = [&](const TokenBatch& batch) { return model.nll(TokenTensors<Reference>(context(), batch)); };
  const T expected = losses(apart), actual = losses(shared), weights = test::random(expected.shape(), 3);
  REQUIRE(expected.size(0) == 48);
  check_values(actual, host(expected), expected.shape(), 1e-11);
  const auto want = gradients(model, sum(expected * weights)), got = gradients(model, sum(actual * weights));
  CHECK(want.size() > 20);
  check_gradients(got, want);
}

TEST_CASE("a user's scores do not know of other users, nor of the order of branches") {
  const auto model = pointer_model();
  const NoGrad no_grad;
  const auto losses = [&](const std::vector<std::pair<int, std::uint64_t>>& users, bool turned) {
    TokenBatch batch;
    for (const auto& [actions, seed] : users) {
      TokenMaker make(seed);
      const std::int32_t first = batch.tokens();
      batch.sequence();
      for (int i = 0; i < actions; ++i) make.action(batch, false);
      const Prefix seen{first, batch.context(make.context()) + 1};
      for (const std::int32_t block : turned ? std::vector{3, 1} : std::vector{1, 3}) {
        batch.branch(seen);
        batch.ask(batch.block(block), Question::inner, block);
      }
    }
    return host(model.nll(TokenTensors<Reference>(context(), batch)));
  };
  const auto one = losses({{4, 8}}, false), both = losses({{1, 9}, {4, 8}, {7, 10}}, false), turned = losses({{1, 9}, {4, 8}, {7, 10}}, true);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(both[2 + i] == doctest::Approx(one[i]).epsilon(1e-11));
    CHECK(turned[3 - i] == doctest::Approx(one[i]).epsilon(1e-11));
  }
}

TEST_CASE("without a known place in the history the head is its softmax") {
  const auto model = pointer_model();
  Request request(0, 11);
  TokenBatch& tokens = request.tokens;
  TokenMaker make(12);
  for (int i = 0; i < 3; ++i) {  // u is there
    tokens.block(1);
    InnerInput place = make.inner();
    place.inner = 0;
    tokens.inner(place);
    request.u = tokens.context(make.context());
  }
  const auto [blocks, inners] = scores_of(model, request, 4);
  tokens.ask(request.u, Question::block);
  const NoGrad no_grad;
  const T h = model.hidden(TokenTensors<Reference>(context(), tokens));
  const Head& head = model.head;
  const auto plain = host(head.typed.block_scores(h + head.ffn(head.norm(h)), {}, {}));
  for (std::size_t b = 0; b < 4; ++b) CHECK(blocks[b] == doctest::Approx(plain[b]).epsilon(1e-10));
}
