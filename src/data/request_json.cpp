#include <optional>

#include "action_events.hpp"
#include "action_rows.hpp"
#include "request_rows.hpp"

namespace chronotope {
namespace {

using enum ActionField;

constexpr std::array<ActionField, 6> head_fields{user, time, offset, user_latitude, user_longitude, profile};
constexpr std::array<ActionField, 5> shown_fields{place, latitude, longitude, category, clicked};

constexpr const char* outside = "not an object; everything in shown is an object with place and clicked";

/// An object whose key `shown` holds a list of objects.
class RequestEvents : public FieldEvents {
 public:
  RequestEvents(RequestDraft& request, const std::string& at)
      : FieldEvents(at, "a request",
                    "{\"user\": \"7\", \"time\": 1709805845, \"shown\": [{\"place\": \"123\", \"clicked\": 1}]}"),
        request_(request),
        head_draft_(head_) {}

  bool start_object(std::size_t) {
    if (is_inside()) wrong_type("an object");
    if (in_list_) enter(shown_fields, item_draft_.emplace(item_));
    else enter(head_fields, head_draft_);
    return true;
  }

  bool end_object() {
    if (in_list_) finish_item();
    return true;
  }

  bool start_array(std::size_t) {
    if (!is_list() || in_list_) wrong_type("a list");
    in_list_ = true;
    suspend(outside);
    return true;
  }

  bool end_array() {
    in_list_ = false;
    resume(head_fields, head_draft_);
    return true;
  }

  bool key(std::string& name) {
    if (in_list_ || name != "shown") return name_field(name);
    if (had_list_)
      throw FormatError(place_of_line() + ", key shown: the key stands twice in the object; remove one of them");
    had_list_ = true;
    name_list();
    return true;
  }

  void finish() {
    if (const char* broken = head_draft_.finish_request()) throw DataError(place_of_line() + ": " + broken);
    request_.head(head_);
    if (const char* broken = request_.finish()) throw DataError(place_of_line() + ": " + broken);
  }

 private:
  void finish_item() {
    const char* broken = item_draft_->finish_shown();
    if (!broken) broken = request_.add(item_, *item_draft_->clicked());
    if (broken) throw DataError(place_of_line() + ", shown place " + std::to_string(++items_) + ": " + broken);
    ++items_;
    leave(outside);
  }

  const std::string& place_of_line() const { return FieldEvents::place(); }

  RequestDraft& request_;
  LoggedAction head_, item_;
  ActionDraft head_draft_;
  std::optional<ActionDraft> item_draft_;
  bool in_list_ = false, had_list_ = false;
  int items_ = 0;
};

class JsonRequests : public RequestReader::Rows {
 public:
  explicit JsonRequests(const std::string& path) : lines_(path) {}

  bool next(LoggedRequest& request) override {
    std::string_view line;
    if (!next_json_line(lines_, line)) return false;
    const std::string at = lines_.place();
    RequestDraft draft(request);
    RequestEvents events(draft, at);
    nlohmann::json::sax_parse(line.begin(), line.end(), &events);
    events.finish();
    return true;
  }

 private:
  LineReader lines_;
};

}  // namespace

std::unique_ptr<RequestReader::Rows> json_requests(const std::string& path) {
  return std::make_unique<JsonRequests>(path);
}

}  // namespace chronotope
