// What a model says of a candidate depends, to the bit, on the user and the candidate alone: not on the other candidates, on their order, on
// the other requests of the batch or on the number of threads.

#ifdef CHRONOTOPE_HAVE_ONEDNN  // Eigen's products of another number of rows may add up in another order

#include <cstring>
#include <map>

#include "chronotope/train/stage_task.hpp"
#include "generative/town.hpp"
#include "train/tiny.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

using B = any_backend;

/// Scores of one stage by request and place.
using Scores = std::map<std::pair<std::size_t, std::uint32_t>, float>;

struct Scorer {
  TownHistories parts;
  ActionTokens tokens;
  Config config;

  explicit Scorer(std::int64_t length) : parts(town()), tokens(parts.histories, parts.tokenizer, 4), config(town().config()) {
    config.model.width = 48, config.model.heads = 4, config.model.layers = 3, config.model.feed_forward = 96, config.model.length = length;
  }

  AnyGenerativeModel<B> model(Context<B>& context, const std::string& head) {
    config.actions.head = head;
    auto made = make_generative_model(context, config, generative_sizes(parts.tokenizer, config.actions, 0));
    std::uint64_t seed = 1;
    for (auto& [path, p] : named_parameters(made)) {
      std::vector<float> values(static_cast<std::size_t>(p.shape().elements()));
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(0.6 * philox_uniform(seed, 1, i) - 0.3);
      p.assign(Tensor<B>::from_host(context, values, p.shape()));
      ++seed;
    }
    return made;
  }

  /// `batch` requests at once. `turn` numbers the requests and their candidates from behind.
  Scores scores(Context<B>& context, const AnyGenerativeModel<B>& model, Stage stage, std::int64_t batch, bool turn = false, std::size_t most = 10000) const {
    std::vector<LoggedRequest> asked = town().requests;
    if (turn) {
      std::reverse(asked.begin(), asked.end());
      for (LoggedRequest& r : asked) std::reverse(r.shown.begin(), r.shown.end());
    }
    for (LoggedRequest& r : asked) r.shown.resize(std::min(r.shown.size(), most));
    const RequestHistories requests(pass_over(asked), parts.histories, parts.tokenizer);
    const RequestTokens request_tokens(requests, tokens, config.model.length);
    const auto numbers = requests_between(requests, 0, std::int64_t{1} << 40, RequestNeeds::anything);
    const std::vector<float> values = candidate_scores(context, model, request_tokens, numbers, stage, batch);
    Scores all;
    std::size_t at = 0;
    for (const std::uint32_t n : numbers)
      for (const SeenPlace& place : requests.candidates(requests.requests[n]))
        if (place.place != 0 || stage != Stage::align) {
          if (place.place != 0) all[{turn ? asked.size() - 1 - n : n, place.place}] = values.at(at);
          ++at;
        }
    CHECK(at == values.size());
    return all;
  }
};

/// How many of the scores that both have differ.
int differing(const Scores& a, const Scores& b) {
  int count = 0;
  for (const auto& [key, value] : b) count += std::memcmp(&a.at(key), &value, sizeof value) != 0;
  return count;
}

void check_bits(const std::string& head, Stage stage, std::int64_t length) {
  CAPTURE(head);
  CAPTURE(static_cast<int>(stage));
  CAPTURE(length);
  Scorer scorer(length);
  Scores first;
  for (const int threads : {1, 2}) {
    CAPTURE(threads);
    Context<B> context(tiny::stream("onednn", threads));
    const auto model = scorer.model(context, head);
    const Scores alone = scorer.scores(context, model, stage, 1);
    CHECK(alone.size() > 200);
    if (first.empty()) first = alone;
    CHECK(differing(first, alone) == 0);
    CHECK(differing(alone, scorer.scores(context, model, stage, 1000)) == 0);
    CHECK(differing(alone, scorer.scores(context, model, stage, 5)) == 0);
    CHECK(differing(alone, scorer.scores(context, model, stage, 7, true)) == 0);
    for (const std::size_t most : {1, 4}) CHECK(differing(alone, scorer.scores(context, model, stage, 3, false, most)) == 0);
  }
}

}  // namespace

TEST_CASE("scores of candidates do not know of company, order, batch or threads, to the bit") {
  for (const std::string head : {"typed", "joint", "pointer"})
    for (const Stage stage : {Stage::rank, Stage::align, Stage::embed})
      if (head != "pointer" || stage != Stage::embed) check_bits(head, stage, 16);
  for (const Stage stage : {Stage::rank, Stage::align}) check_bits("pointer", stage, 64);  // of histories that are padded to very different lengths
}

#endif
