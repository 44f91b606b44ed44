// chronotope bench-step: times the trainer's own step on full windows, as bench/compare_torch wants it.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>

#include "cli/breakdown.hpp"
#include "cli/commands.hpp"
#include "cli/device.hpp"
#include "chronotope/train/place_task.hpp"
#include "chronotope/train/run.hpp"

namespace chronotope::cli {
namespace {

constexpr std::size_t warm_up = 2;  // steps

struct Options {
  std::string config, data;
  std::int64_t batch = 2;
  int steps = 12;
  Device device;
};

void run(const Options& o) {
  Config config = read_config(o.config);
  config.training.batch = o.batch;
  const CheckinTable table = read_checkins(o.data);
  const auto timings = std::make_shared<Timings>();
  Context<any_backend> context(o.device.stream(timings));
  const PlaceTokenizer tokenizer = make_tokenizer(table, GeoCells::geohash, static_cast<std::int32_t>(config.model.geo_rows));
  const Histories histories(table, tokenizer);
  auto model = make_place_model(context, config.model, tokenizer.places(), tokenizer.categories());
  PlaceTask task(context, model, config, histories);
  Trainer trainer(context, task, config.training);
  std::vector<Window> windows = task.samples(0);
  std::erase_if(windows, [&](const Window& w) { return static_cast<std::int64_t>(w.end - w.begin) != config.model.length; });
  std::vector<double> seconds;
  double flops = 0, peak = measure_gemm_peak(context);
  const auto batch = static_cast<std::size_t>(o.batch);
  for (std::size_t at = 0; at + batch <= windows.size() && seconds.size() < static_cast<std::size_t>(o.steps) + warm_up; at += batch) {
    if (seconds.size() == warm_up) timings->clear();
    const StepReport r = trainer.step(std::span<const Window>(windows).subspan(at, batch));
    seconds.push_back(r.seconds);
    flops = step_flops(config.model, tokenizer.places(), r.inputs, r.targets);
  }
  if (seconds.size() < 4) throw DataError("too few full windows of " + std::to_string(config.model.length) + " actions to time");
  seconds.erase(seconds.begin(), seconds.begin() + warm_up);
  const Timings step_timings = *timings;
  peak = std::max(peak, measure_gemm_peak(context));
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  std::printf("step median %.4f s, least %.4f s, %.0f actions/s\n", median, seconds.front(), static_cast<double>(o.batch * config.model.length) / median);
  std::printf("GEMM peak %.0f GFLOP/s, step %.1f GFLOP, %.0f%% of peak; peak memory of tensors %.0f MB\n", peak * 1e-9, flops * 1e-9,
              100 * flops / median / peak, static_cast<double>(context.memory().peak) * 1e-6);
  print_breakdown(step_timings, seconds.size(), std::accumulate(seconds.begin(), seconds.end(), 0.0));
}

}  // namespace

void add_bench_step(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("bench-step", "time training steps on full windows (bench/compare_torch)");
  command->add_option("--config", o->config, "JSON config")->required()->check(CLI::ExistingFile);
  command->add_option("--data", o->data, "check-in file")->required();
  command->add_option("--batch", o->batch, "windows a step")->check(CLI::Range(1, 4096))->capture_default_str();
  command->add_option("--steps", o->steps, "steps to time")->check(CLI::Range(2, 10000))->capture_default_str();
  o->device.add_to(*command);
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
