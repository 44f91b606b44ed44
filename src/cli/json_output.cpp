#include "cli/json_output.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace chronotope::cli {

std::string recommendations_json(const std::string& user, const std::string& asked_time, const std::vector<Recommendation>& places) {
  using Json = nlohmann::ordered_json;
  Json list = Json::array();
  for (const Recommendation& r : places)
    list.push_back({{"place", r.place}, {"category", r.category}, {"latitude", r.latitude}, {"longitude", r.longitude},
                    {"probability", r.probability}, {"distance_km", r.distance_km ? Json(*r.distance_km) : Json()},
                    {"earlier_visits", r.visits}, {"usual_hour", r.usual_hour ? Json(*r.usual_hour) : Json()}});
  return Json{{"user", user}, {"local_time", asked_time}, {"recommendations", list}}.dump(2) + "\n";
}

std::string recommendations_table(const std::vector<Recommendation>& places) {
  std::size_t id = 5, category = 8;
  for (const Recommendation& r : places) id = std::max(id, r.place.size()), category = std::max(category, r.category.size());
  id = std::min<std::size_t>(id, 200), category = std::min<std::size_t>(category, 100);  // longer names are cut below
  char line[512];
  std::snprintf(line, sizeof line, "%4s  %-*.200s  %-*.100s  %6s  %8s  %7s  %s\n", "rank", static_cast<int>(id), "place", static_cast<int>(category),
                "category", "p", "km away", "visits", "usual hour");
  std::string text = line;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Recommendation& r = places[i];
    char distance[32] = "-", hour[32] = "new to the user";
    if (r.distance_km) std::snprintf(distance, sizeof distance, "%.1f", *r.distance_km);
    if (r.usual_hour) std::snprintf(hour, sizeof hour, "%02d:00", *r.usual_hour);
    std::snprintf(line, sizeof line, "%4zu  %-*.200s  %-*.100s  %6.3f  %8s  %7d  %s\n", i + 1, static_cast<int>(id), r.place.c_str(),
                  static_cast<int>(category), r.category.c_str(), r.probability, distance, r.visits, hour);
    text += line;
  }
  return text;
}

}  // namespace chronotope::cli
