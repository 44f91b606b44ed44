#include "chronotope/train/preference_rules.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "chronotope/core/error.hpp"
#include "chronotope/core/shuffle.hpp"
#include "chronotope/data/calendar.hpp"
#include "data/split_text.hpp"

namespace chronotope {
namespace {

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\n"), last = text.find_last_not_of(" \t\n");
  return first == std::string_view::npos ? std::string() : std::string(text.substr(first, last - first + 1));
}

std::vector<std::string> parts(std::string_view text, char at) {
  std::vector<std::string> all;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(at, begin), text.size());
    if (std::string part = trimmed(text.substr(begin, end - begin)); !part.empty()) all.push_back(std::move(part));
    begin = end + 1;
  }
  return all;
}

int hour_of(std::string_view text, const std::string& rule) {
  int hour = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hour);
  if (error != std::errc() || end != text.data() + text.size() || hour < 0 || hour > 23) throw ConfigError("stage.rules: \"" + rule + "\" must begin with hours such as 11-13 17");
  return hour;
}

PreferenceRule parse_rule(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) throw ConfigError("stage.rules: \"" + text + "\" has no colon between hours and categories");
  PreferenceRule rule{std::vector<std::uint8_t>(24, 0), parts(std::string_view(text).substr(colon + 1), ',')};
  for (const std::string& range : parts(std::string_view(text).substr(0, colon), ' ')) {
    const std::size_t dash = range.find('-');
    const int first = hour_of(std::string_view(range).substr(0, dash), text), last = dash == std::string::npos ? first : hour_of(std::string_view(range).substr(dash + 1), text);
    for (int hour = first;; hour = (hour + 1) % 24) {
      rule.hours[static_cast<std::size_t>(hour)] = 1;
      if (hour == last) break;
    }
  }
  if (rule.categories.empty() || std::count(rule.hours.begin(), rule.hours.end(), 1) == 0) throw ConfigError("stage.rules: \"" + text + "\" needs hours and categories, such as 11-13: Restaurant");
  return rule;
}

/// Places of a block, wanted ones and others, each in an order drawn for the request.
std::array<std::vector<std::uint32_t>, 2> places_of_block(const ActionTokenizer& tokenizer, std::uint32_t block, const std::set<std::int32_t>& wanted, std::uint64_t seed, std::uint64_t request) {
  std::array<std::vector<std::uint32_t>, 2> found;
  const PlaceCatalogue& places = tokenizer.places();
  for (std::uint32_t inner = 1; inner <= places.index().inners(block); ++inner) {
    const auto place = places.index().place(PlaceCode{block, inner});
    if (place) found[wanted.contains(tokenizer.category(place->category)) ? 0 : 1].push_back(places.number(place->id));
  }
  for (auto& some : found) shuffle(some, seed, request);
  return found;
}

}  // namespace

std::vector<PreferenceRule> parse_preference_rules(const std::string& text) {
  std::vector<PreferenceRule> rules;
  for (const std::string& rule : parts(text, ';')) rules.push_back(parse_rule(rule));
  return rules;
}

std::vector<std::uint32_t> add_preference_pairs(RequestHistories& requests, const ActionTokenizer& tokenizer, std::span<const PreferenceRule> rules,
                                                std::span<const std::uint32_t> from, const PreferencePairs& options) {
  std::vector<std::uint32_t> added;
  for (const PreferenceRule& rule : rules) {
    std::set<std::int32_t> wanted;
    for (const std::string& name : rule.categories)
      if (!wanted.insert(tokenizer.category(name)).second || wanted.contains(0)) throw ConfigError("stage.rules: no place of the index has the category \"" + name + "\", or it stands twice");
    for (const std::uint32_t number : from) {
      AskedRequest asked = requests.requests[number];
      if (!asked.at.position || !rule.hours[static_cast<std::size_t>(calendar_fields(asked.at.local).hour)]) continue;
      const std::uint32_t block = tokenizer.places().index().block_at(asked.at.position->latitude, asked.at.position->longitude);
      if (block == 0) continue;
      const auto found = places_of_block(tokenizer, block, wanted, options.seed, number);
      if (found[0].empty() || found[1].empty()) continue;
      asked.first_shown = requests.shown.size();
      for (const int kind : {0, 1})
        for (std::size_t i = 0; i < std::min(found[static_cast<std::size_t>(kind)].size(), static_cast<std::size_t>(kind == 0 ? options.wanted : options.others)); ++i) {
          requests.shown.push_back(tokenizer.seen(found[static_cast<std::size_t>(kind)][i]));
          requests.clicked.push_back(kind == 0);
        }
      asked.shown = requests.shown.size() - asked.first_shown;
      added.push_back(static_cast<std::uint32_t>(requests.requests.size()));
      requests.requests.push_back(asked);
    }
  }
  return added;
}

}  // namespace chronotope
