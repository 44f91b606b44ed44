#pragma once
// What a parser finds in a line of an action log or a request log, taken as it comes: no tree is built, and nesting
// where none belongs ends the parsing at once.

#include <algorithm>
#include <bitset>
#include <limits>
#include <nlohmann/json.hpp>

#include "action_fields.hpp"
#include "chronotope/core/error.hpp"
#include "csv.hpp"

namespace chronotope {

/// The values of the fields of one object at a time. Each member of the parser's interface returns whether to go on; a
/// throw would do too, but leaves the place to the caller. Derived classes say where objects and lists may begin.
class FieldEvents {
 public:
  /// `place` is the beginning of messages, `log` the kind of log, `example` a line as it should be. References are
  /// kept.
  FieldEvents(const std::string& place, const char* log, const char* example)
      : place_(place), log_(log), example_(example) {}

  bool null() { return inside_ || wrong_type("null"); }  // null: missing
  bool boolean(bool value) { return wrong_type(value ? "true" : "false"); }
  bool binary(nlohmann::json::binary_t&) { return wrong_type("binary data"); }

  bool string(std::string& text) {
    if (!takes(FieldKind::text)) return wrong_type(shown(text) + " in quotes");
    return taken(draft_->take(field_, std::string_view(text)), shown(text));
  }
  bool number_integer(std::int64_t value) { return whole(value, std::to_string(value)); }
  bool number_unsigned(std::uint64_t value) {
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();  // out of every range as well
    return whole(static_cast<std::int64_t>(std::min(value, most)), std::to_string(value));
  }
  bool number_float(double value, const std::string& text) {
    if (!takes(FieldKind::number)) return wrong_type(shown(text));
    return taken(draft_->take(field_, value), shown(text));
  }

  bool parse_error(std::size_t at, const std::string& token, const nlohmann::json::exception&) {
    throw FormatError(place_ + ", byte " + std::to_string(at) + ": cannot be read as JSON at " + shown(token) +
                      "; write one object a line, such as " + example_);
  }

 protected:
  /// An object with these fields begins.
  void enter(FieldList fields, ActionDraft& draft) {
    inside_ = true;
    list_ = false;
    fields_ = fields;
    draft_ = &draft;
    seen_.reset();
  }
  /// The object ends. `outside` is the rule that a value outside of any breaks.
  void leave(const char* outside) {
    inside_ = false;
    outside_ = outside;
  }
  /// A list of objects begins in the object, which goes on behind it.
  void suspend(const char* outside) {
    outer_seen_ = seen_;
    leave(outside);
  }
  void resume(FieldList fields, ActionDraft& draft) {
    enter(fields, draft);
    seen_ = outer_seen_;
  }
  bool is_inside() const { return inside_; }

  bool name_field(const std::string& name) {
    field_ = find_field(name, fields_, log_, place_ + ": ");
    list_ = false;
    if (seen_[static_cast<std::size_t>(field_)])
      throw FormatError(where() + "the key stands twice in the object; remove one of them");
    seen_.set(static_cast<std::size_t>(field_));
    return true;
  }
  /// The key of a list, whose values are not fields.
  void name_list() { list_ = true; }
  bool is_list() const { return inside_ && list_; }

  [[noreturn]] bool wrong_type(const std::string& what) const {
    if (!inside_) throw FormatError(place_ + ": is " + what + ", " + outside_);
    if (list_) throw DataError(place_ + ", key shown: " + what + " is no list; write the places shown in brackets");
    throw DataError(where() + what + " " + wanted(field_));
  }

  const std::string& place() const { return place_; }

 private:
  bool takes(FieldKind kind) const { return inside_ && !list_ && kind_of(field_) == kind; }

  bool whole(std::int64_t value, const std::string& text) {
    if (takes(FieldKind::number)) return taken(draft_->take(field_, static_cast<double>(value)), text);
    if (!takes(FieldKind::whole)) return wrong_type(text);
    return taken(draft_->take(field_, value), text);
  }

  bool taken(const char* broken, const std::string& text) const {
    if (broken) throw DataError(where() + text + " " + broken);
    return true;
  }

  std::string where() const { return place_ + ", key " + std::string(name_of(field_)) + ": "; }

  const std::string& place_;
  const char *log_, *example_, *outside_ = "not an object; write one object a line";
  bool inside_ = false, list_ = false;
  ActionField field_ = ActionField::user;
  FieldList fields_;
  ActionDraft* draft_ = nullptr;
  std::bitset<field_names.size()> seen_, outer_seen_;
};

}  // namespace chronotope
