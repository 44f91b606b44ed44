#include "chronotope/train/interest_judge.hpp"

#include <algorithm>

#include "chronotope/core/error.hpp"
#include "chronotope/data/calendar.hpp"
#include "chronotope/data/geohash.hpp"

namespace chronotope {
namespace {

constexpr std::int64_t day = 86400;

std::string category_name(const ActionTokenizer& tokenizer, std::int32_t category) {
  return category > 0 ? tokenizer.vocabulary().categories[static_cast<std::size_t>(category) - 1] : "";
}

std::string id_of(const ActionTokenizer& tokenizer, std::uint32_t number) {
  const auto place = tokenizer.places().place(number);
  return place ? std::string(place->id) : "";
}

JudgedPlace judged(const ActionTokenizer& tokenizer, const RequestContext& at, std::uint32_t number) {
  const SeenPlace place = tokenizer.seen(number);
  JudgedPlace shown{id_of(tokenizer, number), category_name(tokenizer, place.category), {}, ""};
  if (at.position && place.placed()) shown.distance_km = distance_km(at.position->latitude, at.position->longitude, place.latitude, place.longitude);
  return shown;
}

std::string in_words(const ActionTokenizer& tokenizer, const PastAction& a) {
  const auto& types = tokenizer.vocabulary().types;
  std::string text = format_iso8601({a.local, {}}) + (a.type > 0 ? " " + types[static_cast<std::size_t>(a.type) - 1] : "") + " " + id_of(tokenizer, a.place);
  if (const std::string category = category_name(tokenizer, a.category); !category.empty()) text += " (" + category + ")";
  return text;
}

std::string in_words(const RequestContext& at) {
  std::string text = "asked at " + format_iso8601({at.local, {}});
  if (at.position) text += ", at " + std::to_string(at.position->latitude) + ", " + std::to_string(at.position->longitude);
  return text;
}

}  // namespace

std::span<const PastAction> later_actions(const ActionHistories& h, const AskedRequest& r, const InterestRule& rule) {
  if (r.user == AskedRequest::nobody) return {};
  const auto own = h.history(r.user);
  const auto at = [&](std::int64_t utc) { return std::partition_point(own.begin(), own.end(), [&](const PastAction& a) { return a.utc < utc; }); };
  return {at(r.utc), at(r.utc + rule.days * day)};
}

double interest_in(const SeenPlace& place, std::span<const PastAction> later, const InterestRule& rule) {
  double most = 0;
  for (const PastAction& a : later) {
    if (!a.interest || a.place == 0) continue;
    if (a.place == place.place) return 1;
    if (a.category == 0 || a.category != place.category || !a.placed() || !place.placed()) continue;
    if (distance_km(a.latitude, a.longitude, place.latitude, place.longitude) <= rule.near_km) most = rule.likeness;
  }
  return most;
}

RuleJudge interest_judge(const RequestHistories& requests, const ActionHistories& histories, const ActionTokenizer& tokenizer, const InterestRule& rule) {
  const auto score = [&requests, &histories, &tokenizer, rule](const JudgeCase& asked, const JudgedPlace& place) {
    if (asked.request >= requests.requests.size()) throw DataError("the judge was asked about request " + std::to_string(asked.request) + " of " + std::to_string(requests.requests.size()));
    return interest_in(tokenizer.seen(place.place, {}, place.category), later_actions(histories, requests.requests[asked.request], rule), rule);
  };
  return RuleJudge(score, 0);
}

JudgeCase judge_case(const RequestHistories& requests, const ActionHistories& histories, const ActionTokenizer& tokenizer, std::uint32_t request,
                     std::span<const std::uint32_t> a, std::span<const std::uint32_t> b, std::size_t most) {
  const AskedRequest& r = requests.requests[request];
  JudgeCase asked{request, r.user + 1, in_words(r.at), r.user == AskedRequest::nobody ? "" : histories.profiles[r.user], {}, {}, {}};
  for (std::size_t i = r.end - std::min(most, r.end - r.begin); i < r.end; ++i) asked.history.push_back(in_words(tokenizer, histories.actions[i]));
  for (const std::uint32_t number : a) asked.a.push_back(judged(tokenizer, r.at, number));
  for (const std::uint32_t number : b) asked.b.push_back(judged(tokenizer, r.at, number));
  return asked;
}

}  // namespace chronotope
