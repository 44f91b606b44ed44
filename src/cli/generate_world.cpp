// chronotope generate-world: action and request logs of invented people, with the truth that they were drawn from.

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <memory>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/stopwatch.hpp"
#include "chronotope/data/world_files.hpp"
#include "chronotope/eval/world_summary.hpp"
#include "cli/commands.hpp"
#include "cli/progress.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  WorldOptions world;
  std::string out, format = "csv";
};

const std::map<std::string, WorldFormat> formats{{"csv", WorldFormat::csv}, {"jsonl", WorldFormat::json_lines}, {"columns", WorldFormat::columns}};

constexpr const char* teaching =
    "Everything is invented: people with homes, jobs, habits, tastes and trips, in cities of places of 24 categories.\n"
    "Figures measured on it say how well something learns, never how people behave. OUT_DIR will hold\n"
    "  actions.csv.gz         the action log (docs/data.md); `interest` is not set\n"
    "  requests.csv.gz        what was shown in the app, and clicked\n"
    "  places.csv.gz          all places, for chronotope index build\n"
    "  vectors.npy, .ids      16 numbers a place, which hint at what no log shows\n"
    "  truth_actions.csv.gz, truth_requests.csv.gz   a row for every row of the logs: the probabilities behind it\n"
    "  world.json             options and counts, and what the best possible model reaches\n\n"
    "Cleanse the log before training; robots are dropped, and what is functional is told exactly by category:\n"
    "  chronotope generate-world world\n"
    "  chronotope clean --data world/actions.csv.gz --out world/clean.csv.gz --functional Residence Office Hospital "
    "\\\n"
    "      School Parking Station Bank\n"
    "  chronotope index build --places world/places.csv.gz --out world/places.index\n\n"
    "A large one, made user by user in about 250 MB of memory:\n"
    "  chronotope generate-world large --users 1000000 --places 10000000 --cities 40";

/// A line that renews itself on a terminal, and nothing elsewhere.
class Meter {
 public:
  explicit Meter(int users) : users_(users), terminal_(isatty(2)) {}
  ~Meter() {
    if (terminal_) std::fprintf(stderr, "\r\033[K");
  }

  void show(int done, std::uint64_t actions) {
    if (!terminal_ || shown_.seconds() < 0.2) return;
    shown_ = Stopwatch();
    const double seconds = began_.seconds();
    std::fprintf(stderr, "\r\033[K%d of %d users  %.0f actions/s  ETA %s", done, users_,
                 static_cast<double>(actions) / seconds, duration_text(seconds / done * (users_ - done)).c_str());
  }

 private:
  int users_;
  bool terminal_;
  Stopwatch began_, shown_;
};

void run(const Options& o) {
  const World world(o.world);
  WorldFiles files(world, o.out, formats.at(o.format));
  WorldSummaryBuilder summary(world);
  {
    Meter meter(o.world.users);
    std::uint64_t actions = 0;
    for (int number = 0; number < o.world.users; ++number) {
      const WorldUser user = world.user(static_cast<std::uint32_t>(number));
      files.add(user);
      summary.add(user);
      meter.show(number + 1, actions += user.actions.size());
    }
  }
  files.finish();
  const WorldSummary figures = summary.finish();
  write_file_atomically(o.out + "/world.json", world_json(o.world, figures));
  std::printf("%s", format_world(o.world, figures).c_str());
}

}  // namespace

void add_generate_world(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  WorldOptions& world = o->world;
  CLI::App* command =
      app.add_subcommand("generate-world", "write logs of invented people and the probabilities behind every row");
  command->footer(teaching);
  command->add_option("OUT_DIR", o->out, "folder to write to")->required();
  command->add_option("--users", world.users, "people, robots with them")->capture_default_str();
  command->add_option("--places", world.places, "places, to 10000000; at least 40 a city")->capture_default_str();
  command->add_option("--cities", world.cities, "cities, 2 to 64")->capture_default_str();
  command->add_option("--days", world.days, "days covered")->capture_default_str();
  command
      ->add_option("--actions-per-user", world.actions_per_user,
                   "actions a user, on average, without clicks in requests")
      ->capture_default_str();
  command->add_option("--requests-per-user", world.requests_per_user, "requests a user, on average")
      ->capture_default_str();
  command->add_option("--shown", world.shown, "places shown in a request, give or take two")->capture_default_str();
  command->add_option("--travellers", world.travellers_percent, "percent of the users who travel")
      ->capture_default_str();
  command->add_option("--robots", world.robots_percent, "percent of the users who only repeat themselves")
      ->capture_default_str();
  command->add_option("--seed", world.seed, "another seed, another world")->capture_default_str();
  command->add_option("--format", o->format, "of the two logs")
      ->check(CLI::IsMember({"csv", "jsonl", "columns"}))
      ->capture_default_str();
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
