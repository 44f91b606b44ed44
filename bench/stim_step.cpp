// The trainer's own steps of STIM on random lists of 20,000 behaviours: search, batch, forward, backward, AdamW. The other side
// is bench/peers/torch_stim.py (bench/compare_stim).
//
//   bench_stim_step [--batch 1024] [--m 20000] [--kept 50] [--width 64] [--steps 20] [--threads 2]

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <span>
#include <string>

#include "chronotope/backend/onednn_backend.hpp"
#include "chronotope/data/click_builder.hpp"
#include "chronotope/train/click_run.hpp"
#include "chronotope/train/click_task.hpp"
#include "cli/breakdown.hpp"

namespace {

using namespace chronotope;
using B = any_backend;

struct Options {
  std::int64_t batch = 1024, m = 20000, kept = 50, width = 64;
  int steps = 20, threads = 2;
};

constexpr std::size_t warm_up = 3;  // steps
constexpr std::int32_t items = 100000, categories = 500, cells = 20000, users = 50000;

/// One sample a user; every list is random. Sizes of tables as in the peer.
ClickColumns random_log(const Options& o) {
  std::mt19937 random(1);
  const auto below = [&](std::int32_t n) { return static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(n)); };
  ClickColumns c;
  c.ids = {{"item", "item", FeaturePart::item, items, {}}, {"category", "category", FeaturePart::item, categories, {}}, {"geohash", "geohash", FeaturePart::item, cells, {}}};
  c.behaviour_ids = c.ids;
  c.ids.pop_back();
  c.ids.push_back({"request_geohash", "geohash", FeaturePart::context, cells, {}});
  c.ids.push_back({"user", "user", FeaturePart::user, users, {}});
  c.numbers = {{"distance", FeaturePart::context, {}}, {"popularity", FeaturePart::item, {}}};
  const auto moment = [&](ClickColumns::Times& at, std::int64_t time) { at.add(time, below(24), below(7), (1u << 30) | (random() & ((1u << 30) - 1))); };
  for (std::int64_t sample = 0; sample < o.batch; ++sample) {
    c.first.push_back(static_cast<std::uint64_t>(sample * o.m)), c.last.push_back(static_cast<std::uint64_t>((sample + 1) * o.m));
    for (std::int64_t i = 0; i < o.m; ++i) {
      moment(c.behaviours_at, 600 * i);
      for (ClickColumns::Ids& column : c.behaviour_ids) column.values.push_back(1 + below(column.rows - 1));
    }
    moment(c.at, 600 * o.m);
    for (ClickColumns::Ids& column : c.ids) column.values.push_back(1 + below(column.rows - 1));
    for (ClickColumns::Numbers& column : c.numbers) column.values.push_back(static_cast<float>(below(1000)) / 1000);
    c.click.push_back(below(10) == 0), c.split.push_back(Split::train);
  }
  return c;
}

Config config_of(const Options& o) {
  Config config;
  config.clicks.kept = o.kept;
  config.click_model.key_width = o.width, config.click_model.dropout = 0;
  config.training.batch = o.batch, config.training.weight_decay = 0.01, config.training.clip_norm = 0;
  return config;
}

/// Seconds that search and batch take alone, the median of five.
double batch_seconds(const ClickBatcher& batcher, std::span<const std::uint64_t> samples, int threads) {
  std::vector<double> seconds;
  ClickBatch batch;
  for (int i = 0; i < 5; ++i) {
    const Stopwatch watch;
    batcher.make(samples, batch, threads);
    seconds.push_back(watch.seconds());
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[2];
}

void run(const Options& o) {
  const ClickColumns columns = random_log(o);
  const ClickLog log = view_click_columns(columns);
  const Config config = config_of(o);
  const auto timings = std::make_shared<Timings>();
  Context<B> context(any_stream<timed<onednn_backend>>({onednn_backend::stream(o.threads), timings}), 1);
  const ClickSchema schema = schema_of(log);
  auto model = make_click_model(context, config.click_model, schema, o.kept);
  const ClickBatcher batcher(log, schema, batch_rules(config.clicks));
  ClickTask task(context, model, batcher, samples_of(log, Split::train), click_tasks(config.click_model), 1, o.threads);
  Trainer trainer(context, task, config.training);
  const std::vector<std::uint64_t> samples = task.samples(0);
  std::vector<double> seconds;
  double peak = measure_gemm_peak(context);
  while (seconds.size() < static_cast<std::size_t>(o.steps) + warm_up) {
    if (seconds.size() == warm_up) timings->clear();
    seconds.push_back(trainer.step(samples, samples).seconds);
  }
  seconds.erase(seconds.begin(), seconds.begin() + warm_up);
  const Timings step_timings = *timings;
  peak = std::max(peak, measure_gemm_peak(context));
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  std::printf("with search step median %.4f s, least %.4f s, %.0f samples/s\n", median, seconds.front(), static_cast<double>(o.batch) / median);
  std::printf("search and batch alone %.4f s; GEMM peak %.0f GFLOP/s; peak memory of tensors %.0f MB\n", batch_seconds(batcher, samples, o.threads), peak * 1e-9,
              static_cast<double>(context.memory().peak) * 1e-6);
  cli::print_breakdown(step_timings, seconds.size(), std::accumulate(seconds.begin(), seconds.end(), 0.0));
}

/// False for an unknown name or a number below 1.
bool set_option(Options& o, const std::string& name, const char* text) {
  const long value = std::strtol(text, nullptr, 10);
  if (value < 1) return false;
  if (name == "--batch") o.batch = value;
  else if (name == "--m") o.m = value;
  else if (name == "--kept") o.kept = value;
  else if (name == "--width") o.width = value;
  else if (name == "--steps") o.steps = static_cast<int>(value);
  else if (name == "--threads") o.threads = static_cast<int>(value);
  else return false;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 < argc && set_option(o, argv[i], argv[i + 1])) continue;
    std::fprintf(stderr, "bench_stim_step [--batch N] [--m N] [--kept N] [--width N] [--steps N] [--threads N], numbers above 0\n");
    return 2;
  }
  run(o);
  return 0;
}
