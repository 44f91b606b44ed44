// chronotope index versions, check, find, report.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/data/geo_index_folder.hpp"
#include "chronotope/eval/geo_occupancy.hpp"
#include "chronotope/report/report.hpp"
#include "cli/index_commands.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::string index, place, json, report;
  std::uint32_t version = 0;
  PlaceCode code;
  std::vector<double> at;
  double radius = 0;
};

GeoIndex open(const Options& o) { return GeoIndexFolder(o.index).open(o.version); }

void versions(const Options& o) {
  const GeoIndexFolder folder(o.index);
  const std::uint32_t current = folder.current();
  for (const GeoIndexInfo& info : folder.versions())
    std::printf("%s %s\n", info.version == current ? "*" : " ", version_line(info).c_str());
}

void check(const Options& o) {
  const GeoIndex index = open(o);
  index.check();
  std::printf("sound: %s\n", version_line(index.info()).c_str());
}

void print_place(const GeoIndex& index, PlaceCode code) {
  const auto place = index.place(code);
  if (!place)
    throw DataError(index.path() + ": no place has block " + std::to_string(code.block) + " and inner id " +
                    std::to_string(code.inner) + "; there are " + std::to_string(index.blocks()) +
                    " blocks, this one with " + std::to_string(index.inners(code.block)) +
                    " inner ids, those of removed places counted");
  std::printf("%.*s: block %u, inner id %u; at %.6f %.6f, popularity %g%s%.*s\n", static_cast<int>(place->id.size()),
              place->id.data(), code.block, code.inner, place->latitude, place->longitude, place->popularity,
              place->category.empty() ? "" : ", ", static_cast<int>(place->category.size()), place->category.data());
}

void print_around(const GeoIndex& index, const Options& o) {
  const std::uint32_t here = index.block_at(o.at[0], o.at[1]);
  if (here == 0) std::printf("no block at %.6f %.6f\n", o.at[0], o.at[1]);
  for (const NearBlock& near : index.blocks_near(o.at[0], o.at[1], o.radius)) {
    const GeoBox box = index.box(near.block);
    std::printf("block %u%s: %.3f km away, %u inner ids, latitude %.4f to %.4f, longitude %.4f to %.4f\n", near.block,
                near.block == here ? " (here)" : "", near.km, index.inners(near.block), box.south, box.north, box.west,
                box.east);
  }
}

void find(const Options& o) {
  const GeoIndex index = open(o);
  if (!o.at.empty()) return print_around(index, o);
  if (o.place.empty()) return print_place(index, o.code);
  const auto code = index.find(o.place);
  if (!code)
    throw DataError(index.path() + ": there is no place '" + o.place + "' in version " +
                    std::to_string(index.info().version) + "; it was never added, or removed");
  print_place(index, *code);
}

void report(const Options& o) {
  const GeoOccupancy occupancy = geo_occupancy(open(o));
  std::fputs(occupancy_table(occupancy).c_str(), stdout);
  if (!o.json.empty()) write_file_atomically(o.json, occupancy_json(occupancy));
  if (o.report.empty()) return;
  ReportContent content;
  content.title = "Geographic index " + o.index;
  content.occupancy = occupancy;
  write_report(o.report, content);
}

void add_find(CLI::App* command, Options& o) {
  command->add_option("--place", o.place, "a place by its id: tells its numbers");
  CLI::Option* block = command->add_option("--block", o.code.block, "with --inner: tells the place");
  CLI::Option* inner = command->add_option("--inner", o.code.inner, "with --block");
  block->needs(inner), inner->needs(block);
  CLI::Option* at = command->add_option("--at", o.at, "latitude and longitude: tells the blocks there")->expected(2);
  command->add_option("--radius", o.radius, "with --at: all blocks within so many km")
      ->needs(at)
      ->capture_default_str();
}

/// One of the three ways to ask.
void check_question(const CLI::App* command) {
  const auto asked =
      static_cast<int>(command->count("--place") > 0) + (command->count("--block") > 0) + (command->count("--at") > 0);
  if (asked != 1) throw CLI::ValidationError("index find", "ask for one of --place, --block with --inner, --at");
}

}  // namespace

void add_index_views(CLI::App& index, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  const auto command = [&](const char* name, const char* what, void (*run)(const Options&)) {
    CLI::App* added = index.add_subcommand(name, what);
    added->add_option("--index", o->index, "folder that build made")->required();
    added->callback([o, &chosen, run] { chosen = [o, run] { run(*o); }; });
    return added;
  };
  command("versions", "list the versions; the current one has a star", versions);
  CLI::App* asked = command("find", "look up a place by id, by number, or the blocks around a position", find);
  add_find(asked, *o);
  asked->callback([o, asked, &chosen] { check_question(asked), chosen = [o] { find(*o); }; });
  CLI::App* drawn = command("report", "how full blocks are and how even the vocabulary is used", report);
  drawn->add_option("--json", o->json, "the figures, to this file");
  drawn->add_option("--report", o->report, "a page with a map, to this file");
  for (CLI::App* added : {asked, drawn, command("check", "read a whole version and say whether it is sound", check)})
    added->add_option("--version", o->version, "another version than the current one");
}

}  // namespace chronotope::cli
