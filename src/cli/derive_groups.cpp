// chronotope derive-groups: groups of hours, weekdays and places from a log's own clicks.

#include "chronotope/data/derive_groups.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "chronotope/train/click_run.hpp"
#include "cli/commands.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::string data, cut = "letter";
  DeriveOptions groups;
};

void print_counts(const char* what, std::span<const std::uint64_t> counts) {
  std::printf("clicks by %s:", what);
  for (const std::uint64_t n : counts) std::printf(" %llu", static_cast<unsigned long long>(n));
  std::printf("\n");
}

void run(Options o) {
  o.groups.cut = o.cut == "range" ? PlaceCut::range : PlaceCut::letter;
  const DerivedGroups found = derive_groups(read_clicks(o.data, {}), o.groups);
  print_counts("hour, from 0", found.hours);
  print_counts("weekday, from Monday", found.weekdays);
  const auto cells = std::count_if(found.geohash.begin(), found.geohash.end(), [](std::uint64_t n) { return n > 0; });
  std::printf("clicks in %lld cells of two letters, %llu at a place not known\n\n\"clicks\": {\"hour_groups\": \"%s\", \"week_groups\": \"%s\", \"geohash_groups\": \"%s\"}\n",
              static_cast<long long>(cells), static_cast<unsigned long long>(found.without_place), found.texts.hours.c_str(), found.texts.weekdays.c_str(), found.texts.geohash.c_str());
}

}  // namespace

void add_derive_groups(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("derive-groups", "groups of hours, weekdays and places from a log's clicks, as a config takes them");
  command->add_option("--data", o->data, "check-in file or click cache; its training clicks are counted")->required();
  command->add_option("--hours", o->groups.hours, "groups of hours")->capture_default_str();
  command->add_option("--weekdays", o->groups.weekdays, "groups of weekdays; 0: Monday to Friday and the weekend")->capture_default_str();
  command->add_option("--places", o->groups.places, "groups of places")->capture_default_str();
  command->add_option("--cut", o->cut, "places: the most frequent first letter by its second letters, or ranges of both")->check(CLI::IsMember({"letter", "range"}))->capture_default_str();
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
