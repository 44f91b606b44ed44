// How fast batches of clicks are made: 1,024 samples of different users with 20,000 behaviours each, of which 50 are kept.
// Counters are a second of processor time, so that other work on the machine counts little: samples/s; B/s of what a search must
// read (4 bytes a behaviour, and its embedding in a soft search), and its share of what memcpy copies here. Users' lists together
// are larger than any cache.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <random>
#include <vector>

#include "chronotope/data/click_batcher.hpp"
#include "chronotope/data/click_builder.hpp"

namespace {

using namespace chronotope;

constexpr int users = 512, behaviours = 20'000, items = 100'000, batch_size = 1'024;
constexpr std::int64_t kept = 50, width = 16;

ClickColumns make_columns(int categories) {
  ClickColumns c;
  c.ids = {{"item", "item", FeaturePart::item, items, {}}, {"category", "category", FeaturePart::item, categories + 1, {}}};
  c.behaviour_ids = c.ids;
  c.ids.push_back({"user", "user", FeaturePart::user, users + 1, {}});
  c.behaviour_numbers = {{"price", FeaturePart::item, {}}};
  std::mt19937 random(1);
  const auto below = [&](int n) { return static_cast<std::int32_t>(random() % static_cast<unsigned>(n)); };
  const auto add = [&](ClickColumns::Times& at, std::vector<ClickColumns::Ids>& ids, std::int64_t time) {
    at.add(time, (1u << 30) | (random() & ((1u << 30) - 1)));
    ids[0].values.push_back(below(items));
    ids[1].values.push_back(1 + below(categories));
  };
  for (int user = 0; user < users; ++user) {
    const std::uint64_t first = c.behaviours_at.time.size();
    for (int i = 0; i < behaviours; ++i) {
      add(c.behaviours_at, c.behaviour_ids, i * 600);
      c.behaviour_numbers[0].values.push_back(1);
    }
    for (int i = 0; i < 2; ++i) {
      add(c.at, c.ids, behaviours * 600);
      c.ids[2].values.push_back(user + 1);
      c.click.push_back(i == 0);
      c.split.push_back(Split::train);
      c.first.push_back(first), c.last.push_back(first + behaviours);
    }
  }
  return c;
}

/// Processor time of all threads.
double seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// Bytes a second of memcpy, the best of five.
double copy_speed() {
  std::vector<char> from(std::size_t{1} << 28, 1), to(from.size());
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    const double begin = seconds();
    std::memcpy(to.data(), from.data(), from.size());
    benchmark::DoNotOptimize(to.data());
    best = std::max(best, static_cast<double>(from.size()) / (seconds() - begin));
  }
  return best;
}

void run(benchmark::State& state, int categories, BatchRules rules, double bytes_read) {
  static const double copy = copy_speed();
  const ClickColumns columns = make_columns(categories);
  const ClickLog log = view_click_columns(columns);
  const ClickBatcher batcher(log, schema_of(log), std::move(rules));
  std::vector<std::uint64_t> samples = samples_of(log, Split::train);
  std::shuffle(samples.begin(), samples.end(), std::mt19937(2));
  ClickBatch batch;
  const double begin = seconds();
  for (auto _ : state) {
    batcher.make(samples, batch, static_cast<int>(state.range(0)));
    benchmark::DoNotOptimize(batch.age.data());
  }
  const double speed = static_cast<double>(state.iterations()) * batch_size / (seconds() - begin);
  state.counters["samples/s"] = speed;
  if (bytes_read == 0) return;
  state.counters["B/s"] = benchmark::Counter(speed * bytes_read, benchmark::Counter::kDefaults, benchmark::Counter::kIs1000);
  state.counters["share_of_copy"] = speed * bytes_read / copy;
}

/// 1,000 categories: about 20 behaviours of the candidate's, so every list is read to its end.
void hard_whole_list(benchmark::State& state) { run(state, 1'000, {.kept = kept}, behaviours * 4.); }

/// 20 categories: 50 behaviours of the candidate's are found in the newest 1,000.
void hard_early_exit(benchmark::State& state) { run(state, 20, {.kept = kept}, 0); }

void recent(benchmark::State& state) { run(state, 20, {.kept = kept, .search = Search::recent}, 0); }

void soft(benchmark::State& state) {
  static const std::vector<float> rows = [] {
    std::vector<float> values(static_cast<std::size_t>(items) * width);
    std::mt19937 random(3);
    std::normal_distribution<float> draw;
    for (float& value : values) value = draw(random);
    return values;
  }();
  run(state, 20, {.kept = kept, .search = Search::soft, .soft_rows = {rows, width}}, behaviours * (4. + 4. * width));
}

}  // namespace

BENCHMARK(hard_whole_list)->Arg(1)->Arg(2)->ArgName("threads")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(hard_early_exit)->Arg(1)->Arg(2)->ArgName("threads")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(recent)->Arg(1)->Arg(2)->ArgName("threads")->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(soft)->Arg(1)->Arg(2)->ArgName("threads")->UseRealTime()->Unit(benchmark::kMillisecond);
