#include "action_columns.hpp"

#include "chronotope/core/error.hpp"

namespace chronotope {

ActionColumns::ActionColumns(const CsvReader& csv, FieldList fields, const char* log, const char* needs) : csv_(csv) {
  for (std::size_t column = 0; column < csv.header().size(); ++column)
    fields_.push_back(find_field(csv.header()[column], fields, log, csv.place(column)));
  for (const ActionField field : fields) {
    const bool found = find_column(csv, name_of(field)) != no_column;  // throws if it is doubled
    if (!found && is_needed(field))
      throw FormatError(csv.path() + ": row 1: the column " + std::string(name_of(field)) + " is missing; " + log +
                        " needs " + needs + " (docs/data.md)");
  }
}

void ActionColumns::take(ActionDraft& draft) const {
  for (std::size_t column = 0; column < fields_.size(); ++column)
    if (const char* broken = take(draft, column)) reject_field(csv_, column, broken);
}

const char* ActionColumns::take(ActionDraft& draft, std::size_t column) const {
  const ActionField field = fields_[column];
  if (csv_.field(column).empty() && !is_needed(field)) return nullptr;
  switch (kind_of(field)) {
    case FieldKind::whole: return take_number<std::int64_t>(draft, column);
    case FieldKind::number: return take_number<double>(draft, column);
    default: return draft.take(field, required_field(csv_, column));
  }
}

template <class Number> const char* ActionColumns::take_number(ActionDraft& draft, std::size_t column) const {
  const auto value = parse_field<Number>(csv_, column);
  return value ? draft.take(fields_[column], *value) : wanted(fields_[column]);
}

}  // namespace chronotope
