// chronotope recommend

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "chronotope/core/error.hpp"
#include "chronotope/data/calendar.hpp"
#include "cli/action_commands.hpp"
#include "cli/commands.hpp"
#include "cli/device.hpp"
#include "cli/json_output.hpp"

namespace chronotope::cli {
namespace {

struct Options : SuggestOptions {
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

bool is_of_actions(const std::string& folder) {
  return read_checkpoint_config(folder, has_checkpoint(folder, best_checkpoint) ? best_checkpoint : last_checkpoint).system == "actions";
}

bool is_limited(const Options& o) {
  const GenerateOptions& g = o.generate;
  return !o.at.empty() || o.within_km > 0 || !o.polygon.empty() || !o.categories.empty() || !o.hours.empty() || g.new_only || g.most_of_category > 0 ||
         g.most_of_block > 0 || g.beams.exact || !o.index.empty();
}

void run(const Options& o) {
  if (is_of_actions(o.checkpoint)) return suggest(o, o.device);
  if (is_limited(o)) throw ConfigError("limits are for models of actions; " + o.checkpoint + " holds a model of check-ins");
  const CheckinTable table = read_checkins(o.data);
  const std::vector<Visit> history = visits_of(table, find_user(table, o.user, o.data));
  Recommender recommender(o.checkpoint, o.device.stream());
  if (o.graphs) recommender.use_graphs();
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

void add_limits(CLI::App& command, Options& o) {
  const std::string group = "Limits, for models of actions (the best of what is allowed, not what is left of the best)";
  command.add_option("--at", o.at, "where the user is; default: where the last action was made")->type_name("LATITUDE,LONGITUDE")->group(group);
  command.add_option("--within", o.within_km, "places at most this many km from there")->check(CLI::PositiveNumber)->group(group);
  command.add_option("--polygon", o.polygon, "corners of an area, three or more")->type_name("LATITUDE,LONGITUDE ...")->group(group);
  command.add_option("--category", o.categories, "one of these categories")->group(group);
  command.add_option("--hours", o.hours, "CSV of opening hours (place,weekdays,from,to): open at --time")->check(CLI::ExistingFile)->group(group);
  command.add_flag("--new", o.generate.new_only, "no place of the user's history")->group(group);
  command.add_option("--most-of-category", o.generate.most_of_category, "at most this many places of one category")->check(CLI::Range(1, 1000000))->group(group);
  command.add_option("--most-of-block", o.generate.most_of_block, "at most this many places of one block of the index")->check(CLI::Range(1, 1000000))->group(group);
  command.add_option("--beam-blocks", o.beam_blocks, "blocks that are looked into at once")->check(CLI::Range(1, 100000))->capture_default_str()->group(group);
  command.add_option("--beam-inners", o.beam_inners, "places kept of each")->check(CLI::Range(1, 100000))->capture_default_str()->group(group);
  command.add_flag("--exact", o.generate.beams.exact, "look into as many blocks as it takes to be sure; always so with limits")->group(group);
  command.add_option("--index", o.index, "folder of the index of places, where it is not where training found it")->group(group);
}

}  // namespace

void add_recommend(CLI::App& app, Chosen& chosen) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("recommend", "places a user may go to next");
  command->add_option("--checkpoint", o->checkpoint, "folder that train wrote")->required();
  command->add_option("--data", o->data, "check-in file, for a model of actions also an action log, with the user's history")->required();
  command->add_option("--user", o->user, "user_id of the rows to go by; need not have been seen in training")->required();
  command->add_option("--top", o->top, "how many places")->check(CLI::Range(1, 1000000))->capture_default_str();
  command->add_option("--time", o->time, "when, as 2012-12-24T18:30 (local) or with zone; default: an hour after the last check-in");
  command->add_flag("--json", o->json, "JSON instead of a table");
  add_limits(*command, *o);
  o->device.add_to(*command);
  command->add_flag("--graphs", o->graphs, "work reaches the device in graphs, with --backend cuda: for services that ask the library again and again; the answers are the same");
  command->callback([o, &chosen] { chosen = [o] { run(*o); }; });
}

}  // namespace chronotope::cli
