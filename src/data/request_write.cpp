#include <array>
#include <vector>

#include "action_values.hpp"
#include "byte_sink.hpp"
#include "chronotope/core/error.hpp"
#include "column_blocks.hpp"
#include "field_rows.hpp"
#include "request_rows.hpp"

namespace chronotope {
namespace {

constexpr std::size_t first_of_place = 7;  // of request_fields

LoggedAction head_of(const LoggedRequest& request) {
  LoggedAction row;
  row.user = request.user;
  row.time = request.time;
  row.offset = request.offset;
  row.user_position = request.user_position;
  row.profile = request.profile;
  return row;
}

void put_place(LoggedAction& row, const ShownPlace& shown) {
  row.place = shown.place;
  row.position = shown.position;
  row.category = shown.category;
}

bool is_of_place(ActionField field) {
  return field == ActionField::place || field == ActionField::latitude || field == ActionField::longitude ||
         field == ActionField::category;
}

/// The columns from `first` to `last` - 1, divided by commas.
std::string csv_cells(const LoggedAction& row, std::size_t first, std::size_t last) {
  std::array<std::string, field_names.size()> cells;
  for_each_field(
      row, [&](ActionField field, auto value) { append_value(cells[static_cast<std::size_t>(field)], value, false); });
  std::string text;
  for (std::size_t i = first; i < last; ++i) (text += cells[static_cast<std::size_t>(request_fields[i])]) += ',';
  return text;
}

std::string csv_header() {
  std::string line;
  for (const ActionField field : request_fields) (line += line.empty() ? "" : ",") += name_of(field);
  return line += '\n';
}

void append_fields(std::string& line, const LoggedAction& row, bool of_place) {
  bool first = true;
  for_each_field(row, [&](ActionField field, auto value) {
    if (is_of_place(field) != of_place) return;
    line += first ? "\"" : ", \"";
    first = false;
    (line += name_of(field)) += "\": ";
    append_value(line, value, true);
  });
}

std::string json_line(const LoggedRequest& request) {
  LoggedAction row = head_of(request);
  std::string line = "{";
  append_fields(line, row, false);
  line += ", \"shown\": [";
  for (const ShownPlace& shown : request.shown) {
    put_place(row, shown);
    line += &shown == request.shown.data() ? "{" : ", {";
    append_fields(line, row, true);
    (line += ", \"clicked\": ") += shown.clicked ? "1}" : "0}";
  }
  return line += "]}\n";
}

}  // namespace

class RequestWriter::State {
 public:
  explicit State(const std::string& path) : path_(path), format_(format_of_name(path)), file_(path) {
    if (format_ == LogFormat::csv) file_.write(csv_header());
    if (format_ == LogFormat::columns) columns_.emplace(file_, request_fields);
  }

  void write(const LoggedRequest& request) {
    if (finished_) throw FileError(path_ + ": cannot be written: the log is already finished");
    check(request);
    if (format_ == LogFormat::json) write_json(request);
    else write_rows(request);
    ++requests_;
  }

  void finish() {
    if (requests_ == 0) throw DataError(path_ + ": cannot be written: the log has no requests");
    if (columns_) columns_->finish();
    file_.commit();
    finished_ = true;
  }

 private:
  void check(const LoggedRequest& request) const {
    check(head_of(request), false);
    LoggedRequest copy;
    RequestDraft draft(copy);
    for (const ShownPlace& shown : request.shown) {
      LoggedAction place;
      put_place(place, shown);
      check(place, true);
      if (const char* broken = draft.add(place, shown.clicked)) refuse(std::string("it ") + broken);
    }
    if (const char* broken = draft.finish()) refuse(std::string("it ") + broken);
  }

  void check(const LoggedAction& row, bool of_place) const {
    for_each_field(row, [&](ActionField field, auto value) {
      if (is_of_place(field) != of_place) return;
      if (const char* broken = broken_rule(field, value))
        refuse(std::string(name_of(field)) + " " + value_text(value) + " " + broken);
    });
  }

  // What belongs to the request is the same in all its rows, and may be long: it is made once.
  void write_rows(const LoggedRequest& request) {
    const std::string head = std::to_string(requests_ + 1) + ',' + csv_cells(head_of(request), 1, first_of_place);
    std::vector<std::string> tails;
    for (const ShownPlace& shown : request.shown) {
      LoggedAction place;
      put_place(place, shown);
      tails.push_back(csv_cells(place, first_of_place, request_fields.size() - 1) + (shown.clicked ? "1\n" : "0\n"));
      check_length(head.size() + tails.back().size());
    }
    if (columns_) return write_columns(request);
    for (const std::string& tail : tails) file_.write(head), file_.write(tail);
  }

  void write_columns(const LoggedRequest& request) {
    LoggedAction row = head_of(request);
    for (const ShownPlace& shown : request.shown) {
      put_place(row, shown);
      columns_->put(ActionField::request, std::string_view(std::to_string(requests_ + 1)));
      for_each_field(row, [&](ActionField field, auto value) { columns_->put(field, value); });
      columns_->put(ActionField::clicked, std::int64_t{shown.clicked});
      columns_->end_row();
    }
  }

  void write_json(const LoggedRequest& request) {
    const std::string line = json_line(request);
    check_length(line.size());
    file_.write(line);
  }

  void check_length(std::size_t bytes) const {
    if (bytes > CsvReader::max_row_bytes) refuse("a line of it would be longer than 1 MiB; shorten its texts");
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw DataError(path_ + ": request " + std::to_string(requests_ + 1) + " cannot be written: " + why);
  }

  std::string path_;
  LogFormat format_;
  bool finished_ = false;
  ByteSink file_;
  std::optional<ColumnWriter> columns_;
  std::uint64_t requests_ = 0;
};

RequestWriter::RequestWriter(const std::string& path) : state_(std::make_unique<State>(path)) {}
RequestWriter::~RequestWriter() = default;
RequestWriter::RequestWriter(RequestWriter&&) noexcept = default;
RequestWriter& RequestWriter::operator=(RequestWriter&&) noexcept = default;
void RequestWriter::write(const LoggedRequest& request) { state_->write(request); }
void RequestWriter::finish() { state_->finish(); }

}  // namespace chronotope
