#include "action_rows.hpp"
#include "action_values.hpp"
#include "byte_sink.hpp"
#include "chronotope/core/error.hpp"

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

bool is_json_name(std::string_view path) {
  std::string_view name = path;
  if (name.ends_with(".gz")) name.remove_suffix(3);
  if (name.ends_with(".csv")) return false;
  if (name.ends_with(".jsonl")) return true;
  throw ConfigError(std::string(path) +
                    ": the name does not say a format; let it end in .csv, .csv.gz, .jsonl or .jsonl.gz");
}

class ActionWriter::State {
 public:
  explicit State(const std::string& path) : path_(path), json_(is_json_name(path)), file_(path) {
    if (!json_) file_.write(csv_header());
  }

  void write(const LoggedAction& action) {
    if (finished_) throw FileError(path_ + ": cannot be written: the log is already finished");
    for_each_field(action, [&](ActionField field, auto value) {
      if (const char* broken = broken_rule(field, value))
        refuse(std::string(name_of(field)) + " " + value_text(value) + " " + broken);
    });
    const std::string line = json_ ? json_line(action) : csv_line(action);
    if (line.size() > CsvReader::max_row_bytes) refuse("it would be longer than 1 MiB; shorten its texts");
    file_.write(line);
    ++actions_;
  }

  void finish() {
    if (actions_ == 0) throw DataError(path_ + ": cannot be written: the log has no actions");
    file_.commit();
    finished_ = true;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw DataError(path_ + ": action " + std::to_string(actions_ + 1) + " cannot be written: " + why);
  }

  std::string path_;
  bool json_, finished_ = false;
  ByteSink file_;
  std::uint64_t actions_ = 0;
};

ActionWriter::ActionWriter(const std::string& path) : state_(std::make_unique<State>(path)) {}
ActionWriter::~ActionWriter() = default;
ActionWriter::ActionWriter(ActionWriter&&) noexcept = default;
ActionWriter& ActionWriter::operator=(ActionWriter&&) noexcept = default;
void ActionWriter::write(const LoggedAction& action) { state_->write(action); }
void ActionWriter::finish() { state_->finish(); }

}  // namespace chronotope
