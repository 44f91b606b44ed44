#include "chronotope/components/action_tokenizer.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "chronotope/core/error.hpp"
#include "chronotope/data/calendar.hpp"
#include "chronotope/data/geohash.hpp"

namespace chronotope {
namespace {

using Json = nlohmann::ordered_json;

std::int32_t id_of(const std::vector<std::string>& names, std::string_view name) {
  const auto found = std::lower_bound(names.begin(), names.end(), name);
  return found != names.end() && *found == name ? static_cast<std::int32_t>(found - names.begin()) + 1 : 0;
}

std::array<std::int32_t, time_features> when(std::int64_t local) {
  const CalendarFields f = calendar_fields(local);
  return {f.month, f.day, f.weekday, f.hour};
}

[[noreturn]] void damaged(const std::string& what) { throw FormatError("the vocabulary is damaged: " + what); }

/// JSON as flat as a vocabulary is: reading and printing recurse no deeper.
Json parse_flat(const std::string& text) {
  return Json::parse(text, [](int depth, Json::parse_event_t, Json&) {
    if (depth > 4) damaged("it nests too deeply");
    return true;
  });
}

/// The value of a key, which is a whole number of the type.
template <class T> T whole(const Json& json, const char* key) {
  const Json& value = json.at(key);
  const bool fits = value.is_number_unsigned() ? std::in_range<T>(value.get<std::uint64_t>()) : value.is_number_integer() && std::in_range<T>(value.get<std::int64_t>());
  if (!fits) damaged(std::string(key) + " is " + value.dump());
  return value.get<T>();
}

GeoCells cells_of(const Json& name) {
  if (name == "grid") return GeoCells::grid;
  if (name == "geohash") return GeoCells::geohash;
  damaged("geo is " + name.dump());
}

void check_ascending(const std::vector<std::string>& names) {
  if (std::adjacent_find(names.begin(), names.end(), std::greater_equal<>()) != names.end())
    damaged("its names do not ascend");
}

}  // namespace

std::int64_t local_time(std::int64_t utc, const std::optional<int>& offset, const std::optional<GeoPosition>& at) {
  if (offset) return utc + 60 * std::int64_t{*offset};
  return utc + (at ? 3600 * std::llround(at->longitude / 15) : 0);
}

std::string ActionVocabulary::to_json() const {
  return Json{{"kind", "actions"}, {"index", index}, {"geo", cells == GeoCells::grid ? "grid" : "geohash"}, {"geo_rows", geo_rows},
              {"validation_from", validation_from}, {"test_from", test_from}, {"categories", categories}, {"types", types}, {"profiles", Json::parse(profiles.to_json())}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

ActionVocabulary ActionVocabulary::parse(const std::string& text) {
  try {
    const Json json = parse_flat(text);
    ActionVocabulary v;
    if (json.at("kind") != "actions") throw FormatError("the vocabulary is not one of actions");
    v.index = whole<std::uint64_t>(json, "index"), v.geo_rows = whole<std::int32_t>(json, "geo_rows");
    v.validation_from = whole<std::int64_t>(json, "validation_from"), v.test_from = whole<std::int64_t>(json, "test_from");
    json.at("categories").get_to(v.categories), json.at("types").get_to(v.types);
    v.cells = cells_of(json.at("geo"));
    v.profiles = TextTokenizer::parse(json.at("profiles").dump());
    check_ascending(v.categories), check_ascending(v.types);
    if (v.geo_rows < 1) damaged("geo_rows is " + std::to_string(v.geo_rows));
    return v;
  } catch (const Json::exception& e) {
    damaged(e.what());
  }
}

ActionTokenizer::ActionTokenizer(PlaceCatalogue places, ActionVocabulary vocabulary) {
  if (places.index().info().fingerprint != vocabulary.index)
    throw DataError(places.index().path() + " is another version of the index than the model was made for: its codes mean other places");
  parts_ = std::make_shared<const Parts>(Parts{std::move(places), std::move(vocabulary)});
}

std::int32_t ActionTokenizer::category(std::string_view name) const { return id_of(vocabulary().categories, name); }
std::int32_t ActionTokenizer::type(std::string_view name) const { return id_of(vocabulary().types, name); }

SeenPlace ActionTokenizer::seen(std::string_view id, const std::optional<GeoPosition>& position, std::string_view name) const {
  if (const std::uint32_t number = places().number(id)) return seen(number);
  SeenPlace p;
  p.category = category(name);
  if (position) p.latitude = static_cast<float>(position->latitude), p.longitude = static_cast<float>(position->longitude);
  return p;
}

SeenPlace ActionTokenizer::seen(std::uint32_t number) const {
  const auto known = places().place(number);
  if (!known) return {};
  return {number, category(known->category), static_cast<float>(known->latitude), static_cast<float>(known->longitude)};
}

PastAction ActionTokenizer::past(const LoggedAction& a) const {
  PastAction p{seen(a.place, a.position, a.category)};
  p.utc = a.time, p.local = local_time(a.time, a.offset, a.user_position ? a.user_position : a.position);
  p.type = type(a.type);
  p.interest = a.interest.value_or(true);
  if (a.user_position) p.user_latitude = static_cast<float>(a.user_position->latitude), p.user_longitude = static_cast<float>(a.user_position->longitude);
  calendar_fields(p.local);  // throws for times out of range
  return p;
}

std::array<std::int32_t, geo_parts> ActionTokenizer::where(double latitude, double longitude) const {
  const ActionVocabulary& v = vocabulary();
  std::array<std::int32_t, geo_parts> rows{};
  rows.fill(v.geo_rows);
  if (std::isnan(latitude)) return rows;
  const auto cells = v.cells == GeoCells::geohash ? geohash_prefixes(latitude, longitude) : grid_cells(latitude, longitude);
  for (std::size_t level = 0; level < geo_parts; ++level) rows[level] = hashed_row(cells[level], static_cast<int>(level), v.geo_rows);
  return rows;
}

ContextInput ActionTokenizer::context(const PastAction& a) const { return {when(a.local), where(a.user_latitude, a.user_longitude), a.local, {a.user_latitude, a.user_longitude}}; }
ContextInput ActionTokenizer::context(const RequestContext& r) const {
  TokenPosition at;
  if (r.position) at = {static_cast<float>(r.position->latitude), static_cast<float>(r.position->longitude)};
  return {when(r.local), where(r.position ? r.position->latitude : at.latitude, r.position ? r.position->longitude : at.longitude), r.local, at};
}

std::int32_t ActionTokenizer::block(const SeenPlace& p) const {
  if (p.place != 0) return static_cast<std::int32_t>(places().tokens(p.place).block);
  if (!p.placed() || places().codes() != PlaceCodes::hierarchical) return 0;
  return static_cast<std::int32_t>(places().index().block_at(p.latitude, p.longitude));
}

InnerInput ActionTokenizer::inner(const SeenPlace& p) const {
  return {static_cast<std::int32_t>(places().tokens(p.place).inner), p.category, where(p.latitude, p.longitude), static_cast<std::int32_t>(p.place), {p.latitude, p.longitude}};
}

}  // namespace chronotope
