#include "chronotope/core/error.hpp"
#include "csv_fields.hpp"
#include "field_rows.hpp"

namespace chronotope {
namespace {

class CsvRows : public FieldRows {
 public:
  CsvRows(const std::string& path, const LogFields& log) : csv_(path) {
    for (std::size_t column = 0; column < csv_.header().size(); ++column)
      fields_.push_back(find_field(csv_.header()[column], log.fields, log.log, csv_.place(column)));
    for (const ActionField field : log.fields) find_column(csv_, name_of(field));  // throws if it is doubled
    check_needed(path, fields_, log);
  }

  bool next() override { return csv_.next(); }

  void take(ActionDraft& draft) const override {
    for (std::size_t column = 0; column < fields_.size(); ++column)
      if (const char* broken = take(draft, column)) reject_field(csv_, column, broken);
  }

  std::string place() const override { return csv_.place(); }

 private:
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

std::unique_ptr<FieldRows> csv_rows(const std::string& path, const LogFields& log) { return std::make_unique<CsvRows>(path, log); }

}  // namespace chronotope
