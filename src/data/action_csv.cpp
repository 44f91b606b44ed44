#include <algorithm>
#include <vector>

#include "action_fields.hpp"
#include "action_rows.hpp"
#include "chronotope/core/error.hpp"
#include "csv_fields.hpp"

namespace chronotope {
namespace {

class CsvActions : public ActionReader::Rows {
 public:
  explicit CsvActions(const std::string& path) : csv_(path) {
    for (std::size_t column = 0; column < csv_.header().size(); ++column) fields_.push_back(field_of(column));
    for (std::size_t i = 0; i < action_field_names.size(); ++i) {
      const bool found = find_column(csv_, action_field_names[i]) != no_column;  // throws if it is doubled
      if (!found && is_needed(static_cast<ActionField>(i)))
        throw FormatError(path + ": row 1: the column " + std::string(action_field_names[i]) +
                          " is missing; an action log needs user, time and place (docs/data.md)");
    }
  }

  bool next(LoggedAction& action) override {
    if (!csv_.next()) return false;
    ActionDraft draft(action);
    for (std::size_t column = 0; column < fields_.size(); ++column)
      if (const char* broken = take(draft, column)) reject_field(csv_, column, broken);
    if (const char* broken = draft.finish()) throw DataError(csv_.place() + broken);
    return true;
  }

 private:
  ActionField field_of(std::size_t column) const {
    const auto& names = action_field_names;
    const auto at = std::find(names.begin(), names.end(), csv_.header()[column]);
    if (at == names.end()) throw FormatError(csv_.place(column) + unknown_field(csv_.header()[column]));
    return static_cast<ActionField>(at - names.begin());
  }

  const char* take(ActionDraft& draft, std::size_t column) const {
    const ActionField field = fields_[column];
    if (csv_.field(column).empty() && !is_needed(field)) return nullptr;
    switch (kind_of(field)) {
      case FieldKind::whole: return take_number<std::int64_t>(draft, column);
      case FieldKind::number: return take_number<double>(draft, column);
      default: return draft.take(field, required_field(csv_, column));
    }
  }

  template <class Number> const char* take_number(ActionDraft& draft, std::size_t column) const {
    const auto value = parse_field<Number>(csv_, column);
    return value ? draft.take(fields_[column], *value) : wanted(fields_[column]);
  }

  CsvReader csv_;
  std::vector<ActionField> fields_;  // of each column
};

}  // namespace

std::unique_ptr<ActionReader::Rows> csv_actions(const std::string& path) { return std::make_unique<CsvActions>(path); }

}  // namespace chronotope
