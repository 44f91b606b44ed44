// Requests of one user share one encoding of the history. Nothing of what comes out may tell.

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "chronotope/train/optimizer.hpp"
#include "chronotope/train/stage_task.hpp"
#include "generative/tiny.hpp"
#include "generative/town.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

using Numbers = std::vector<std::uint32_t>;
using Pointer = TokenPointerHead<Reference>;

/// The town's requests, those of a stranger and of a user before any action among them; histories are cut to `length` actions.
struct Asked {
  TownHistories parts;
  ActionTokens tokens;
  std::vector<LoggedRequest> log;
  RequestHistories requests;
  RequestTokens asked;

  explicit Asked(std::int64_t length, PlaceCodes codes = PlaceCodes::hierarchical)
      : parts(town(), codes), tokens(parts.histories, parts.tokenizer, 4), log(with_strangers()), requests(pass_over(log), parts.histories, parts.tokenizer), asked(requests, tokens, length) {}
  Asked(const Asked&) = delete;

  static std::vector<LoggedRequest> with_strangers() {
    std::vector<LoggedRequest> log = town().requests;
    for (std::size_t i = 0; i < 2; ++i) log.push_back(log[i]), log.back().user = "a stranger";
    log.push_back(log[4]), log.back().time = 1;
    return log;
  }
  Numbers all() const {
    Numbers numbers(log.size());
    for (std::uint32_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
    return numbers;
  }
  Numbers in_some_order(std::mt19937_64& random) const {
    Numbers numbers = all();
    std::shuffle(numbers.begin(), numbers.end(), random);
    return numbers;
  }
};

/// A model of the town's tables in f64.
template <class Head = TypedHead<Reference>> auto town_model(const Asked& a, std::int64_t length) {
  Config config = town().config();
  const GenerativeSizes s = generative_sizes(a.parts.tokenizer, config.actions, 0);
  config.model.length = length;
  TokenEncoder<Reference> encoder(context(), {tiny_width, s.texts, s.blocks, s.inners, s.categories, s.types, s.geo_rows, 0, true, true, FusionWeights::fixed, 0, DType::f64});
  LlamaDecoder<Reference> decoder(context(), {2, tiny_width, 2, 8, most_tokens(config), 0, DType::f64});
  GenerativeModel model(context(), std::move(encoder), std::move(decoder), Head(context(), {tiny_width, s.blocks, s.inners, DType::f64, 2, 3, s.categories}), 4, DType::f64,
                        tiny_candidates<Head>(s.categories, s.places));
  stir(model);
  return model;
}

/// Scores of one request that is read anew: profile, history and u as one sequence, its candidates behind.
template <class Model> T anew(const Model& model, const Asked& a, std::uint32_t number, Stage stage) {
  const ActionTokenizer& tokenizer = a.parts.tokenizer;
  const AskedRequest& r = a.requests.requests[number];
  TokenBatch batch, places;
  const Prefix seen = a.asked.add_user(r, batch);
  const bool single = tokenizer.places().block_rows() == 0;
  const auto each = [&](auto f) {
    for (const SeenPlace& place : a.requests.candidates(r))
      if (stage != Stage::align || place.place != 0) f(place, tokenizer.places().tokens(place.place));
  };
  if (stage == Stage::embed) {
    batch.ask(seen.end - 1, Question::state);
    each([&](const SeenPlace& place, PlaceCode) { places.sequence(), places.ask(add_candidate(tokenizer, place, places), Question::state); });
    const T user = normalized(model.user(model.hidden(TokenTensors<Reference>(context(), batch))));
    return sum(normalized(model.place(model.hidden(TokenTensors<Reference>(context(), places)))) * user, 1);
  }
  if (stage == Stage::rank) {
    each([&](const SeenPlace& place, PlaceCode) { batch.branch(seen), batch.ask(add_candidate(tokenizer, place, batch), Question::state); });
    return model.click_logits(TokenTensors<Reference>(context(), batch));
  }
  each([&](const SeenPlace&, PlaceCode code) { batch.ask(seen.end - 1, single ? Question::inner : Question::block, static_cast<std::int32_t>(single ? code.inner : code.block)); });
  if (!single)
    each([&](const SeenPlace& place, PlaceCode code) { batch.branch(seen), batch.ask(batch.block(tokenizer.block(place)), Question::inner, static_cast<std::int32_t>(code.inner)); });
  return candidate_log_probabilities(model, TokenTensors<Reference>(context(), batch));
}

template <class Model> T together(const Model& model, const Asked& a, std::span<const std::uint32_t> some, Stage stage) {
  return stage == Stage::embed ? tower_similarities(context(), model, a.asked, some)
         : stage == Stage::rank ? ranking_logits(context(), model, a.asked, some)
                                : generation_scores(context(), model, a.asked, some);
}

struct Case {
  Stage stage;
  std::int64_t length;
  PlaceCodes codes;
};

template <class Head> void check_anew(const Case& c, std::uint64_t seed) {
  CAPTURE(static_cast<int>(c.stage));
  CAPTURE(c.length);
  std::mt19937_64 random(seed);
  const Asked a(c.length, c.codes);
  auto model = town_model<Head>(a, c.length);
  Numbers some = a.in_some_order(random);
  some.resize(24);
  std::vector<T> parts;
  for (const std::uint32_t number : some) parts.push_back(anew(model, a, number, c.stage));
  const T expected = concat(parts, 0), actual = together(model, a, some, c.stage);
  check_values(actual, expected.to_host<double>(), expected.shape(), 1e-11);
  const T weights = test::random(expected.shape(), 3);
  const auto want = gradients(model, sum(expected * weights)), got = gradients(model, sum(actual * weights));
  CHECK(want.size() > 10);
  check_gradients(got, want);
}

/// first_scores of all requests against u at the end of a sequence.
template <class Model> void check_first(const Model& model, const Asked& a) {
  const bool single = a.parts.tokenizer.places().block_rows() == 0;
  const Numbers all = a.all();
  const T actual = first_scores(context(), model, a.asked, all);
  for (const std::uint32_t number : all) {
    CAPTURE(number);
    TokenBatch batch;
    const std::int32_t u = a.asked.add_user(a.requests.requests[number], batch).end - 1;
    batch.ask(u, Question::state);
    Encoded<Reference> encoded;
    const T h = encoded.add(context(), model, batch);
    const std::vector<std::int32_t> rows{u};
    const T expected = single ? model.head.inner_scores(h, encoded.contexts(), rows) : model.head.block_scores(h, encoded.contexts(), rows);
    check_values(slice(actual, 0, number, number + 1), expected.template to_host<double>(), expected.shape(), 1e-11);
  }
}

/// Segments without a prefix.
std::size_t roots(const TokenBatch& batch) {
  return static_cast<std::size_t>(std::count_if(batch.prefixes().begin(), batch.prefixes().end(), [](Prefix p) { return p.length() == 0; }));
}

}  // namespace

TEST_CASE("what is forgotten is what a session forgets that gets one action after another") {
  for (std::size_t length = 1; length <= 9; ++length) {
    std::size_t kept = 0;
    for (std::size_t actions = 0; actions < 50; ++actions) {
      CAPTURE(length);
      CAPTURE(actions);
      CHECK(actions - forgotten_actions(actions, length) == kept);
      CHECK((kept <= length && kept >= std::min(actions, length / 2)));
      kept = kept < length ? kept + 1 : std::max<std::size_t>(length / 2, 1);
    }
  }
}

TEST_CASE("scores and gradients are those of requests that are read anew") {
  const std::uint64_t seed = std::random_device()();
  INFO("seed ", seed);
  const Case cases[] = {{Stage::rank, 6, PlaceCodes::hierarchical}, {Stage::rank, 64, PlaceCodes::hierarchical}, {Stage::align, 6, PlaceCodes::hierarchical},
                        {Stage::align, 64, PlaceCodes::hierarchical}, {Stage::align, 6, PlaceCodes::single}, {Stage::embed, 6, PlaceCodes::hierarchical},
                        {Stage::embed, 64, PlaceCodes::single}};
  for (const Case& c : cases) check_anew<TypedHead<Reference>>(c, seed);
}

TEST_CASE("scores and gradients are those of requests that are read anew, with the history pointer too") {
  const std::uint64_t seed = std::random_device()();
  INFO("seed ", seed);
  const Case cases[] = {{Stage::align, 6, PlaceCodes::hierarchical}, {Stage::align, 64, PlaceCodes::hierarchical}, {Stage::align, 6, PlaceCodes::single},
                        {Stage::rank, 6, PlaceCodes::hierarchical}};
  for (const Case& c : cases) check_anew<Pointer>(c, seed);
}

TEST_CASE("what comes first after u is as likely as in a request that is read anew") {
  for (const PlaceCodes codes : {PlaceCodes::hierarchical, PlaceCodes::single})
    for (const std::int64_t length : {6, 64}) {
      const Asked a(length, codes);
      const auto typed = town_model(a, length);
      const auto pointing = town_model<Pointer>(a, length);
      check_first(typed, a);
      check_first(pointing, a);
    }
}

TEST_CASE("alignment with the history pointer starts at its reference and is led away from it") {
  const Asked a(5);
  Context<Reference> f32;
  Config config = town().config();
  config.actions.head = "pointer";
  const GenerativeSizes sizes = generative_sizes(a.parts.tokenizer, config.actions, 0);
  auto policy = make_generative_model<Reference>(f32, config, sizes);
  auto frozen = make_generative_model<Reference>(f32, config, sizes);
  load_state(f32, frozen, state_of(policy));
  using Task = StageTask<decltype(policy)>;
  const Numbers some = requests_between(a.requests, 0, std::int64_t{1} << 40, RequestNeeds::both_known);
  Task task(f32, policy, a.asked, some, {.stage = Stage::align}, [&](std::span<const std::uint32_t> numbers) {
    const NoGrad no_grad;
    return generation_scores(f32, frozen, a.asked, numbers);
  });
  const auto distance = [&] { return divergence(first_scores(f32, policy, a.asked, some), first_scores(f32, frozen, a.asked, some)); };
  const auto measured = [&](const TaskLoss<Reference>& loss, const std::string& name) {
    return std::find_if(loss.measures.begin(), loss.measures.end(), [&](const auto& m) { return m.first == name; })->second.template item<float>();
  };
  CHECK(distance() == 0);
  const auto before = task.loss(some);
  CHECK(measured(before, "log_ratio") == 0);
  backward(before.sum);
  AdamW<Reference>(named_parameters(policy), {}).step(1e-3);
  const auto after = task.loss(some);
  CHECK(measured(after, "reward_margin") > 0);
  CHECK(after.sum.template item<float>() < before.sum.template item<float>());
  CHECK(distance() > 0);
}

TEST_CASE("a history is there once, up to the last request, however many requests see it") {
  for (const std::int64_t length : {4, 64}) {
    const Asked a(length);
    std::map<std::pair<std::size_t, std::size_t>, std::pair<std::size_t, Numbers>> histories;  // user, first action -> last action, requests
    for (const std::uint32_t number : a.all()) {
      const AskedRequest& r = a.requests.requests[number];
      auto& [end, requests] = histories[{r.user, r.begin + forgotten_actions(r.end - r.begin, static_cast<std::size_t>(length))}];
      end = std::max(end, r.end), requests.push_back(number);
    }
    TokenBatch batch;
    a.asked.add_users(a.all(), batch);
    std::size_t tokens = a.log.size(), empty = 0;
    for (const auto& [key, value] : histories) {
      TokenBatch alone;
      a.tokens.add_history(key.first, key.second, value.first, alone);
      tokens += static_cast<std::size_t>(alone.tokens());
      if (key.first == AskedRequest::nobody) empty += value.second.size();
    }
    CHECK(static_cast<std::size_t>(batch.tokens()) == tokens);
    CHECK(empty == 2);
    CHECK(histories.size() < a.log.size());
    CHECK(roots(batch) >= histories.size() + empty);
  }
}

TEST_CASE("groups are requests of one history by time, of even sizes, and hold every request once") {
  for (const std::int64_t length : {4, 64})
    for (const std::size_t most : {1, 2, 3, 100}) {
      CAPTURE(length);
      CAPTURE(most);
      const Asked a(length);
      const auto groups = a.asked.groups(a.all(), most);
      std::multiset<std::uint32_t> seen;
      std::map<std::pair<std::size_t, std::size_t>, std::pair<std::size_t, std::size_t>> sizes;
      for (const Numbers& group : groups) {
        REQUIRE(!group.empty());
        seen.insert(group.begin(), group.end());
        const auto key = [&](std::uint32_t n) {
          const AskedRequest& r = a.requests.requests[n];
          return std::pair{r.user, r.begin + forgotten_actions(r.end - r.begin, static_cast<std::size_t>(length))};
        };
        CHECK(group.size() <= (key(group[0]).first == AskedRequest::nobody ? 1 : most));
        for (std::size_t i = 1; i < group.size(); ++i) {
          CHECK(key(group[i]) == key(group[0]));
          CHECK(a.requests.requests[group[i - 1]].utc <= a.requests.requests[group[i]].utc);
        }
        auto& [least, greatest] = sizes.emplace(key(group[0]), std::pair{group.size(), group.size()}).first->second;
        least = std::min(least, group.size()), greatest = std::max(greatest, group.size());
      }
      for (const auto& [key, size] : sizes) CHECK(size.second - size.first <= 1);
      const Numbers all = a.all();
      CHECK(std::equal(seen.begin(), seen.end(), all.begin(), all.end()));
      if (most == 100 && length == 64) CHECK(sizes.size() == groups.size() - 1);  // the stranger's two
    }
}

TEST_CASE("an epoch's samples are the groups in an order of its own") {
  const Asked a(64);
  auto model = town_model(a, 64);
  using Task = StageTask<decltype(model)>;
  const auto groups = a.asked.groups(a.all(), 3);
  const Task task(context(), model, a.asked, a.all(), {.together = 3});
  const Numbers first = task.samples(0);
  CHECK(first == task.samples(0));
  CHECK(first != task.samples(1));
  CHECK(std::set<std::uint32_t>(first.begin(), first.end()).size() == a.log.size());
  CHECK(first.size() == a.log.size());
  for (const Numbers& group : groups) CHECK(std::search(first.begin(), first.end(), group.begin(), group.end()) != first.end());
}

TEST_CASE("scores come in the order of the requests that were asked for") {
  const std::uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  INFO("seed ", seed);
  const Asked a(5);
  Context<Reference> f32;
  Config config = town().config();
  const auto model = make_generative_model<Reference>(f32, config, generative_sizes(a.parts.tokenizer, config.actions, 0));
  for (const Stage stage : {Stage::rank, Stage::align, Stage::embed}) {
    Numbers some = a.in_some_order(random);
    some.push_back(some.front());
    const std::vector<float> scores = candidate_scores(f32, model, a.asked, some, stage, 7);
    std::size_t at = 0;
    for (const std::uint32_t number : some)
      for (const float alone : candidate_scores(f32, model, a.asked, {&number, 1}, stage, 1)) CHECK(scores.at(at++) == doctest::Approx(alone).epsilon(1e-4));
    CHECK(at == scores.size());
  }
}
