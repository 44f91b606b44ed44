#include "action_values.hpp"
#include "byte_sink.hpp"
#include "chronotope/core/error.hpp"
#include "column_blocks.hpp"
#include "field_rows.hpp"

namespace chronotope {
namespace {

std::string csv_line(const LoggedAction& action) {
  std::string line;
  std::size_t column = 0;
  for_each_field(action, [&](ActionField field, auto value) {
    for (; column < static_cast<std::size_t>(field); ++column) line += ',';
    append_value(line, value, false);
  });
  line.append(action_fields.size() - 1 - column, ',');
  return line += '\n';
}

std::string json_line(const LoggedAction& action) {
  std::string line;
  for_each_field(action, [&](ActionField field, auto value) {
    line += line.empty() ? "{\"" : ", \"";
    (line += name_of(field)) += "\": ";
    append_value(line, value, true);
  });
  return line += "}\n";
}

std::string csv_header() {
  std::string line;
  for (const ActionField field : action_fields) (line += line.empty() ? "" : ",") += name_of(field);
  return line += '\n';
}

}  // namespace

class ActionWriter::State {
 public:
  explicit State(const std::string& path) : path_(path), format_(format_of_name(path)), file_(path) {
    if (format_ == LogFormat::csv) file_.write(csv_header());
    if (format_ == LogFormat::columns) columns_.emplace(file_, action_fields);
  }

  void write(const LoggedAction& action) {
    if (finished_) throw FileError(path_ + ": cannot be written: the log is already finished");
    for_each_field(action, [&](ActionField field, auto value) {
      if (const char* broken = broken_rule(field, value))
        refuse(std::string(name_of(field)) + " " + value_text(value) + " " + broken);
    });
    const std::string line = format_ == LogFormat::json ? json_line(action) : csv_line(action);
    if (line.size() > CsvReader::max_row_bytes) refuse("it would be longer than 1 MiB; shorten its texts");
    if (columns_) write_columns(action);
    else file_.write(line);
    ++actions_;
  }

  void finish() {
    if (actions_ == 0) throw DataError(path_ + ": cannot be written: the log has no actions");
    if (columns_) columns_->finish();
    file_.commit();
    finished_ = true;
  }

 private:
  void write_columns(const LoggedAction& action) {
    for_each_field(action, [&](ActionField field, auto value) { columns_->put(field, value); });
    columns_->end_row();
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw DataError(path_ + ": action " + std::to_string(actions_ + 1) + " cannot be written: " + why);
  }

  std::string path_;
  LogFormat format_;
  bool finished_ = false;
  ByteSink file_;
  std::optional<ColumnWriter> columns_;
  std::uint64_t actions_ = 0;
};

ActionWriter::ActionWriter(const std::string& path) : state_(std::make_unique<State>(path)) {}
ActionWriter::~ActionWriter() = default;
ActionWriter::ActionWriter(ActionWriter&&) noexcept = default;
ActionWriter& ActionWriter::operator=(ActionWriter&&) noexcept = default;
void ActionWriter::write(const LoggedAction& action) { state_->write(action); }
void ActionWriter::finish() { state_->finish(); }

}  // namespace chronotope
