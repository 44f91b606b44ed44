// What making batches of action logs takes beside the step that reads them: histories of a generated world, the task and trainer of
// pre-training, a small model and a large one. Sequences are packed one after another, so no token is padding; a batch made of
// equally long rows would have had as many as printed.
//
//   bench_action_batches [--users 600] [--places 3000] [--batch 8] [--steps 10] [--threads 2]
//
// Prints a line of JSON a model.

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "chronotope/backend/onednn_backend.hpp"
#include "chronotope/data/world.hpp"
#include "chronotope/train/action_task.hpp"
#include "chronotope/train/trainer.hpp"
#include "made_actions.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace chronotope;
using B = any_backend;

struct Options {
  std::int64_t users = 600, places = 3000, batch = 8, steps = 10, threads = 2;
};

constexpr std::size_t warm_up = 2;  // steps

ActionSource log_of(const World& world) {
  return [&world] {
    struct State {
      std::uint32_t user = 0;
      std::size_t next = 0;
      WorldUser now;
    };
    return ActionPass([&world, s = State{}](LoggedAction& action) mutable {
      while (s.next == s.now.actions.size()) {
        if (s.user == static_cast<std::uint32_t>(world.options().users)) return false;
        s.now = world.user(s.user++), s.next = 0;
      }
      const WorldAction& made = s.now.actions[s.next++];
      action = made.action, action.interest = made.truth.interest;
      return true;
    });
  };
}

PlaceList list_of(const World& world) {
  PlaceList places;
  for (std::uint32_t i = 0; i < world.places(); ++i) {
    const WorldPlace p = world.place(i);
    places.add({p.id, p.position.latitude, p.position.longitude, p.popularity, p.category});
  }
  return places;
}

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

/// Times steps, and the making of their batches alone.
void run(const Options& o, const ActionTokens& tokens, std::int64_t layers, std::int64_t width) {
  const ActionTokenizer& tokenizer = tokens.tokenizer();
  Config config;
  config.model.layers = layers, config.model.width = width, config.model.heads = width / 24, config.model.feed_forward = width * 8 / 3;
  config.training.batch = o.batch;
  Context<B> context(any_stream<onednn_backend>(onednn_backend::stream(static_cast<int>(o.threads))), 1);
  auto model = make_generative_model(context, config, generative_sizes(tokenizer, config.actions, 0));
  PretrainingTask task(context, model, tokens, {true, 1, config.model.length, 1});
  Trainer trainer(context, task, config.training);
  std::vector<ActionWindow> windows = task.samples(0);
  const auto batch = static_cast<std::size_t>(o.batch), steps = std::min(warm_up + static_cast<std::size_t>(o.steps), windows.size() / batch);
  if (steps <= warm_up) throw DataError("too few windows to time; more users make more");
  std::vector<double> step, making;
  std::int64_t real = 0, packed = 0, padded = 0;
  for (std::size_t i = 0; i < steps; ++i) {
    const auto some = std::span(windows).subspan(i * batch, batch);
    const Stopwatch watch;
    TokenBatch made;
    for (const ActionWindow& w : some) tokens.add(w, made);
    const TokenTensors<B> tensors(context, made);
    making.push_back(watch.seconds());
    step.push_back(trainer.step(some).seconds);
    real += made.tokens(), packed += tensors.packing.tokens();
    padded += static_cast<std::int64_t>(made.lengths().size()) * *std::max_element(made.lengths().begin(), made.lengths().end());
  }
  step.erase(step.begin(), step.begin() + warm_up), making.erase(making.begin(), making.begin() + warm_up);
  const auto rounded = [](double x) { return std::round(x * 1e6) / 1e6; };
  std::printf("%s\n", nlohmann::ordered_json{{"layers", layers}, {"width", width}, {"ms_per_step", rounded(1e3 * median(step))}, {"batch_ms", rounded(1e3 * median(making))},
                                            {"share_of_step", rounded(median(making) / median(step))}, {"tokens_per_step", real / static_cast<std::int64_t>(steps)}, {"padding", rounded(1 - static_cast<double>(real) / static_cast<double>(packed))},
                                            {"padding_of_equal_rows", rounded(1 - static_cast<double>(real) / static_cast<double>(padded))}}
                          .dump().c_str());
}

void run(const Options& o) {
  WorldOptions options;
  options.users = static_cast<int>(o.users), options.places = static_cast<int>(o.places);
  const World world(options);
  const bench::TemporaryFolder folder;
  build_geo_index(list_of(world), folder.file("index"));
  const PlaceCatalogue catalogue(GeoIndex(folder.file("index")), PlaceCodes::hierarchical);
  const ActionSource source = log_of(world);
  const Stopwatch watch;
  const ActionTokenizer tokenizer(catalogue, make_vocabulary(source, catalogue, {}));
  const ActionHistories histories(source, tokenizer, ActionsConfig().travel_km);
  const ActionTokens tokens(histories, tokenizer, ActionsConfig().profile_tokens);
  std::printf("%s\n", nlohmann::ordered_json{{"users", histories.users.size()}, {"actions", histories.actions.size()}, {"reading_s", std::round(100 * watch.seconds()) / 100}}.dump().c_str());
  run(o, tokens, 2, 96);
  run(o, tokens, 12, 768);
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  bench::CommandLine line;
  line.number("--users", o.users, 1), line.number("--places", o.places, 200), line.number("--batch", o.batch, 1), line.number("--steps", o.steps, 1);
  line.number("--threads", o.threads, 1);
  line.read(argc, argv);
  run(o);
  return 0;
}
