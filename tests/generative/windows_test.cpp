// Which windows a model of actions trains on, in which order, and what they ask for.

#include <map>
#include <random>
#include <set>
#include <tuple>

#include "chronotope/train/action_task.hpp"
#include "generative/tiny.hpp"
#include "generative/town.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

using Key = std::tuple<std::size_t, std::size_t, std::size_t, std::size_t>;
Key key(const ActionWindow& w) { return {w.user, w.begin, w.end, w.first_target}; }
std::vector<Key> keys(std::span<const ActionWindow> windows) {
  std::vector<Key> all;
  for (const ActionWindow& w : windows) all.push_back(key(w));
  return all;
}
std::vector<Key> sorted(std::vector<Key> all) {
  std::sort(all.begin(), all.end());
  return all;
}

/// The town with runs of random statuses.
TownHistories stirred(std::uint64_t seed, bool travel = true) {
  TownHistories h(town());
  std::mt19937_64 random(seed);
  TravelStatus now = TravelStatus::local;
  for (std::size_t user = 0; user < h.histories.users.size(); ++user)
    for (std::size_t i = h.histories.begin[user]; i < h.histories.begin[user + 1]; ++i) {
      if (travel && user % 4 != 0 && random() % 4 == 0) now = static_cast<TravelStatus>(random() % 3);
      h.histories.status[i] = user % 4 == 0 || !travel ? TravelStatus::local : now;
    }
  return h;
}

/// The sequences that windows are cut from, as half-open ranges by their users.
std::vector<std::pair<std::size_t, std::size_t>> sequences_of(const ActionHistories& h, SequenceSet set, std::int64_t until) {
  std::vector<std::pair<std::size_t, std::size_t>> all;
  for (std::size_t user = 0; user < h.users.size(); ++user) {
    std::vector<std::pair<std::size_t, std::size_t>> runs;
    std::size_t last = h.begin[user];
    for (std::size_t i = h.begin[user]; i < h.begin[user + 1] && h.actions[i].utc < until; ++i) {
      if (i == h.begin[user] || h.status[i] != h.status[i - 1]) runs.emplace_back(i, i);
      last = runs.back().second = i + 1;
    }
    if (set == SequenceSet::single) all.insert(all.end(), runs.begin(), runs.end());
    else if (runs.size() > 1) all.emplace_back(h.begin[user], last);
  }
  return all;
}

}  // namespace

TEST_CASE("every action of a sequence but its first is asked for once, by a window of the sequence") {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const TownHistories town = stirred(seed);
    const ActionHistories& h = town.histories;
    for (const SequenceSet set : {SequenceSet::single, SequenceSet::multi})
      for (const std::int64_t length : {2, 3, 5, 8, 1000})
        for (const std::uint64_t epoch : {0, 1}) {
          CAPTURE(seed);
          CAPTURE(length);
          std::map<std::size_t, std::pair<std::size_t, std::size_t>> sequence;  // of each action
          std::set<std::size_t> wanted;
          for (const auto& [first, last] : sequences_of(h, set, town.until()))
            for (std::size_t i = first; i < last; ++i) {
              sequence[i] = {first, last};
              if (i > first) wanted.insert(i);
            }
          std::map<std::size_t, int> asked;
          std::size_t user = 0;
          for (const ActionWindow& w : sequence_windows(h, set, length, town.until(), 7, epoch)) {
            REQUIRE(sequence.contains(w.begin));
            const auto [first, last] = sequence[w.begin];
            CHECK(w.end <= last);
            CHECK(w.end - w.begin <= static_cast<std::size_t>(length));
            CHECK((w.begin < w.first_target && w.first_target < w.end));
            CHECK(w.first_target - w.begin >= std::min<std::size_t>(w.first_target - first, static_cast<std::size_t>(length - length / 2)));  // half of it is context
            CHECK((w.user >= user && h.begin[w.user] <= w.begin && w.end <= h.begin[w.user + 1]));
            user = w.user;
            for (std::size_t i = w.first_target; i < w.end; ++i) ++asked[i];
          }
          std::set<std::size_t> once;
          for (const auto& [action, times] : asked)
            if (times == 1) once.insert(action);
          CHECK(asked.size() == once.size());
          CHECK(once == wanted);
          CHECK(!wanted.empty());
        }
  }
}

TEST_CASE("cuts are drawn anew each epoch, and the same for the same epoch") {
  const TownHistories town = stirred(4);
  const auto windows = [&](std::uint64_t seed, std::uint64_t epoch) { return keys(sequence_windows(town.histories, SequenceSet::multi, 8, town.until(), seed, epoch)); };
  CHECK(windows(1, 0) == windows(1, 0));
  CHECK(windows(1, 0) != windows(1, 1));
  CHECK(windows(1, 0) != windows(2, 0));
}

TEST_CASE("the curriculum: passes over single statuses, then over several") {
  const TownHistories town = stirred(5);
  const auto set_of = [&](SequenceSet set, std::uint64_t pass) { return keys(sequence_windows(town.histories, set, 6, town.until(), 9, pass)); };
  for (const std::int64_t epochs : {1, 2, 3}) {
    const CurriculumOptions options{true, epochs, 6, 9};
    for (std::uint64_t epoch = 0; epoch < static_cast<std::uint64_t>(epochs); ++epoch) {
      CAPTURE(epochs);
      CAPTURE(epoch);
      const auto samples = keys(pretraining_samples(town.histories, options, town.until(), epoch));
      std::size_t at = 0;
      for (const std::uint64_t pass : {2 * epoch, 2 * epoch + 1}) {
        const auto wanted = set_of(pass < static_cast<std::uint64_t>(epochs) ? SequenceSet::single : SequenceSet::multi, pass);
        REQUIRE(samples.size() >= at + wanted.size());
        const std::vector<Key> own(samples.begin() + static_cast<std::ptrdiff_t>(at), samples.begin() + static_cast<std::ptrdiff_t>(at + wanted.size()));
        CHECK(own != wanted);  // shuffled
        CHECK(sorted(own) == sorted(wanted));
        at += wanted.size();
      }
      CHECK(at == samples.size());
      CHECK(keys(pretraining_samples(town.histories, options, town.until(), epoch)) == samples);
    }
  }
}

TEST_CASE("without the curriculum every epoch has both kinds, mixed") {
  const TownHistories town = stirred(6);
  const auto samples = keys(pretraining_samples(town.histories, {false, 3, 6, 9}, town.until(), 1));
  auto wanted = keys(sequence_windows(town.histories, SequenceSet::single, 6, town.until(), 9, 2));
  const auto multi = keys(sequence_windows(town.histories, SequenceSet::multi, 6, town.until(), 9, 3));
  const std::size_t singles = wanted.size();
  wanted.insert(wanted.end(), multi.begin(), multi.end());
  CHECK(sorted(samples) == sorted(wanted));
  const std::vector<Key> front(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(singles));
  wanted.resize(singles);
  CHECK(sorted(front) != sorted(wanted));
}

TEST_CASE("where nobody travels every pass is over single statuses") {
  const TownHistories town = stirred(7, false);
  CHECK(sequence_windows(town.histories, SequenceSet::multi, 6, town.until(), 9, 0).empty());
  const auto samples = pretraining_samples(town.histories, {true, 1, 6, 9}, town.until(), 0);
  CHECK(samples.size() == sequence_windows(town.histories, SequenceSet::single, 6, town.until(), 9, 0).size() +
                              sequence_windows(town.histories, SequenceSet::single, 6, town.until(), 9, 1).size());
}

TEST_CASE("targets of a split are its interest-based actions of known places, with what was before them") {
  TownHistories town(chronotope::test::town());
  const ActionHistories& h = town.histories;
  const std::int64_t from = town.until(), until = town.tokenizer.vocabulary().test_from;
  std::map<std::size_t, std::size_t> begin_of;
  std::size_t functional = 0, unknown = 0;
  for (std::size_t user = 0; user < h.users.size(); ++user)
    for (std::size_t i = h.begin[user] + 1; i < h.begin[user + 1]; ++i) {
      const PastAction& a = h.actions[i];
      if (a.utc < from || a.utc >= until) continue;
      functional += !a.interest, unknown += a.place == 0;
      if (a.interest && a.place != 0) begin_of[i] = std::max<std::size_t>(h.begin[user] + 5, i + 1) - 5;
    }
  CHECK(functional > 0);
  CHECK(unknown > 0);
  const auto windows = target_windows(h, 5, from, until);
  CHECK(windows.size() == begin_of.size());
  for (const ActionWindow& w : windows) {
    REQUIRE(begin_of.contains(w.first_target));
    CHECK(w.end == w.first_target + 1);
    CHECK(w.begin == begin_of[w.first_target]);
  }
}

TEST_CASE("a window asks for block and place of its interest-based targets, and does not show the last one's place") {
  for (const PlaceCodes codes : {PlaceCodes::hierarchical, PlaceCodes::hashed, PlaceCodes::single}) {
    const TownHistories town(chronotope::test::town(), codes);
    const ActionHistories& h = town.histories;
    const ActionTokens tokens(h, town.tokenizer, 4);
    const bool single = codes == PlaceCodes::single;
    std::size_t refused = 0, added = 0;
    for (const ActionWindow& w : sequence_windows(h, SequenceSet::single, 5, town.until(), 1, 0)) {
      std::vector<std::pair<Question, std::int32_t>> wanted;
      for (std::size_t i = w.first_target; i < w.end; ++i) {
        if (!h.actions[i].interest || h.actions[i].place == 0) continue;
        const PlaceCode code = town.tokenizer.places().tokens(h.actions[i].place);
        if (!single) wanted.emplace_back(Question::block, static_cast<std::int32_t>(code.block));
        wanted.emplace_back(Question::inner, static_cast<std::int32_t>(code.inner));
      }
      TokenBatch batch;
      const bool any = tokens.add(w, batch);
      ++(any ? added : refused);
      CHECK(any == !wanted.empty());
      CHECK(batch.asks().size() == wanted.size());
      if (!any) {
        CHECK(batch.tokens() == 0);
        CHECK(batch.lengths().empty());
        continue;
      }
      for (std::size_t k = 0; k < wanted.size(); ++k) {
        const Ask& ask = batch.asks()[k];
        CHECK((ask.what == wanted[k].first && ask.target == wanted[k].second && ask.target > 0));
        const bool from_u = single || ask.what == Question::block;
        CHECK(batch.kinds()[static_cast<std::size_t>(ask.row)] == (from_u ? TokenKind::context : TokenKind::block));
      }
      CHECK(batch.contexts().size() == w.end - w.begin);
      CHECK(batch.inners().size() == w.end - w.begin - 1);
      CHECK(batch.types().size() == w.end - w.begin - 1);
      CHECK(batch.blocks().size() == (single ? 0 : w.end - w.begin));
      CHECK(batch.texts().size() <= 4);
      CHECK(batch.texts().back() == TextTokenizer::end);
    }
    CHECK(added > 20);
    CHECK(refused > 0);
  }
}

TEST_CASE("pre-training's loss is finite and adds up over what is interest-based, nothing else") {
  TownHistories town(chronotope::test::town());
  const Config config = chronotope::test::town().config();
  auto model = make_generative_model(context(), config, generative_sizes(town.tokenizer, config.actions, 0));
  const ActionTokens tokens(town.histories, town.tokenizer, config.actions.profile_tokens);
  PretrainingTask task(context(), model, tokens, {true, 1, 6, 9});
  const auto samples = task.samples(0);
  CHECK(task.sample_count(0) == static_cast<std::int64_t>(samples.size()));
  const auto some = std::span(samples).first(12);
  const auto all = task.loss(some);
  CHECK(std::isfinite(all.sum.item<float>()));
  double parts = 0;
  std::int64_t targets = 0, inputs = 0;
  for (const ActionWindow& w : some) {
    const auto own = task.loss({&w, 1});
    if (own.targets > 0) parts += own.sum.item<float>();
    targets += own.targets, inputs += own.inputs;
  }
  CHECK(all.targets == targets);
  CHECK(all.inputs == inputs);
  CHECK(all.sum.item<float>() == doctest::Approx(parts).epsilon(1e-5));

  for (PastAction& a : town.histories.actions) a.interest = false;
  CHECK(task.loss(some).targets == 0);
  const ActionWindow& w = *std::find_if(some.begin(), some.end(), [&](const ActionWindow& s) { return town.histories.actions[s.first_target].place != 0; });
  town.histories.actions[w.first_target].interest = true;
  CHECK(task.loss({&w, 1}).targets == 2);
}
