// chronotope convert-clicks: Ele.me files into a click cache.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "chronotope/core/error.hpp"
#include "chronotope/data/calendar.hpp"
#include "chronotope/data/eleme.hpp"
#include "cli/commands.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::vector<std::string> inputs, splits;
  std::string out, validation_from, test_from, order = "detect";
  ElemeOptions eleme;
};

std::int64_t wall_clock(const std::string& text) { return text.empty() ? 0 : parse_iso8601(text).local; }

std::vector<Split> splits_of(const std::vector<std::string>& names) {
  std::vector<Split> splits;
  for (const std::string& name : names) splits.push_back(name == "test" ? Split::test : name == "validation" ? Split::validation : Split::train);
  return splits;
}

ListOrder order_of(const std::string& name) {
  return name == "newest-first" ? ListOrder::newest_first : name == "oldest-first" ? ListOrder::oldest_first : name == "sort" ? ListOrder::sort : ListOrder::detect;
}

void show(const ElemeProgress& p) {
  std::fprintf(stderr, "\rfile %zu, %llu rows, %.1f GB of it ", p.input + 1, static_cast<unsigned long long>(p.rows), static_cast<double>(p.bytes) * 1e-9);
}

void run(Options o) {
  o.eleme.split_of_input = splits_of(o.splits);
  o.eleme.validation_from = wall_clock(o.validation_from), o.eleme.test_from = wall_clock(o.test_from);
  o.eleme.order = order_of(o.order);
  o.eleme.progress = show;
  const ElemeProgress p = convert_eleme(o.inputs, o.out, o.eleme);
  std::fprintf(stderr, "\n");
  std::printf("%llu samples (%llu rows left out) with %llu behaviours in %s\n"
              "check what the source does not document: lists ran newest first in %llu rows, oldest first in %llu;\n"
              "the hour differs from the time's in %llu requests, the weekday in %llu\nnext: chronotope train --config configs/stim_eleme.json --data %s --out my-model\n",
              static_cast<unsigned long long>(p.rows - p.skipped), static_cast<unsigned long long>(p.skipped), static_cast<unsigned long long>(p.behaviours), o.out.c_str(),
              static_cast<unsigned long long>(p.newest_first), static_cast<unsigned long long>(p.oldest_first),
              static_cast<unsigned long long>(p.hour_differs), static_cast<unsigned long long>(p.weekday_differs), o.out.c_str());
}

}  // namespace

void add_convert_clicks(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("convert-clicks", "turn Ele.me click files (39 fields) into a click cache; killed, it goes on where it was");
  command->add_option("--data", o->inputs, "the files, in the order of time")->required();
  command->add_option("--out", o->out, "click cache to write")->required();
  command->add_option("--split", o->splits, "split of each file; instead, the two times below may cut")->check(CLI::IsMember({"train", "validation", "test"}));
  command->add_option("--validation-from", o->validation_from, "wall clock from which requests are validation: 2022-04-07T00:00");
  command->add_option("--test-from", o->test_from, "wall clock from which requests are test");
  ElemeOptions& e = o->eleme;
  command->add_option("--order", o->order, "how lists run")->check(CLI::IsMember({"detect", "newest-first", "oldest-first", "sort"}))->capture_default_str();
  command->add_option("--timediff-seconds", e.timediff_seconds, "unit of timediff_list")->capture_default_str();
  command->add_option("--monday", e.monday, "the number of Monday in weekdays")->capture_default_str();
  command->add_flag("--skip-bad-rows", e.skip_bad_rows, "count and leave out rows that break a rule");
  command->add_option("--item-rows", e.tables.item, "rows of the hashed table of items")->capture_default_str();
  command->add_option("--user-rows", e.tables.user, "rows of the hashed table of users")->capture_default_str();
  command->add_option("--threads", e.threads, "that parse")->check(CLI::Range(1, 1024))->capture_default_str();
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
