// Scoring one request: 100 candidates against 20,000 behaviours, STIM with d = 64 and k = 50, hard search included. Weights are
// fresh: speed does not ask.

#include <benchmark/benchmark.h>

#include <random>

#include "chronotope/backend/onednn_backend.hpp"
#include "chronotope/models/any_click_model.hpp"
#include "chronotope/nn/state.hpp"
#include "chronotope/serve/scorer.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace chronotope;

constexpr std::size_t candidates = 100, behaviours = 20000;

any_backend::stream stream(int threads) { return any_stream<onednn_backend>(onednn_backend::stream(threads)); }

ClickSchema schema() {
  ClickSchema s;
  s.behaviour_ids = {{"item", "item", FeaturePart::item, 100000}, {"category", "category", FeaturePart::item, 500}, {"geohash", "geohash", FeaturePart::item, 20000}};
  s.ids = s.behaviour_ids;
  s.ids.push_back({"request_geohash", "geohash", FeaturePart::context, 20000});
  s.ids.push_back({"user", "user", FeaturePart::user, 50000});
  s.numbers = {{"distance", FeaturePart::context}};
  return s;
}

/// A checkpoint in a folder of its own, and a request.
struct Fixture {
  bench::TemporaryFolder folder;
  ClickLog request;

  Fixture() {
    Config config;
    config.system = "clicks", config.click_model.key_width = 64;
    Context<any_backend> context(stream(2));
    auto model = make_click_model(context, config.click_model, schema(), config.clicks.kept);
    write_checkpoint(folder.path(), best_checkpoint, {config, schema_json(schema()), TrainingState{}, state_of(model, "model.")});
    request = make_request();
  }

  static ClickLog make_request() {
    std::mt19937 random(1);
    ClickColumns c = request_columns(schema(), candidates, behaviours);
    for (auto* columns : {&c.ids, &c.behaviour_ids})
      for (ClickColumns::Ids& column : *columns)
        for (std::int32_t& id : column.values) id = static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(column.rows));
    return make_click_log(std::move(c));
  }
};

void score(benchmark::State& state) {
  static const Fixture fixture;
  const Scorer scorer(fixture.folder.path(), stream(static_cast<int>(state.range(0))));
  for (auto _ : state) benchmark::DoNotOptimize(scorer.score(fixture.request));
}
BENCHMARK(score)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond)->MinWarmUpTime(0.5);

}  // namespace
