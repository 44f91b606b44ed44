#include "action_rows.hpp"
#include "chronotope/core/error.hpp"
#include "field_rows.hpp"

namespace chronotope {
namespace {

class RowActions : public ActionReader::Rows {
 public:
  explicit RowActions(std::unique_ptr<FieldRows> rows) : rows_(std::move(rows)) {}

  bool next(LoggedAction& action) override {
    if (!rows_->next()) return false;
    ActionDraft draft(action);
    rows_->take(draft);
    if (const char* broken = draft.finish()) throw DataError(rows_->place() + broken);
    return true;
  }

 private:
  std::unique_ptr<FieldRows> rows_;
};

std::unique_ptr<ActionReader::Rows> actions_of(const std::string& path) {
  const LogFormat format = format_of(path);
  if (format == LogFormat::json) return json_actions(path);
  return std::make_unique<RowActions>(rows_in(path, format, action_log_fields));
}

}  // namespace

ActionReader::ActionReader(const std::string& path) : rows_(actions_of(path)), path_(path) {}
ActionReader::~ActionReader() = default;
ActionReader::ActionReader(ActionReader&&) noexcept = default;
ActionReader& ActionReader::operator=(ActionReader&&) noexcept = default;

bool ActionReader::next(LoggedAction& action) {
  const bool found = rows_->next(action);
  if (!found && !any_) throw DataError(path_ + ": no actions: there is only a header; add at least one");
  any_ = true;
  return found;
}

}  // namespace chronotope
