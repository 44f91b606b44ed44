// Serving: from a checkpoint on disk to the first answer, and one answer after another, for the model of configs/nyc.json
// (width 768, two layers, 128 actions) over the places of a generated city. Weights are fresh: speed does not ask.

#include <benchmark/benchmark.h>

#include "chronotope/backend/onednn_backend.hpp"
#include "chronotope/data/city.hpp"
#include "chronotope/models/place_model.hpp"
#include "chronotope/nn/state.hpp"
#include "chronotope/serve/recommender.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace chronotope;

any_backend::stream stream(int threads) { return any_stream<onednn_backend>(onednn_backend::stream(threads)); }

/// A checkpoint in a folder of its own, and the history of a user with at least 128 check-ins.
struct Fixture {
  bench::TemporaryFolder folder;
  std::vector<Visit> history;
  std::int32_t places = 0;

  Fixture() {
    const CheckinTable table = generate_city({.users = 400, .places = 5000, .checkins_per_user = 250});
    const PlaceTokenizer tokenizer = make_tokenizer(table, GeoCells::geohash, 2048);
    Checkpoint checkpoint{Config{}, tokenizer.to_json(), TrainingState{}, {}};
    places = tokenizer.places();
    Context<any_backend> context(stream(2));
    auto model = make_place_model(context, checkpoint.config.model, places, tokenizer.categories());
    checkpoint.tensors = state_of(model, "model.");
    write_checkpoint(folder.path(), best_checkpoint, checkpoint);
    for (std::size_t user = 0; history.size() < 127; ++user) history = visits_of(table, user);
    history.resize(127);  // with the asked one: 128 actions
  }
};

const Fixture& fixture() {
  static const Fixture made;
  return made;
}

void recommend(benchmark::State& state) {
  const Recommender recommender(fixture().folder.path(), stream(static_cast<int>(state.range(0))));
  const Visit& last = fixture().history.back();
  for (auto _ : state) benchmark::DoNotOptimize(recommender.recommend(fixture().history, last.utc + 3600, last.local + 3600, 10));
  state.counters["places"] = fixture().places;
}
BENCHMARK(recommend)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond)->MinWarmUpTime(0.5);

/// Checkpoint read, model made, first answer given.
void start_up(benchmark::State& state) {
  const Visit& last = fixture().history.back();
  for (auto _ : state) {
    const Recommender recommender(fixture().folder.path(), stream(1));
    benchmark::DoNotOptimize(recommender.recommend(fixture().history, last.utc + 3600, last.local + 3600, 10));
  }
}
BENCHMARK(start_up)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
