#include "chronotope/train/action_measures.hpp"

#include <cmath>
#include <map>

#include "data/csv.hpp"

namespace chronotope {
namespace {

std::size_t column_of(const CsvReader& csv, const std::string& path, const std::string& name, const char* file) {
  const auto found = std::find(csv.header().begin(), csv.header().end(), name);
  if (found == csv.header().end()) throw FormatError(path + ": has no column \"" + name + "\"; it must be the " + file + " file that generate-world wrote");
  return static_cast<std::size_t>(found - csv.header().begin());
}

RequestHistories read_requests(const std::string& path, const ModelOnLog& on) {
  std::optional<RequestReader> reader;
  if (!path.empty()) reader.emplace(path);
  return RequestHistories([&](LoggedRequest& r) { return reader && reader->next(r); }, on.histories, on.trained.tokenizer);
}

/// Of one user, whose interest-based actions from `from` on are at `wanted`.
LatestActions latest_of(const ActionHistories& h, std::size_t user, std::size_t length, std::span<const std::size_t> wanted) {
  const std::size_t first = wanted.front();
  LatestActions latest{{user, std::max(h.begin[user] + length, first + 1) - length, first + 1, first}, {}};
  for (const std::size_t at : wanted) latest.places.push_back(h.actions[at].place);
  return latest;
}

/// A column of whole numbers of a truth_actions file, of the targets' actions.
std::vector<std::int64_t> true_values(const std::string& path, const char* name, const ActionHistories& histories, std::span<const ActionWindow> targets) {
  CsvReader csv(path);
  const std::size_t user = column_of(csv, path, "user", "truth_actions"), time = column_of(csv, path, "time", "truth_actions");
  const std::size_t value = column_of(csv, path, name, "truth_actions");
  std::map<std::pair<std::string, std::string>, std::int64_t> rows;
  while (csv.next()) rows[{std::string(csv.field(user)), std::string(csv.field(time))}] = std::atoll(std::string(csv.field(value)).c_str());
  std::vector<std::int64_t> values;
  for (const ActionWindow& w : targets) {
    const auto found = rows.find({histories.users[w.user], std::to_string(histories.actions[w.end - 1].utc)});
    if (found == rows.end()) throw DataError(path + ": has no row for an action of user \"" + histories.users[w.user] + "\": it belongs to another log");
    values.push_back(found->second);
  }
  return values;
}

}  // namespace

ModelOnLog::ModelOnLog(Context<any_backend>& context, const Checkpoint& checkpoint, const std::string& actions, const std::string& index)
    : trained(load_actions(context, checkpoint, index)), histories(actions_in(actions), trained.tokenizer, trained.config.actions.travel_km),
      tokens(histories, trained.tokenizer, trained.config.actions.profile_tokens) {}

std::pair<std::int64_t, std::int64_t> ModelOnLog::range(Split split) const {
  const ActionVocabulary& v = trained.tokenizer.vocabulary();
  return split == Split::validation ? std::pair{v.validation_from, v.test_from} : std::pair{v.test_from, std::int64_t{INT64_MAX}};
}

std::vector<ActionWindow> ModelOnLog::targets(Split split, std::int64_t most) const {
  const auto [from, until] = range(split);
  return some_windows(target_windows(histories, trained.config.model.length, from, until), most, seed());
}

ModelOnRequests::ModelOnRequests(Context<any_backend>& context, const Checkpoint& checkpoint, const std::string& actions, const std::string& requests_log, const std::string& index)
    : ModelOnLog(context, checkpoint, actions, index), requests(read_requests(requests_log, *this)), request_tokens(requests, tokens, trained.config.model.length) {}

std::vector<std::uint32_t> ModelOnRequests::asked(Split split) const {
  const auto [from, until] = range(split);
  return requests_between(requests, from, until, RequestNeeds::anything);
}

std::vector<float> ModelOnRequests::scores(Context<any_backend>& context, std::span<const std::uint32_t> some) const {
  const std::string& name = trained.config.stage.name;
  const Stage stage = name == "embed" ? Stage::embed : name == "rank" ? Stage::rank : Stage::align;
  return candidate_scores(context, trained.model, request_tokens, some, stage, trained.config.evaluation.batch);
}

std::vector<std::vector<GeneratedPlace>> ModelOnRequests::lists(Context<any_backend>& context, std::span<const std::uint32_t> some, const BeamOptions& beams) const {
  const auto add = [&](std::size_t i, TokenBatch& asked) { return request_tokens.add_user(requests.requests[some[i]], asked); };
  return generated_lists(context, trained.model, trained.tokenizer.places(), some.size(), add, beams, trained.config.evaluation.batch);
}

ShownCandidates shown_candidates(const RequestHistories& requests, std::span<const std::uint32_t> some) {
  ShownCandidates shown{requests.labels(some), {}};
  for (const std::uint32_t number : some) shown.users.insert(shown.users.end(), requests.requests[number].shown, static_cast<std::uint32_t>(requests.requests[number].user + 1));
  return shown;
}

std::vector<double> hits_at(std::span<const std::int64_t> ranks, std::int64_t k) {
  std::vector<double> hits;
  for (const std::int64_t rank : ranks) hits.push_back(rank >= 1 && rank <= k);
  return hits;
}

std::vector<double> reciprocals(std::span<const std::int64_t> ranks) {
  std::vector<double> values;
  for (const std::int64_t rank : ranks) values.push_back(rank ? 1.0 / static_cast<double>(rank) : 0);
  return values;
}

std::vector<LatestActions> latest_actions(const ActionHistories& h, std::int64_t length, std::int64_t from, std::size_t most) {
  std::vector<LatestActions> all;
  for (std::size_t user = 0; user < h.users.size(); ++user) {
    std::vector<std::size_t> wanted;
    for (std::size_t at = h.begin[user] + 1; at < h.begin[user + 1]; ++at)
      if (h.actions[at].utc >= from && h.actions[at].interest && h.actions[at].place != 0) wanted.push_back(at);
    if (!wanted.empty()) all.push_back(latest_of(h, user, static_cast<std::size_t>(length), std::span(wanted).last(std::min(most, wanted.size()))));
  }
  return all;
}

std::vector<ActionWindow> chosen_targets(const std::string& path, const ActionHistories& histories, std::span<const ActionWindow> targets) {
  const std::vector<std::int64_t> clicks = true_values(path, "from_request", histories, targets);
  std::vector<ActionWindow> chosen;
  for (std::size_t i = 0; i < targets.size(); ++i)
    if (clicks[i] == 0) chosen.push_back(targets[i]);
  return chosen;
}

CountedRanks true_ranks(const std::string& path, const ActionHistories& histories, std::span<const ActionWindow> targets) {
  return {"best possible", true_values(path, "rank", histories, targets)};
}

std::vector<float> true_clicks(const std::string& path, const RequestHistories& requests, std::span<const std::uint32_t> some) {
  CsvReader csv(path);
  const std::size_t column = column_of(csv, path, "click_probability", "truth_requests");
  std::vector<float> all, kept;
  while (csv.next()) all.push_back(std::strtof(std::string(csv.field(column)).c_str(), nullptr));
  if (all.size() != requests.shown.size())
    throw DataError(path + ": has " + std::to_string(all.size()) + " rows for " + std::to_string(requests.shown.size()) + " shown places: it belongs to another log");
  for (const std::uint32_t number : some) {
    const AskedRequest& r = requests.requests[number];
    kept.insert(kept.end(), all.begin() + static_cast<std::ptrdiff_t>(r.first_shown), all.begin() + static_cast<std::ptrdiff_t>(r.first_shown + r.shown));
  }
  return kept;
}

}  // namespace chronotope
