#include <algorithm>
#include <bitset>
#include <nlohmann/json.hpp>

#include "action_fields.hpp"
#include "action_rows.hpp"
#include "chronotope/core/error.hpp"
#include "csv.hpp"
#include "line_reader.hpp"

namespace chronotope {
namespace {

/// What the parser finds in a line, taken as it comes: no tree is built, and nesting ends the parsing at once. Each
/// member returns whether to go on; a throw would do too, but leaves the place to the caller.
class ActionEvents {
 public:
  ActionEvents(ActionDraft& draft, const std::string& place) : draft_(draft), place_(place) {}

  bool start_object(std::size_t) {
    if (inside_) wrong_type("an object");
    return inside_ = true;
  }
  bool end_object() { return true; }
  bool start_array(std::size_t) { return wrong_type("a list"); }
  bool end_array() { return true; }

  bool key(std::string& name) {
    const auto at = std::find(action_field_names.begin(), action_field_names.end(), name);
    if (at == action_field_names.end()) throw FormatError(place_ + ": " + unknown_field(name));
    field_ = static_cast<ActionField>(at - action_field_names.begin());
    if (seen_[static_cast<std::size_t>(field_)])
      throw FormatError(where() + "the key stands twice in the object; remove one of them");
    seen_.set(static_cast<std::size_t>(field_));
    return true;
  }

  bool null() { return inside_ || wrong_type("null"); }  // null: missing
  bool boolean(bool value) { return wrong_type(value ? "true" : "false"); }
  bool binary(nlohmann::json::binary_t&) { return wrong_type("binary data"); }

  bool string(std::string& text) {
    if (!inside_ || kind_of(field_) != FieldKind::text) return wrong_type(shown(text) + " in quotes");
    return taken(draft_.take(field_, std::string_view(text)), shown(text));
  }
  bool number_integer(std::int64_t value) { return whole(value, std::to_string(value)); }
  bool number_unsigned(std::uint64_t value) {
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();  // out of every range as well
    return whole(static_cast<std::int64_t>(std::min(value, most)), std::to_string(value));
  }
  bool number_float(double value, const std::string& text) {
    if (!inside_ || kind_of(field_) != FieldKind::number) return wrong_type(shown(text));
    return taken(draft_.take(field_, value), shown(text));
  }

  bool parse_error(std::size_t at, const std::string& token, const nlohmann::json::exception&) {
    throw FormatError(place_ + ", byte " + std::to_string(at) + ": cannot be read as JSON at " + shown(token) +
                      "; write one object a line, such as {\"user\": \"7\", \"time\": 1709805845, \"place\": \"123\"}");
  }

 private:
  bool whole(std::int64_t value, const std::string& text) {
    if (!inside_ || kind_of(field_) == FieldKind::text) return wrong_type(text);
    const bool degrees = kind_of(field_) == FieldKind::number;
    return taken(degrees ? draft_.take(field_, static_cast<double>(value)) : draft_.take(field_, value), text);
  }

  bool taken(const char* broken, const std::string& text) const {
    if (broken) throw DataError(where() + text + " " + broken);
    return true;
  }

  [[noreturn]] bool wrong_type(const std::string& what) const {
    if (!inside_) throw FormatError(place_ + ": is " + what + ", not an object; write one object a line");
    throw DataError(where() + what + " " + wanted(field_));
  }

  std::string where() const {
    return place_ + ", key " + std::string(action_field_names[static_cast<std::size_t>(field_)]) + ": ";
  }

  ActionDraft& draft_;
  const std::string& place_;
  bool inside_ = false;
  ActionField field_ = ActionField::user;
  std::bitset<action_field_names.size()> seen_;
};

class JsonActions : public ActionReader::Rows {
 public:
  explicit JsonActions(const std::string& path) : lines_(path) {}

  bool next(LoggedAction& action) override {
    std::string_view line;
    do
      if (!lines_.next(line)) return false;
    while (line.find_first_not_of(" \t\r") == line.npos);
    const std::string place = lines_.place();
    if (!is_utf8(line)) throw FormatError(place + ": is not UTF-8; convert the file to UTF-8");
    ActionDraft draft(action);
    ActionEvents events(draft, place);
    nlohmann::json::sax_parse(line.begin(), line.end(), &events);
    if (const char* broken = draft.finish()) throw DataError(place + ": " + broken);
    return true;
  }

 private:
  LineReader lines_;
};

}  // namespace

std::unique_ptr<ActionReader::Rows> json_actions(const std::string& path) {
  return std::make_unique<JsonActions>(path);
}

}  // namespace chronotope
