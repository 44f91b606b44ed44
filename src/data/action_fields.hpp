#pragma once
// What may stand in each field of an action log or a request log, the same for every format and for reading and
// writing.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "chronotope/data/action_log.hpp"

namespace chronotope {

enum class ActionField : std::uint8_t {
  user,
  time,
  offset,
  user_latitude,
  user_longitude,
  place,
  latitude,
  longitude,
  category,
  type,
  profile,
  interest,
  clicked,  // this and the next in request logs only
  request
};

inline constexpr std::array<std::string_view, 14> field_names{
    "user",      "time",     "offset", "user_latitude", "user_longitude", "place",   "latitude",
    "longitude", "category", "type",   "profile",       "interest",       "clicked", "request"};
inline constexpr std::string_view name_of(ActionField field) { return field_names[static_cast<std::size_t>(field)]; }

/// The fields that a log, a row or an object may hold.
using FieldList = std::span<const ActionField>;

inline constexpr std::array<ActionField, 12> action_fields{
    ActionField::user,           ActionField::time,  ActionField::offset,   ActionField::user_latitude,
    ActionField::user_longitude, ActionField::place, ActionField::latitude, ActionField::longitude,
    ActionField::category,       ActionField::type,  ActionField::profile,  ActionField::interest};
inline constexpr std::array<ActionField, 12> request_fields{
    ActionField::request,       ActionField::user,           ActionField::time,     ActionField::offset,
    ActionField::user_latitude, ActionField::user_longitude, ActionField::profile,  ActionField::place,
    ActionField::latitude,      ActionField::longitude,      ActionField::category, ActionField::clicked};

inline constexpr std::size_t most_text_bytes = 1024;  // of every text but the profile, which only a row's length bounds

enum class FieldKind : std::uint8_t { text, whole, number };

FieldKind kind_of(ActionField field);
constexpr bool is_needed(ActionField field) {
  return field == ActionField::user || field == ActionField::time || field == ActionField::place ||
         field == ActionField::clicked || field == ActionField::request;
}

/// The field of this name among `fields`. Throws FormatError: `where`, "an action log has no 'tme'; did you mean
/// 'time'?" and what `log` may hold.
ActionField find_field(std::string_view name, FieldList fields, const char* log, const std::string& where);

/// For a value that is not of the field's kind: what to write instead, as the end of a sentence about the value.
const char* wanted(ActionField field);

/// The rule that a value of the right kind breaks, as the end of a sentence about it; null if none.
const char* broken_rule(ActionField field, std::string_view text);
const char* broken_rule(ActionField field, std::int64_t value);
const char* broken_rule(ActionField field, double value);

/// Takes the fields of one action as they come. `out` begins without any.
class ActionDraft {
 public:
  explicit ActionDraft(LoggedAction& out);

  /// A value of the field's kind; returns the rule that it breaks, or null.
  const char* take(ActionField field, std::string_view text);
  const char* take(ActionField field, std::int64_t value);
  const char* take(ActionField field, double value);

  /// Once all fields are there: what is wrong with the action as a whole, or null.
  const char* finish();
  /// The same for what a request says of itself, and of a shown place.
  const char* finish_request();
  const char* finish_shown();

  const std::optional<bool>& clicked() const { return clicked_; }
  const std::string& request() const { return request_; }

 private:
  const char* finish_positions();
  std::string& text(ActionField field);
  double& degrees(ActionField field);
  LoggedAction& out_;
  GeoPosition user_, place_;  // NaN where missing
  std::optional<bool> clicked_;
  std::string request_;
};

/// Calls f(field, value) for every field that the action has, in the order of the names.
template <class F> void for_each_field(const LoggedAction& a, F f) {
  const auto text = [&](ActionField field, const std::string& value) {
    if (!value.empty() || is_needed(field)) f(field, std::string_view(value));
  };
  text(ActionField::user, a.user);
  f(ActionField::time, a.time);
  if (a.offset) f(ActionField::offset, std::int64_t{*a.offset});
  if (a.user_position) {
    f(ActionField::user_latitude, a.user_position->latitude);
    f(ActionField::user_longitude, a.user_position->longitude);
  }
  text(ActionField::place, a.place);
  if (a.position) {
    f(ActionField::latitude, a.position->latitude);
    f(ActionField::longitude, a.position->longitude);
  }
  text(ActionField::category, a.category);
  text(ActionField::type, a.type);
  text(ActionField::profile, a.profile);
  if (a.interest) f(ActionField::interest, std::int64_t{*a.interest});
}

}  // namespace chronotope
