// chronotope generate-clicks: a click log with a planted truth, so that the gap to the best possible AUC can be printed.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "chronotope/core/error.hpp"
#include "chronotope/data/click_cache.hpp"
#include "chronotope/data/eleme.hpp"
#include "chronotope/data/generated_clicks.hpp"
#include "chronotope/eval/clicks.hpp"
#include "cli/click_evaluation.hpp"
#include "cli/commands.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  GeneratedClickOptions log;
  std::string out, eleme, age = "position";
};

void run(Options o) {
  o.log.age = o.age == "days" ? Age::days : Age::position;
  const GeneratedClicks made = generate_clicks(o.log);
  write_click_cache(made.log, o.out);
  write_truth(made.truth, truth_path(o.out));
  if (!o.eleme.empty()) write_eleme_csv(made.log, o.eleme);
  const std::vector<float> scores(made.truth.begin(), made.truth.end());
  const std::vector<std::uint8_t> clicks(made.log.click.begin(), made.log.click.end());
  const Auc best = auc({scores, clicks});
  std::printf("%zu generated samples (%llu clicks) with %zu behaviours in %s\nbest possible AUC over all of them %.4f; the truth is in %s\n", made.log.size(),
              static_cast<unsigned long long>(best.clicks), made.log.behaviours.size(), o.out.c_str(), best.value, truth_path(o.out).c_str());
}

}  // namespace

void add_generate_clicks(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("generate-clicks", "write a click log of invented users whose best possible AUC is known");
  command->add_option("--out", o->out, "click cache to write; the truth goes beside it, with .truth added to the name")->required();
  command->add_option("--eleme", o->eleme, "also write the log as an Ele.me file (39 fields) to this path");
  GeneratedClickOptions& log = o->log;
  command->add_option("--users", log.users, "users")->capture_default_str();
  command->add_option("--requests", log.requests, "samples a user")->capture_default_str();
  command->add_option("--behaviours", log.behaviours, "longest list of behaviours, to 20000")->capture_default_str();
  command->add_option("--cold", log.cold, "share of users with at most 9 behaviours")->capture_default_str();
  command->add_option("--categories", log.categories, "categories")->capture_default_str();
  command->add_option("--items", log.items, "items")->capture_default_str();
  command->add_option("--hour", log.hour, "strength of the planted hour groups; 0: absent")->capture_default_str();
  command->add_option("--week", log.week, "strength of the planted weekday groups")->capture_default_str();
  command->add_option("--place", log.place, "strength of the planted place groups")->capture_default_str();
  command->add_option("--quality", log.quality, "strength of the items' own quality")->capture_default_str();
  command->add_option("--memory", log.memory, "age at which a behaviour counts 1/e")->capture_default_str();
  command->add_option("--age", o->age, "what ages count: places in the list, or days")->check(CLI::IsMember({"position", "days"}))->capture_default_str();
  command->add_option("--seed", log.seed, "another seed, another log")->capture_default_str();
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
