// chronotope convert-checkins: check-ins as an action log and a semi-synthetic request log.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "chronotope/data/action_source.hpp"
#include "chronotope/data/checkin_requests.hpp"
#include "cli/commands.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::string data, actions, requests;
  CheckinRequestOptions asked;
};

std::size_t write_actions(const CheckinTable& table, const std::string& path) {
  ActionWriter out(path);
  const ActionPass next = actions_of(table)();
  std::size_t count = 0;
  for (LoggedAction a; next(a); ++count) out.write(a);
  out.finish();
  return count;
}

std::size_t write_requests(const CheckinTable& table, const CheckinRequestOptions& options, const std::string& path) {
  RequestWriter out(path);
  std::size_t count = 0;
  semi_synthetic_requests(table, options, [&](const SemiSyntheticRequest& r) { out.write(r.request), ++count; });
  out.finish();
  return count;
}

void run(const Options& o) {
  const CheckinTable table = read_checkins(o.data);
  std::printf("%zu check-ins as actions in %s\n", write_actions(table, o.actions), o.actions.c_str());
  if (o.requests.empty()) return;
  std::printf("%zu SEMI-SYNTHETIC requests in %s: the visits are real, what else was shown is invented; say so with every figure\n",
              write_requests(table, o.asked, o.requests), o.requests.c_str());
}

}  // namespace

void add_convert_checkins(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("convert-checkins", "check-ins as an action log and, with invented alternatives, a request log");
  command->add_option("--data", o->data, "check-in file")->required()->check(CLI::ExistingFile);
  command->add_option("--actions", o->actions, "action log to write: .csv, .jsonl or .columns (binary), gzip'ed with .gz behind it")->required();
  command->add_option("--requests", o->requests, "request log to write; the visited place is the clicked one, the others are drawn");
  command->add_option("--shown", o->asked.shown, "places in a request")->check(CLI::Range(2, 60))->capture_default_str();
  command->add_option("--seed", o->asked.seed, "of the draws")->capture_default_str();
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
