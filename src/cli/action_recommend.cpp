// chronotope recommend, for models of actions.

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "chronotope/core/error.hpp"
#include "chronotope/data/calendar.hpp"
#include "chronotope/data/geohash.hpp"
#include "cli/action_commands.hpp"

namespace chronotope::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Where and when: by default where the user was last, an hour after.
RequestContext asked(const SuggestOptions& o, const LoggedAction& last) {
  const auto last_at = last.user_position ? last.user_position : last.position;
  RequestContext request{local_time(last.time, last.offset, last_at) + 3600, last_at};
  if (!o.time.empty()) request.local = parse_iso8601(o.time).local;
  if (!o.at.empty()) request.position = parse_position(o.at);
  return request;
}

PlaceFilter filter_of(const SuggestOptions& o, const RequestContext& request, const OpeningHours& hours) {
  PlaceFilter filter;
  filter.categories = o.categories;
  if (o.within_km > 0) {
    if (!request.position) throw ConfigError("--within needs a position: the log has none for this user, give --at LATITUDE,LONGITUDE");
    filter.within = PlaceFilter::Circle{*request.position, o.within_km};
  }
  for (const std::string& corner : o.polygon) filter.polygon.push_back(parse_position(corner));
  if (!o.hours.empty()) filter.hours = &hours, filter.open_at = request.local;
  return filter;
}

void print_table(const std::vector<SuggestedPlace>& places, const RequestContext& request) {
  std::printf("%4s  %11s  %8s  %6s  %-24s %s\n", "", "probability", "km", "visits", "category", "place");
  for (std::size_t i = 0; i < places.size(); ++i) {
    const SuggestedPlace& p = places[i];
    const double km = request.position ? distance_km(request.position->latitude, request.position->longitude, p.position.latitude, p.position.longitude) : 0;
    std::printf("%4zu  %10.2f%%  %8.1f  %6d  %-24s %s\n", i + 1, 100 * p.probability, km, p.visits, p.category.c_str(), p.place.c_str());
  }
}

void print_json(const SuggestOptions& o, const std::vector<SuggestedPlace>& places, const RequestContext& request) {
  Json list = Json::array();
  for (const SuggestedPlace& p : places)
    list.push_back({{"place", p.place}, {"category", p.category}, {"latitude", p.position.latitude}, {"longitude", p.position.longitude}, {"probability", p.probability}, {"visits", p.visits}});
  std::printf("%s\n", Json{{"user", o.user}, {"time", format_iso8601({request.local, {}})}, {"places", list}}.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

}  // namespace

GeoPosition parse_position(const std::string& text) {
  GeoPosition at;
  int end = 0;
  if (std::sscanf(text.c_str(), "%lf,%lf%n", &at.latitude, &at.longitude, &end) != 2 || static_cast<std::size_t>(end) != text.size())
    throw ConfigError("a position must be LATITUDE,LONGITUDE in degrees, such as 52.1,5.12; found \"" + text + "\"");
  return at;
}

UserLog log_of(const std::string& path, const std::string& user) {
  UserLog log;
  const ActionPass next = actions_in(path)();
  for (LoggedAction a; next(a);) {
    if (a.user != user) continue;
    if (log.profile.empty()) log.profile = a.profile;
    log.actions.push_back(a);
  }
  if (log.actions.empty()) throw DataError("user \"" + user + "\" has no action in " + path + "; a user not seen in training is served too, from actions given there");
  std::stable_sort(log.actions.begin(), log.actions.end(), [](const LoggedAction& a, const LoggedAction& b) { return a.time < b.time; });
  return log;
}

void suggest(const SuggestOptions& o, const Device& device) {
  const UserLog log = log_of(o.data, o.user);
  const RequestContext request = asked(o, log.actions.back());
  const OpeningHours hours = o.hours.empty() ? OpeningHours() : OpeningHours::read(o.hours);
  const PlaceFilter filter = filter_of(o, request, hours);
  ActionServer server(o.checkpoint, device.stream(), o.index);
  if (o.graphs) server.use_graphs();
  for (const std::string& category : o.categories)
    if (server.trained().tokenizer.category(category) == 0) throw ConfigError("the index has no category \"" + category + "\"");
  GenerateOptions generate = o.generate;
  const bool limited = o.within_km > 0 || !o.polygon.empty() || !o.categories.empty() || !o.hours.empty() || generate.new_only;
  generate.beams = {o.beam_blocks, std::max<std::int64_t>(o.beam_inners, o.top), o.top, generate.beams.exact || limited};
  PlaceSession session(server, log.profile);
  session.append(log.actions);
  const auto places = session.generate(request, generate, filter);
  if (o.json) return print_json(o, places, request);
  std::printf("user %s, %zu actions, asked for %s\n", o.user.c_str(), log.actions.size(), format_iso8601({request.local, {}}).c_str());
  print_table(places, request);
  if (places.size() < static_cast<std::size_t>(o.top)) std::printf("only %zu places are allowed by these limits\n", places.size());
}

}  // namespace chronotope::cli
