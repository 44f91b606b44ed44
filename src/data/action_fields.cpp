#include "action_fields.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "checkin_rules.hpp"
#include "chronotope/core/error.hpp"
#include "core/word_distance.hpp"
#include "csv.hpp"
#include "split_text.hpp"

namespace chronotope {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

// Every field begins with a key, so that a model never sees a value without knowing of what; blank fields are nothing.
bool is_profile(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  for (const std::string_view field : split_text(text, ';')) {
    const std::size_t key = field.find_first_not_of(blanks);
    if (key == field.npos) continue;
    if (field[key] == ':' || field.find(':') == field.npos) return false;
  }
  return true;
}

bool is_latitude(ActionField field) { return field == ActionField::latitude || field == ActionField::user_latitude; }

bool is_half(const GeoPosition& p) { return std::isnan(p.latitude) != std::isnan(p.longitude); }

std::optional<GeoPosition> whole(const GeoPosition& p) {
  return std::isnan(p.latitude) ? std::nullopt : std::optional(p);
}

}  // namespace

FieldKind kind_of(ActionField field) {
  switch (field) {
    case ActionField::time:
    case ActionField::offset:
    case ActionField::interest:
    case ActionField::clicked: return FieldKind::whole;
    case ActionField::user_latitude:
    case ActionField::user_longitude:
    case ActionField::latitude:
    case ActionField::longitude: return FieldKind::number;
    default: return FieldKind::text;
  }
}

ActionField find_field(std::string_view name, FieldList fields, const char* log, const std::string& where) {
  for (const ActionField field : fields)
    if (name_of(field) == name) return field;
  constexpr std::size_t longest = 64;  // a longer name is like none of ours, and comparing takes its length
  const std::string_view compared = name.substr(0, longest);
  const auto nearest = std::min_element(fields.begin(), fields.end(), [&](ActionField a, ActionField b) {
    return word_distance(compared, name_of(a)) < word_distance(compared, name_of(b));
  });
  std::string text =
      where + log + " has no " + shown(name) + "; did you mean '" + std::string(name_of(*nearest)) + "'? It has";
  for (const ActionField known : fields) (text += ' ') += name_of(known);
  throw FormatError(text + " (docs/data.md); remove what it does not have");
}

const char* wanted(ActionField field) {
  switch (field) {
    case ActionField::time: return "is not a whole number; write seconds since 1970-01-01 UTC";
    case ActionField::offset: return "is not a whole number; write the minutes that local time is ahead of UTC";
    case ActionField::interest: return "is neither 0 nor 1; write 1 for interest-based, 0 for functional, or nothing";
    case ActionField::clicked: return "is neither 0 nor 1; write 1 for a click, 0 for none";
    default: break;
  }
  return kind_of(field) == FieldKind::number ? "is not a number; write degrees such as 40.7127"
                                             : "is not a text; write it in double quotes";
}

const char* broken_rule(ActionField field, std::string_view text) {
  if (text.empty() && field == ActionField::request) return "is empty; every row needs the number of its request";
  if (text.empty() && is_needed(field)) return "is empty; every action needs a user, a time and a place";
  if (field != ActionField::profile && text.size() > most_text_bytes)
    return "is longer than 1,024 bytes; shorten it: steps keep such texts in memory";
  if (text.find('\0') != text.npos) return "holds a zero byte; remove it";
  if (!is_utf8(text)) return "is not UTF-8; convert it to UTF-8";
  if (field == ActionField::profile && !is_profile(text))
    return "is no profile; write fields with keys, divided by semicolons: age: 30; city: Berlin";
  return nullptr;
}

const char* broken_rule(ActionField field, std::int64_t value) {
  if (field == ActionField::time && !is_utc_time(value))
    return "is out of range: seconds since 1970-01-01 UTC lie above 0 and before the year 2200 "
           "(milliseconds must be divided by 1000)";
  if (field == ActionField::offset && (value < -most_offset / 60 || value > most_offset / 60))
    return "is out of range: the minutes lie between -1440 and 1440";
  const bool yes_or_no = field == ActionField::interest || field == ActionField::clicked;
  return yes_or_no && value != 0 && value != 1 ? wanted(field) : nullptr;
}

const char* broken_rule(ActionField field, double value) {
  if (!std::isfinite(value)) return wanted(field);
  if (is_latitude(field))
    return std::abs(value) <= most_latitude ? nullptr : "is out of range: degrees lie between -90 and 90";
  return std::abs(value) <= most_longitude ? nullptr : "is out of range: degrees lie between -180 and 180";
}

ActionDraft::ActionDraft(LoggedAction& out) : out_(out), user_{missing, missing}, place_{missing, missing} {
  for (std::string* text : {&out.user, &out.place, &out.category, &out.type, &out.profile}) text->clear();
  out.time = 0;
  out.offset.reset();
  out.user_position.reset();
  out.position.reset();
  out.interest.reset();
}

std::string& ActionDraft::text(ActionField field) {
  switch (field) {
    case ActionField::user: return out_.user;
    case ActionField::place: return out_.place;
    case ActionField::category: return out_.category;
    case ActionField::type: return out_.type;
    case ActionField::request: return request_;
    default: return out_.profile;
  }
}

const char* ActionDraft::take(ActionField field, std::string_view value) {
  const char* broken = broken_rule(field, value);
  if (!broken) text(field) = value;
  return broken;
}

const char* ActionDraft::take(ActionField field, std::int64_t value) {
  if (const char* broken = broken_rule(field, value)) return broken;
  if (field == ActionField::time) out_.time = value;
  else if (field == ActionField::offset) out_.offset = static_cast<int>(value);
  else if (field == ActionField::clicked) clicked_ = value == 1;
  else out_.interest = value == 1;
  return nullptr;
}

double& ActionDraft::degrees(ActionField field) {
  const bool of_user = field == ActionField::user_latitude || field == ActionField::user_longitude;
  GeoPosition& position = of_user ? user_ : place_;
  return is_latitude(field) ? position.latitude : position.longitude;
}

const char* ActionDraft::take(ActionField field, double value) {
  const char* broken = broken_rule(field, value);
  if (!broken) degrees(field) = value;
  return broken;
}

const char* ActionDraft::finish() {
  if (out_.user.empty() || out_.place.empty() || out_.time == 0)
    return "lacks user, time or place; every action needs all three";
  return finish_positions();
}

const char* ActionDraft::finish_request() {
  if (out_.user.empty() || out_.time == 0) return "lacks user or time; every request needs both";
  return finish_positions();
}

const char* ActionDraft::finish_shown() {
  if (out_.place.empty() || !clicked_) return "lacks place or clicked; everything shown needs both";
  return finish_positions();
}

const char* ActionDraft::finish_positions() {
  if (is_half(user_)) return "has one of user_latitude and user_longitude; write both or none";
  if (is_half(place_)) return "has one of latitude and longitude; write both or none";
  out_.user_position = whole(user_);
  out_.position = whole(place_);
  return nullptr;
}

}  // namespace chronotope
