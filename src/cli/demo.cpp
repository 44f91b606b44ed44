// chronotope demo: the whole way in one command, on a generated city.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "chronotope/data/calendar.hpp"
#include "chronotope/data/city.hpp"
#include "chronotope/serve/recommender.hpp"
#include "cli/commands.hpp"
#include "cli/demo_config.hpp"
#include "cli/evaluation.hpp"
#include "cli/json_output.hpp"
#include "cli/progress.hpp"

namespace chronotope::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string out = "chronotope-demo";
  std::uint64_t seed = 1;
  Device device;
};

void train(const Options& o, const CheckinTable& table, const Config& config, const std::string& folder) {
  fs::remove_all(folder);  // the demo starts anew
  Context<any_backend> context(o.device.stream());
  Progress progress(place_progress(static_cast<std::int64_t>(table.places.size())), [&] { return measure_gemm_peak(context); }, o.device.describe());
  train_checkins(context, table, config, folder, {}, progress.observer());
}

/// The last user of the table with a test target, asked for an hour after the last check-in.
void show_user(const Options& o, const CheckinTable& table, const std::string& folder) {
  const std::size_t user = evaluation_targets(table, Split::test).back().user;
  const std::vector<Visit> history = visits_of(table, user);
  const Visit& last = history.back();
  const Recommender recommender(folder, o.device.stream());
  const auto places = recommender.recommend(history, last.utc + 3600, last.local + 3600, 10);
  std::printf("\nwhere may user %s go next? (%zu check-ins, last at %s, asked for an hour later)\n%s", table.users[user].c_str(), history.size(),
              format_iso8601({last.local, {}}).c_str(), recommendations_table(places).c_str());
}

void run(const Options& o) {
  const std::string data = (fs::path(o.out) / "city.csv.gz").string(), model = (fs::path(o.out) / "model").string(),
                    report = (fs::path(o.out) / "report.html").string();
  fs::create_directories(o.out);
  CityOptions city;
  city.users = 700, city.places = 2000;  // enough test targets to tell the model from counting
  city.seed = o.seed;
  const CheckinTable table = generate_city(city);
  write_checkins(table, data);
  std::fprintf(stderr, "generated a city: %zu check-ins of %zu users at %zu places\n", table.rows.size(), table.users.size(), table.places.size());
  const Config config = parse_config(demo_config, "configs/demo.json");
  train(o, table, config, model);
  const EvaluationReport evaluation = evaluate_checkpoints({read_trained(model)}, table, Split::test, o.device);
  std::printf("%s", format_report(evaluation).c_str());
  write_report(report, report_content(model, table, Split::test, evaluation, o.device, "a generated city"));
  show_user(o, table, model);
  std::printf("\ncheckpoint  %s\nreport      %s  (open it in a browser)\ndata        %s  (generated)\n"
              "next: chronotope train --config configs/nyc_fast.json --data YOUR.csv.gz --out my-model   (format: docs/data.md)\n",
              model.c_str(), report.c_str(), data.c_str());
}

}  // namespace

void add_demo(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("demo", "generate a city, train on it, compare with counting, recommend");
  command->add_option("--out", o->out, "folder for data, checkpoint and report; its model is replaced")->capture_default_str();
  command->add_option("--seed", o->seed, "another seed, another city")->capture_default_str();
  o->device.add_to(*command);
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
