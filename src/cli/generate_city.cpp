// chronotope generate-city

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "chronotope/data/city.hpp"
#include "cli/commands.hpp"

namespace chronotope::cli {

void add_generate_city(CLI::App& app, Chosen& chosen) {
  struct Options {
    CityOptions city;
    std::string out;
  };
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("generate-city", "write the check-ins of an invented city, for trying things out");
  command->add_option("--out", o->out, "file to write; compressed when it ends in .gz")->required();
  command->add_option("--users", o->city.users, "people")->capture_default_str();
  command->add_option("--places", o->city.places, "places")->capture_default_str();
  command->add_option("--checkins-per-user", o->city.checkins_per_user, "check-ins a person, on average")->capture_default_str();
  command->add_option("--days", o->city.days, "days covered")->capture_default_str();
  command->add_option("--seed", o->city.seed, "another seed, another city")->capture_default_str();
  command->callback([o, &chosen] {
    chosen = [o] {
      const CheckinTable table = generate_city(o->city);
      write_checkins(table, o->out);
      std::printf("%zu generated check-ins of %zu users at %zu places in %s\n", table.rows.size(), table.users.size(), table.places.size(), o->out.c_str());
    };
  });
}

}  // namespace chronotope::cli
