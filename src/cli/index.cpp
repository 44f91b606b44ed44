// chronotope index: places as pairs (block, inner id).

#include <CLI/CLI.hpp>

#include "cli/index_commands.hpp"

namespace chronotope::cli {

void add_index(CLI::App& app, Chosen& chosen) {
  CLI::App* index = app.add_subcommand(
      "index", "number places as (block of about 5 km, inner id), and keep the numbers as places come and go");
  index->require_subcommand(1);
  index->footer(
      "An index is a folder of versions; every change makes a new one and leaves the others alone:\n"
      "  chronotope index build    --places places.csv --out city.index      # "
      "place,latitude,longitude[,popularity][,category]\n"
      "  chronotope index build    --checkins checkins.csv.gz --out city.index\n"
      "  chronotope index append   --index city.index --places new.csv       # numbers that were given stay\n"
      "  chronotope index remove   --index city.index --place 4a27           # its number is never given again\n"
      "  chronotope index versions --index city.index\n"
      "  chronotope index rollback --index city.index --to 1\n"
      "  chronotope index find     --index city.index --place 4a27           # or --block 3 --inner 17, or --at 40.7 "
      "-74\n"
      "  chronotope index report   --index city.index --report index.html    # how full blocks are, with a map");
  add_index_changes(*index, chosen);
  add_index_views(*index, chosen);
}

}  // namespace chronotope::cli
