// chronotope recommend

#include <algorithm>
#include <cstdio>
#include <memory>

#include "chronotope/core/error.hpp"
#include "chronotope/data/calendar.hpp"
#include "cli/commands.hpp"
#include "cli/device.hpp"
#include "cli/json_output.hpp"

namespace chronotope::cli {
namespace {

struct Options {
  std::string checkpoint, data, user, time;
  int top = 10;
  bool json = false;
  Device device;
};

std::size_t find_user(const CheckinTable& table, const std::string& user, const std::string& data) {
  const auto found = std::lower_bound(table.users.begin(), table.users.end(), user);
  if (found == table.users.end() || *found != user)
    throw DataError("user \"" + user + "\" has no row in " + data + "; a user not seen in training is served too, from rows given there");
  return static_cast<std::size_t>(found - table.users.begin());
}

/// The asked wall clock and UTC. Without a zone the user's last offset holds; without a time, an hour after the last row.
IsoTime asked_time(const std::string& text, const Visit& last) {
  const auto offset = static_cast<int>((last.local - last.utc) / 60);
  if (text.empty()) return {last.local + 3600, offset};
  IsoTime time = parse_iso8601(text);
  if (!time.offset_minutes) time.offset_minutes = offset;
  return time;
}

void run(const Options& o) {
  const CheckinTable table = read_checkins(o.data);
  const std::vector<Visit> history = visits_of(table, find_user(table, o.user, o.data));
  const Recommender recommender(o.checkpoint, o.device.stream());
  const IsoTime time = asked_time(o.time, history.back());
  const auto places = recommender.recommend(history, time.utc(), time.local, o.top);
  const std::string when = format_iso8601(time);
  if (o.json) {
    std::fputs(recommendations_json(o.user, when, places).c_str(), stdout);
    return;
  }
  std::printf("user %s, %zu check-ins, asked for %s%s\n%s", o.user.c_str(), history.size(), when.c_str(),
              recommender.config().model.target_time ? "" : " (this model does not look at the time)", recommendations_table(places).c_str());
}

}  // namespace

void add_recommend(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("recommend", "places a user may go to next");
  command->add_option("--checkpoint", o->checkpoint, "folder that train wrote")->required();
  command->add_option("--data", o->data, "check-in file with the user's history")->required();
  command->add_option("--user", o->user, "user_id of the rows to go by; need not have been seen in training")->required();
  command->add_option("--top", o->top, "how many places")->check(CLI::Range(1, 1000000))->capture_default_str();
  command->add_option("--time", o->time, "when, as 2012-12-24T18:30 (local) or with zone; default: an hour after the last check-in");
  command->add_flag("--json", o->json, "JSON instead of a table");
  o->device.add_to(*command);
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
