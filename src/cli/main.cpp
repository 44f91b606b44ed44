// chronotope: the command line. Everything it does is made of the library's public API.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>

#include "chronotope/core/error.hpp"
#include "cli/commands.hpp"

int main(int argc, char** argv) {
  using namespace chronotope::cli;
  CLI::App app("Place recommendation from check-ins or action logs, click prediction from long behaviour sequences: train, evaluate, recommend.\n"
               "New here? Run \"chronotope demo\": it generates a city, trains on it and shows what came out.");
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "help of every command");
  Chosen chosen;
  add_demo(app, chosen);
  add_train(app, chosen);
  add_evaluate(app, chosen);
  add_recommend(app, chosen);
  add_rank(app, chosen);
  add_embed(app, chosen);
  add_info(app, chosen);
  add_generate_city(app, chosen);
  add_generate_world(app, chosen);
  add_generate_clicks(app, chosen);
  add_convert_clicks(app, chosen);
  add_convert_checkins(app, chosen);
  add_derive_groups(app, chosen);
  add_index(app, chosen);
  add_clean(app, chosen);
  add_ablate(app, chosen);
  add_tables(app, chosen);
  add_bench_step(app, chosen);
  add_dump_steps(app, chosen);
  app.failure_message([](const CLI::App*, const CLI::Error& e) { return std::string("error: ") + e.what() + " (--help shows the usage)\n"; });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 1;  // help ends here too
  }
  try {
    chosen();
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) throw chronotope::FileError("standard output: cannot be written; is the disk full?");
    return 0;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "error: out of memory; try a smaller batch or model.length\n");
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
  }
  return 1;
}
