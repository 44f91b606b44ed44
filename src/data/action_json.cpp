#include "action_events.hpp"
#include "action_rows.hpp"
#include "line_reader.hpp"

namespace chronotope {
namespace {

class ActionEvents : public FieldEvents {
 public:
  ActionEvents(ActionDraft& draft, const std::string& place)
      : FieldEvents(place, "an action log", "{\"user\": \"7\", \"time\": 1709805845, \"place\": \"123\"}"),
        draft_(draft) {}

  bool start_object(std::size_t) {
    if (is_inside()) wrong_type("an object");
    enter(action_fields, draft_);
    return true;
  }
  bool end_object() { return true; }
  bool start_array(std::size_t) { return wrong_type("a list"); }
  bool end_array() { return true; }
  bool key(std::string& name) { return name_field(name); }

 private:
  ActionDraft& draft_;
};

class JsonActions : public ActionReader::Rows {
 public:
  explicit JsonActions(const std::string& path) : lines_(path) {}

  bool next(LoggedAction& action) override {
    std::string_view line;
    if (!next_json_line(lines_, line)) return false;
    const std::string place = lines_.place();
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

bool next_json_line(LineReader& lines, std::string_view& line) {
  do
    if (!lines.next(line)) return false;
  while (line.find_first_not_of(" \t\r") == line.npos);
  if (!is_utf8(line)) throw FormatError(lines.place() + ": is not UTF-8; convert the file to UTF-8");
  return true;
}

std::unique_ptr<ActionReader::Rows> json_actions(const std::string& path) {
  return std::make_unique<JsonActions>(path);
}

}  // namespace chronotope
