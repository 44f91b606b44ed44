// chronotope index build, append, remove, rollback.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <memory>

#include "chronotope/core/error.hpp"
#include "chronotope/data/geo_index_folder.hpp"
#include "chronotope/eval/geo_occupancy.hpp"
#include "cli/index_commands.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::string index, places, checkins, list;
  std::vector<std::string> ids;
  std::uint32_t to = 0;
  bool new_only = false;
  GeoIndexOptions geo;
};

PlaceList read(const Options& o) {
  return o.places.empty() ? places_of(read_checkins(o.checkins)) : read_places(o.places);
}

PlaceList without_known(const PlaceList& all, const GeoIndex& index) {
  PlaceList fresh;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!index.find(all[i].id)) fresh.add(all[i]);
  std::printf("%zu of %zu places are in the index already\n", all.size() - fresh.size(), all.size());
  return fresh;
}

std::vector<std::string> listed(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw FileError(path + ": cannot be opened");
  std::vector<std::string> ids;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) ids.push_back(line);
  }
  if (in.bad()) throw FileError(path + ": cannot be read");
  return ids;
}

void tell(const GeoIndexInfo& info) { std::printf("%s\n", version_line(info).c_str()); }

void build(const Options& o) {
  tell(GeoIndexFolder::create(o.index, read(o), o.geo).open().info());
  std::printf("next: chronotope index report --index %s --report index.html\n", o.index.c_str());
}

void append(const Options& o) {
  const GeoIndexFolder folder(o.index);
  const PlaceList all = read(o);
  const PlaceList fresh = o.new_only ? without_known(all, folder.open()) : PlaceList();
  if (o.new_only && fresh.size() == 0) return std::printf("nothing to append\n"), void();
  tell(folder.append(o.new_only ? fresh : all));
}

void remove(const Options& o) {
  std::vector<std::string> ids = o.ids;
  if (!o.list.empty())
    for (std::string& id : listed(o.list)) ids.push_back(std::move(id));
  tell(GeoIndexFolder(o.index).remove(ids));
}

void add_source(CLI::App* command, Options& o) {
  CLI::Option_group* source = command->add_option_group("source", "the places");
  source->add_option("--places", o.places,
                     "CSV, plain or gzip'ed: place,latitude,longitude and, if wanted, popularity and category");
  source->add_option("--checkins", o.checkins, "check-in file: its places, by their number of training rows");
  source->require_option(1);
}

}  // namespace

void add_index_changes(CLI::App& index, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  const auto command = [&](const char* name, const char* what, void (*run)(const Options&)) {
    CLI::App* added = index.add_subcommand(name, what);
    added->callback([o, &chosen, run] { chosen = [o, run] { run(*o); }; });
    return added;
  };
  CLI::App* made = command("build", "make version 1 from a file of places or of check-ins", build);
  made->add_option("--out", o->index, "folder to make; it must not hold an index yet")->required();
  add_source(made, *o);
  made->add_option("--block-km", o->geo.block_km, "side of a block in km, 0.5 to 1000")->capture_default_str();
  made->add_option("--most-inner", o->geo.most_inner, "quarter blocks with more places, again and again; 0: never")
      ->capture_default_str();

  const auto changed = [&](const char* name, const char* what, void (*run)(const Options&)) {
    CLI::App* added = command(name, what, run);
    added->add_option("--index", o->index, "folder that build made")->required();
    return added;
  };
  CLI::App* grown = changed("append", "add places after those that are there: no number changes", append);
  add_source(grown, *o);
  grown->add_flag("--new-only", o->new_only, "leave out places that the index has; without it they are an error");
  CLI::App* cut = changed("remove", "take places out; their numbers are never given again", remove);
  CLI::Option_group* which = cut->add_option_group("which", "the places");
  which->add_option("--place", o->ids, "ids");
  which->add_option("--list", o->list, "text file with one id a line");
  which->require_option(1, 2);
  changed("rollback", "make another version the current one; nothing is deleted",
          [](const Options& p) { tell(GeoIndexFolder(p.index).rollback(p.to)); })
      ->add_option("--to", o->to, "its number (chronotope index versions)")
      ->required()
      ->check(CLI::Range(1u, ~0u));
}

}  // namespace chronotope::cli
