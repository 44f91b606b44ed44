#include "action_columns.hpp"
#include "action_rows.hpp"
#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

class CsvActions : public ActionReader::Rows {
 public:
  explicit CsvActions(const std::string& path)
      : csv_(path), columns_(csv_, action_fields, "an action log", "user, time and place") {}

  bool next(LoggedAction& action) override {
    if (!csv_.next()) return false;
    ActionDraft draft(action);
    columns_.take(draft);
    if (const char* broken = draft.finish()) throw DataError(csv_.place() + broken);
    return true;
  }

 private:
  CsvReader csv_;
  ActionColumns columns_;
};

}  // namespace

std::unique_ptr<ActionReader::Rows> csv_actions(const std::string& path) { return std::make_unique<CsvActions>(path); }

}  // namespace chronotope
