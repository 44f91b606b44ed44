#include "cli/evaluation.hpp"

#include <algorithm>
#include <map>

#include "chronotope/core/error.hpp"
#include "chronotope/data/calendar.hpp"
#include "chronotope/serve/recommender.hpp"
#include "chronotope/train/run.hpp"
#include "cli/run_curves.hpp"

namespace chronotope::cli {
namespace {

std::string minutes(std::int64_t local) {
  std::string text = format_iso8601({local, {}}).substr(0, 16);
  text[10] = ' ';
  return text;
}

/// The target whose user has the longest history: the most to see on a map.
const EvalTarget* showcase(const std::vector<EvalTarget>& targets, const CheckinTable& table) {
  const EvalTarget* best = nullptr;
  for (const EvalTarget& t : targets)
    if (!best || allowed_history(table, t).size() > allowed_history(table, *best).size()) best = &t;
  return best && !allowed_history(table, *best).empty() ? best : nullptr;
}

std::vector<VisitedPlace> visited(const std::vector<Visit>& history) {
  std::map<std::string, VisitedPlace> places;
  for (const Visit& v : history) {
    VisitedPlace& p = places.try_emplace(v.place, VisitedPlace{v.latitude, v.longitude, v.category.empty() ? v.place : v.category, "", 0}).first->second;
    ++p.visits;
    p.local_time = minutes(v.local);
  }
  std::vector<VisitedPlace> list;
  for (auto& [id, place] : places) list.push_back(std::move(place));
  return list;
}

UserMap user_map(const Recommender& recommender, const CheckinTable& table, const EvalTarget& target) {
  std::vector<Visit> history = visits_of(table, target.user);
  history.resize(target.row - table.begin[target.user]);
  const Checkin& row = table.rows[target.row];
  UserMap map;
  map.user = table.users[target.user];
  map.asked_time = minutes(row.local);
  map.history = visited(history);
  const Visit& last = history.back();
  map.last = KnownPlace{last.place, last.category, last.latitude, last.longitude, minutes(last.local), {}};
  const std::string truth = table.places[static_cast<std::size_t>(row.place)];
  map.truth = KnownPlace{truth, table.categories[static_cast<std::size_t>(row.category)], row.latitude, row.longitude, minutes(row.local), {}};
  const auto all = recommender.recommend(history, row.utc, row.local, static_cast<int>(recommender.tokenizer().places()));
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].place == truth) map.truth->rank = i + 1;
    if (i >= 10) continue;
    const Recommendation& r = all[i];
    const std::string hour = r.usual_hour ? (*r.usual_hour < 10 ? "0" : "") + std::to_string(*r.usual_hour) + ":00" : "";
    map.recommendations.push_back({i + 1, r.place, r.category, r.latitude, r.longitude, r.probability, r.distance_km.value_or(0),
                                   static_cast<std::size_t>(r.visits), hour});
  }
  return map;
}

}  // namespace

std::string model_name(const ModelConfig& m) {
  return std::string(m.decoder == "gpt" ? "GPT-style decoder" : "Spacetime-GR") + (m.head == "history_pointer" ? " + history pointer" : "");
}

std::string action_model_name(const Config& config) {
  ModelConfig m = config.model;
  m.head = config.actions.head == "pointer" ? "history_pointer" : "vocabulary";
  return model_name(m);
}

EvaluationReport evaluate_checkpoints(const std::vector<Checkpoint>& checkpoints, const CheckinTable& table, Split split, const Device& device) {
  ModelRanks ranks;
  Context<any_backend> context(device.stream());
  for (const Checkpoint& checkpoint : checkpoints) {
    auto& slot = checkpoint.config.model.target_time ? ranks.with_time : ranks.without_time;
    if (slot) throw ConfigError("two checkpoints see the same inputs; give at most one trained with model.target_time and one without");
    ranks.name = model_name(checkpoint.config.model);
    slot = rank_checkpoint(context, checkpoint, table, split);
  }
  return make_report(split, evaluate_counters(table, split), ranks);
}

ReportContent report_content(const std::string& folder, const CheckinTable& table, Split split, const EvaluationReport& evaluation,
                             const Device& device, const std::string& source) {
  const Recommender recommender(folder, device.stream());
  const Config& config = recommender.config();
  ReportContent content;
  content.title = model_name(config.model) + " on " + source;
  content.evaluation = evaluation;
  content.config_json = to_json(config);
  content.facts = {{"Data", source},
                   {"Check-ins", std::to_string(table.rows.size()) + " of " + std::to_string(table.users.size()) + " users at " + std::to_string(table.places.size()) + " places"},
                   {"Checkpoint", folder}, {"Seed", std::to_string(config.seed)}, {"Backend", device.describe()}};
  read_log(folder, content);
  const std::vector<EvalTarget> targets = evaluation_targets(table, split);
  if (const EvalTarget* target = showcase(targets, table)) content.map = user_map(recommender, table, *target);
  return content;
}

}  // namespace chronotope::cli
