// chronotope dump-steps: weights, batches and losses of the first training steps, for bench/peers/torch_losses.py.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "chronotope/train/place_task.hpp"
#include "chronotope/train/run.hpp"
#include "cli/commands.hpp"
#include "cli/device.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::string config, data, out;
  int steps = 50;
  Device device;
};

template <class F> HostTensor column(const ActionBatch& batch, F&& value) {
  std::vector<std::int32_t> values;
  for (const Action& a : batch.actions) values.push_back(value(a));
  return HostTensor::of(values, {static_cast<std::int64_t>(values.size())});
}

HostTensor ids(const std::vector<std::int32_t>& values) { return HostTensor::of(values, {static_cast<std::int64_t>(values.size())}); }

void put_batch(Safetensors& file, const std::string& prefix, const ActionBatch& b) {
  const char* when[] = {"month", "day", "weekday", "hour"};
  file.tensors[prefix + "place"] = column(b, [](const Action& a) { return a.place; });
  file.tensors[prefix + "category"] = column(b, [](const Action& a) { return a.category; });
  for (std::size_t f = 0; f < time_features; ++f) file.tensors[prefix + when[f]] = column(b, [f](const Action& a) { return a.when[f]; });
  for (std::size_t level = 0; level < geo_parts; ++level)
    file.tensors[prefix + "geo." + std::to_string(level)] = column(b, [level](const Action& a) { return a.where[level]; });
  file.tensors[prefix + "lengths"] = ids(b.lengths);
  file.tensors[prefix + "selected"] = ids(b.selected);
  file.tensors[prefix + "target"] = ids(b.target);
}

void run(const Options& o) {
  const Config config = read_config(o.config);
  if (config.model.head != "vocabulary" || config.model.dropout != 0) throw ConfigError("dump-steps compares plain softmax models without dropout");
  const CheckinTable table = read_checkins(o.data);
  Context<any_backend> context(o.device.stream(), static_cast<std::uint64_t>(config.seed));
  const PlaceTokenizer tokenizer = make_tokenizer(table, GeoCells::geohash, static_cast<std::int32_t>(config.model.geo_rows));
  const Histories histories(table, tokenizer);
  auto model = make_place_model(context, config.model, tokenizer.places(), tokenizer.categories());
  PlaceTask task(context, model, config, histories);
  Trainer trainer(context, task, config.training);
  Safetensors file;
  file.tensors = state_of(model);
  file.metadata = {{"heads", std::to_string(config.model.heads)}, {"weight_decay", std::to_string(config.training.weight_decay)},
                   {"clip", std::to_string(config.training.clip_norm)}};
  const std::vector<Window> windows = task.samples(0);
  const auto batch = static_cast<std::size_t>(config.training.batch);
  for (int s = 0; s < o.steps && (static_cast<std::size_t>(s) + 1) * batch <= windows.size(); ++s) {
    const auto some = std::span<const Window>(windows).subspan(static_cast<std::size_t>(s) * batch, batch);
    const StepReport r = trainer.step(some);
    const std::string prefix = "step." + std::to_string(s) + ".";
    put_batch(file, prefix, make_batch(histories, some, config.model.target_time));
    file.tensors[prefix + "lr"] = HostTensor::of(std::vector<double>{r.rate}, {1});
    file.tensors[prefix + "loss"] = HostTensor::of(std::vector<double>{r.loss}, {1});
  }
  write_safetensors(o.out, file);
  std::printf("%d steps in %s; compare with: bench/peers/torch_losses.py %s\n", o.steps, o.out.c_str(), o.out.c_str());
}

}  // namespace

void add_dump_steps(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("dump-steps", "write the first training steps for comparison with PyTorch (bench/peers)");
  command->add_option("--config", o->config, "JSON config")->required()->check(CLI::ExistingFile);
  command->add_option("--data", o->data, "check-in file")->required();
  command->add_option("--out", o->out, "safetensors file to write")->required();
  command->add_option("--steps", o->steps, "how many")->check(CLI::Range(1, 1000))->capture_default_str();
  o->device.add_to(*command);
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
