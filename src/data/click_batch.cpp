#include "chronotope/data/click_batch.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array part_names{"user", "item", "context"};

const char* name_of(FeaturePart part) { return part_names[static_cast<std::size_t>(part)]; }

[[noreturn]] void damaged(const std::string& where, const std::string& rule) {
  throw FormatError("click schema: " + where + ": " + rule);
}

// Columns of both kinds are read and written the same way; only ids have a table.
Json to_json(const ClickSchema::Ids& c) { return {{"name", c.name}, {"part", name_of(c.part)}, {"table", c.table}, {"rows", c.rows}}; }
Json to_json(const ClickSchema::Numbers& c) { return {{"name", c.name}, {"part", name_of(c.part)}}; }

template <class Column> Json list_json(const std::vector<Column>& columns) {
  Json list = Json::array();
  for (const Column& c : columns) list.push_back(to_json(c));
  return list;
}

std::string text_of(const Json& object, const char* key, const std::string& where) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) damaged(where, std::string("\"") + key + "\" is missing or not text");
  return object[key].get<std::string>();
}

FeaturePart part_of(const Json& object, const std::string& where) {
  const std::string name = text_of(object, "part", where);
  const auto found = std::find(part_names.begin(), part_names.end(), name);
  if (found == part_names.end()) damaged(where, "its part is none of user, item and context");
  return static_cast<FeaturePart>(found - part_names.begin());
}

void read_rest(const Json& object, const std::string& where, ClickSchema::Ids& c) {
  c.table = text_of(object, "table", where);
  const Json rows = object.contains("rows") ? object["rows"] : Json();
  if (!rows.is_number_unsigned() || rows.get<std::uint64_t>() < 1 || rows.get<std::uint64_t>() > std::numeric_limits<std::int32_t>::max())
    damaged(where, "\"rows\" is missing or not a whole number from 1 to 2^31 - 1");
  c.rows = rows.get<std::int32_t>();
}
void read_rest(const Json&, const std::string&, ClickSchema::Numbers&) {}

template <class Column> void read_list(const Json& schema, const char* key, std::set<std::string>& names, std::vector<Column>& columns) {
  if (!schema.contains(key) || !schema[key].is_array()) damaged(key, "is missing or not a list");
  for (const Json& entry : schema[key]) {
    const std::string where = std::string(key) + "[" + std::to_string(columns.size()) + "]";
    Column& c = columns.emplace_back();
    c.name = text_of(entry, "name", where);
    c.part = part_of(entry, where);
    read_rest(entry, where, c);
    if (!names.insert(c.name).second) damaged(where, "the name \"" + c.name + "\" stands twice");
  }
}

// Columns of one table share its embedding.
void check_tables(const ClickSchema& schema) {
  std::map<std::string, std::int32_t> rows;
  for (const auto* list : {&schema.ids, &schema.behaviour_ids})
    for (const ClickSchema::Ids& c : *list)
      if (rows.emplace(c.table, c.rows).first->second != c.rows) damaged("column \"" + c.name + "\"", "table \"" + c.table + "\" has other rows elsewhere");
}

[[noreturn]] void misfit(const char* half, const std::string& column, const std::string& rule) {
  throw DataError(std::string("the click log does not fit the model: ") + half + ", column \"" + column + "\": " + rule);
}

void compare(const char* half, const ClickSchema::Ids& wanted, const IdColumn& have) {
  if (have.table != wanted.table) misfit(half, wanted.name, "table \"" + have.table + "\", the model has \"" + wanted.table + "\"");
  if (have.rows != wanted.rows)
    misfit(half, wanted.name, std::to_string(have.rows) + " rows in table \"" + have.table + "\", the model has " + std::to_string(wanted.rows));
}
void compare(const char*, const ClickSchema::Numbers&, const NumberColumn&) {}

template <class Wanted, class Have> void check_columns(const char* half, const std::vector<Wanted>& wanted, const std::vector<Have>& have) {
  for (const Wanted& w : wanted) {
    const auto found = std::find_if(have.begin(), have.end(), [&](const Have& h) { return h.name == w.name; });
    if (found == have.end()) misfit(half, w.name, "it is missing");
    if (found->part != w.part)
      misfit(half, w.name, std::string("describes the ") + name_of(found->part) + ", in the model the " + name_of(w.part));
    compare(half, w, *found);
  }
}

std::vector<ClickSchema::Ids> kinds(const std::vector<IdColumn>& columns) {
  std::vector<ClickSchema::Ids> list;
  for (const IdColumn& c : columns) list.push_back({c.name, c.table, c.part, c.rows});
  return list;
}

std::vector<ClickSchema::Numbers> kinds(const std::vector<NumberColumn>& columns) {
  std::vector<ClickSchema::Numbers> list;
  for (const NumberColumn& c : columns) list.push_back({c.name, c.part});
  return list;
}

}  // namespace

ClickSchema schema_of(const ClickLog& log) {
  return {kinds(log.ids), kinds(log.behaviours.ids), kinds(log.numbers), kinds(log.behaviours.numbers), !log.conversion.empty()};
}

std::string schema_json(const ClickSchema& schema) {
  const Json json = {{"ids", list_json(schema.ids)},
                     {"numbers", list_json(schema.numbers)},
                     {"behaviour_ids", list_json(schema.behaviour_ids)},
                     {"behaviour_numbers", list_json(schema.behaviour_numbers)},
                     {"conversion", schema.conversion}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

ClickSchema parse_schema(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) damaged("the text", "is not a JSON object");
  ClickSchema schema;
  std::set<std::string> of_samples, of_behaviours;
  read_list(json, "ids", of_samples, schema.ids);
  read_list(json, "numbers", of_samples, schema.numbers);
  read_list(json, "behaviour_ids", of_behaviours, schema.behaviour_ids);
  read_list(json, "behaviour_numbers", of_behaviours, schema.behaviour_numbers);
  if (!json.contains("conversion") || !json["conversion"].is_boolean()) damaged("conversion", "is missing or not true or false");
  schema.conversion = json["conversion"].get<bool>();
  check_tables(schema);
  return schema;
}

void check_schema(const ClickSchema& schema, const ClickLog& log) {
  check_columns("samples", schema.ids, log.ids);
  check_columns("samples", schema.numbers, log.numbers);
  check_columns("behaviours", schema.behaviour_ids, log.behaviours.ids);
  check_columns("behaviours", schema.behaviour_numbers, log.behaviours.numbers);
  if (schema.conversion && log.conversion.empty()) misfit("samples", "conversion", "it is not recorded");
}

}  // namespace chronotope
