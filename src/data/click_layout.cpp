#include "click_layout.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>

namespace chronotope::clicks {
namespace {

static_assert(std::endian::native == std::endian::little, "click caches are little-endian");

using Json = nlohmann::json;

struct RoleText {
  const char* name;
  std::size_t bytes;
};
constexpr std::array<RoleText, 11> roles{{{"click", 1},
                                          {"conversion", 1},
                                          {"split", 1},
                                          {"time", 8},
                                          {"hour", 1},
                                          {"weekday", 1},
                                          {"geohash", 4},
                                          {"id", 4},
                                          {"number", 4},
                                          {"first", 8},
                                          {"last", 8}}};

template <class T> std::span<const T> values(const Column& column) {
  return {reinterpret_cast<const T*>(column.bytes.data()), column.bytes.size() / sizeof(T)};
}

class List {
 public:
  template <class T> Column& add(bool of_behaviours, Role role, std::span<const T> of) {
    Column& c = columns_.emplace_back();
    c.of_behaviours = of_behaviours;
    c.role = role;
    c.bytes = std::as_bytes(of);
    return c;
  }
  void add(bool of_behaviours, const Moments& at) {
    add(of_behaviours, Role::time, at.time);
    add(of_behaviours, Role::hour, at.hour);
    add(of_behaviours, Role::weekday, at.weekday);
    add(of_behaviours, Role::geohash, at.geohash);
  }
  void add(bool of_behaviours, const std::vector<IdColumn>& ids, const std::vector<NumberColumn>& numbers) {
    for (const IdColumn& id : ids) {
      Column& c = add(of_behaviours, Role::id, id.values);
      c.name = id.name, c.table = id.table, c.part = id.part, c.rows = id.rows;
    }
    for (const NumberColumn& number : numbers) {
      Column& c = add(of_behaviours, Role::number, number.values);
      c.name = number.name, c.part = number.part;
    }
  }
  std::vector<Column> take() { return std::move(columns_); }

 private:
  std::vector<Column> columns_;
};

std::string text_from_json(const Json& object, const char* key) {
  if (!object.contains(key) || !object[key].is_string()) throw std::string("\"") + key + "\" is missing or not text";
  return object[key].get<std::string>();
}

Column kind_from_json(const Json& entry) {
  if (!entry.is_object()) throw std::string("a column is not a JSON object");
  Column c;
  const std::string of = text_from_json(entry, "of"), role = text_from_json(entry, "role");
  if (of != "samples" && of != "behaviours") throw "a column is of \"" + of + "\", not of samples or behaviours";
  c.of_behaviours = of == "behaviours";
  std::size_t index = 0;
  while (index < roles.size() && role != roles[index].name) ++index;
  if (index == roles.size()) throw "a column has the unknown role \"" + role + "\"";
  c.role = static_cast<Role>(index);
  if (c.role == Role::id || c.role == Role::number) {
    c.name = text_from_json(entry, "name");
    const std::uint64_t part = count_from_json(entry, "part");
    if (part > 2) throw c.title() + ": part " + std::to_string(part) + " is not 0, 1 or 2";
    c.part = static_cast<FeaturePart>(part);
  }
  if (c.role == Role::id) {
    c.table = text_from_json(entry, "table");
    const std::uint64_t rows = count_from_json(entry, "rows");
    if (rows < 1 || rows > std::numeric_limits<std::int32_t>::max())
      throw c.title() + ": a table of " + std::to_string(rows) + " rows";
    c.rows = static_cast<std::int32_t>(rows);
  }
  return c;
}

bool only_for_samples(Role role) {
  return role == Role::click || role == Role::conversion || role == Role::split || role == Role::first ||
         role == Role::last;
}

}  // namespace

const char* role_name(Role role) { return roles[static_cast<std::size_t>(role)].name; }
std::size_t role_bytes(Role role) { return roles[static_cast<std::size_t>(role)].bytes; }

std::string Column::title() const {
  return std::string(of_behaviours ? "behaviours " : "samples ") + role_name(role) +
         (name.empty() ? "" : " \"" + name + "\"");
}

bool Column::same_kind(const Column& o) const {
  return of_behaviours == o.of_behaviours && role == o.role && name == o.name && table == o.table && part == o.part &&
         rows == o.rows;
}

std::vector<Column> columns_of(const ClickLog& log) {
  List list;
  list.add(false, Role::click, log.click);
  if (!log.conversion.empty()) list.add(false, Role::conversion, log.conversion);
  list.add(false, Role::split, log.split);
  list.add(false, log.at);
  list.add(false, log.ids, log.numbers);
  list.add(false, Role::first, log.first);
  list.add(false, Role::last, log.last);
  list.add(true, log.behaviours.at);
  list.add(true, log.behaviours.ids, log.behaviours.numbers);
  return list.take();
}

void put_column(ClickLog& log, const Column& c) {
  Moments& at = c.of_behaviours ? log.behaviours.at : log.at;
  switch (c.role) {
    case Role::click: log.click = values<std::uint8_t>(c); break;
    case Role::conversion: log.conversion = values<std::uint8_t>(c); break;
    case Role::split: log.split = values<Split>(c); break;
    case Role::time: at.time = values<std::int64_t>(c); break;
    case Role::hour: at.hour = values<std::uint8_t>(c); break;
    case Role::weekday: at.weekday = values<std::uint8_t>(c); break;
    case Role::geohash: at.geohash = values<std::uint32_t>(c); break;
    case Role::first: log.first = values<std::uint64_t>(c); break;
    case Role::last: log.last = values<std::uint64_t>(c); break;
    case Role::id:
      (c.of_behaviours ? log.behaviours.ids : log.ids)
          .push_back({c.name, c.table, c.part, c.rows, values<std::int32_t>(c)});
      break;
    case Role::number:
      (c.of_behaviours ? log.behaviours.numbers : log.numbers).push_back({c.name, c.part, values<float>(c)});
      break;
  }
}

Json to_json(const std::vector<Column>& columns) {
  Json list = Json::array();
  for (const Column& c : columns) {
    Json entry = {
        {"of", c.of_behaviours ? "behaviours" : "samples"}, {"role", role_name(c.role)}, {"offset", c.offset}};
    if (c.role == Role::id || c.role == Role::number) entry["name"] = c.name, entry["part"] = static_cast<int>(c.part);
    if (c.role == Role::id) entry["table"] = c.table, entry["rows"] = c.rows;
    list.push_back(std::move(entry));
  }
  return list;
}

std::uint64_t count_from_json(const Json& object, const char* key) {
  if (!object.contains(key) || !object[key].is_number_unsigned())
    throw std::string("\"") + key + "\" is missing or not a whole number";
  return object[key].get<std::uint64_t>();
}

std::vector<Column> columns_from_json(const Json& list, bool with_offsets) {
  if (!list.is_array()) throw std::string("\"columns\" is not a list");
  std::vector<Column> columns;
  for (const Json& entry : list) {
    Column c = kind_from_json(entry);
    if (c.of_behaviours && only_for_samples(c.role)) throw c.title() + ": behaviours have no such column";
    if (with_offsets) c.offset = count_from_json(entry, "offset");
    for (const Column& other : columns)
      if (other.of_behaviours == c.of_behaviours && other.role == c.role && other.name == c.name)
        throw c.title() + ": the column stands twice";
    columns.push_back(std::move(c));
  }
  return columns;
}

std::string make_head(const Extent& extent, std::vector<Column>& columns) {
  const auto text_with = [&](std::uint64_t begin) {
    for (Column& c : columns) {
      c.offset = begin;
      begin = (begin + extent.bytes_of(c) + cache_alignment - 1) / cache_alignment * cache_alignment;
    }
    return Json{{"samples", extent.samples},
                {"behaviours", extent.behaviours},
                {"semi_synthetic", extent.semi_synthetic},
                {"columns", to_json(columns)}}
        .dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  // Offsets are part of the text whose length they depend on: leave room for the longest.
  const std::size_t room = text_with(std::uint64_t{1} << 62).size();
  const std::size_t begin = (cache_prefix + room + cache_alignment - 1) / cache_alignment * cache_alignment;
  std::string text = text_with(begin);
  text.resize(begin - cache_prefix, ' ');
  std::string head(cache_prefix, '\0');
  const std::uint64_t length = text.size(), sum = checksum(text);
  std::memcpy(head.data(), cache_magic.data(), cache_magic.size());
  std::memcpy(head.data() + 8, &cache_version, 4);
  std::memcpy(head.data() + 16, &length, 8);
  std::memcpy(head.data() + 24, &sum, 8);
  return head + text;
}

std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
  return hash;
}

}  // namespace chronotope::clicks
