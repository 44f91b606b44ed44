// A pre-training that stopped in either phase of its curriculum goes on as if it never had, to the bit.

#include "chronotope/train/action_run.hpp"
#include "chronotope/train/action_task.hpp"
#include "generative/town.hpp"
#include "train/tiny.hpp"

using namespace chronotope;
using namespace chronotope::test;
using scratch::Folder;

namespace {

Config eventful() {
  Config config = town().config();
  config.model.dropout = 0.2;
  config.training.batch = 3, config.training.accumulate = 2, config.training.weight_decay = 0.01, config.training.checkpoint_seconds = 0;
  return config;
}

TrainingState train(const std::string& backend, const Config& config, const std::string& folder, const RunOptions& options = {}, std::int64_t stop_at = 0) {
  Context<any_backend> context(tiny::stream(backend));
  RunObserver observer;
  observer.on_step = [=](const StepReport& r) {
    if (r.steps == stop_at) throw tiny::Stop{};
  };
  return train_actions(context, town().source(), config, folder, options, observer);
}

/// Both checkpoints, with what differs.
std::string difference(const std::string& a, const std::string& b) {
  const auto of = [&](const char* name) { return tiny::difference(a + "/" + name, b + "/" + name); };
  return of(last_checkpoint) + of(best_checkpoint);
}

/// Steps of the first epoch's first pass.
std::int64_t single_steps(const Config& config) {
  const TownHistories parts(town());
  const auto windows = sequence_windows(parts.histories, SequenceSet::single, config.model.length, parts.until(), static_cast<std::uint64_t>(config.seed), 0);
  return static_cast<std::int64_t>(windows.size()) / (config.training.batch * config.training.accumulate);
}

}  // namespace

TEST_CASE("stopped among single statuses and among several, one epoch ends with the same bits") {
  for (const std::string& backend : tiny::backends()) {
    CAPTURE(backend);
    const Folder folder;
    const Config config = eventful();
    const std::string whole = folder.file("whole"), parts = folder.file("parts");
    const TrainingState end = train(backend, config, whole);
    const std::int64_t singles = single_steps(config);
    REQUIRE(singles > 5);
    REQUIRE(end.steps > singles + 4);
    CHECK_THROWS_AS(train(backend, config, parts, {}, 4), tiny::Stop);
    CHECK(read_checkpoint(parts, last_checkpoint).state.steps == 3);
    CHECK_THROWS_AS(train(backend, config, parts, {.resume = true}, singles + 3), tiny::Stop);
    CHECK(read_checkpoint(parts, last_checkpoint).state.steps == singles + 2);
    CHECK_THROWS_AS(train(backend, config, parts, {.resume = true}, end.steps), tiny::Stop);
    CHECK(tiny::difference(whole + "/" + last_checkpoint, parts + "/" + last_checkpoint) != "");
    train(backend, config, parts, {.resume = true});
    CHECK(difference(whole, parts) == "");
  }
}

TEST_CASE("paused between the phases and stopped within both, two epochs end with the same bits") {
  const std::string& backend = tiny::backends().back();
  const Folder folder;
  Config config = eventful();
  config.training.epochs = 2, config.training.embedding_updates = "lazy";
  const std::string whole = folder.file("whole"), parts = folder.file("parts");
  const TrainingState end = train(backend, config, whole);
  CHECK(end.finished);
  CHECK_THROWS_AS(train(backend, config, parts, {}, 5), tiny::Stop);
  const TrainingState paused = train(backend, config, parts, {.resume = true, .stop_after = 1});
  CHECK((paused.epoch == 1 && paused.step == 0 && !paused.finished));
  CHECK_THROWS_AS(train(backend, config, parts, {.resume = true}, paused.steps + 4), tiny::Stop);
  train(backend, config, parts, {.resume = true});
  CHECK(difference(whole, parts) == "");
}

TEST_CASE("a resumed pre-training refuses another log and another index") {
  const Folder folder;
  const std::string run = folder.file("run"), &backend = tiny::backends().front();
  CHECK_THROWS_AS(train(backend, eventful(), run, {}, 3), tiny::Stop);
  const std::string before = scratch::bytes_of(run + "/" + last_checkpoint);
  std::vector<LoggedAction> other = town().actions;
  const auto resume = [&] {
    Context<any_backend> context(tiny::stream(backend));
    train_actions(context, source_of(other), eventful(), run, {.resume = true});
  };
  SUBCASE("an action at another time") { other[3].time += 60; }
  SUBCASE("an action less") { other.pop_back(); }
  SUBCASE("an action that is functional now") { other[3].interest = !*other[3].interest; }
  CHECK(scratch::error_of(resume).rfind("DataError: ", 0) == 0);
  CHECK(scratch::bytes_of(run + "/" + last_checkpoint) == before);
}
