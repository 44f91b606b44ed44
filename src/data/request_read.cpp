#include <utility>

#include "chronotope/core/error.hpp"
#include "request_rows.hpp"

namespace chronotope {

void RequestDraft::head(LoggedAction& row) {
  out_.user = std::move(row.user);
  out_.time = row.time;
  out_.offset = row.offset;
  out_.user_position = row.user_position;
  out_.profile = std::move(row.profile);
}

bool RequestDraft::belongs(const LoggedAction& row) const {
  return out_.user == row.user && out_.time == row.time && out_.offset == row.offset &&
         out_.user_position == row.user_position && out_.profile == row.profile;
}

const char* RequestDraft::add(LoggedAction& row, bool clicked) {
  if (out_.shown.size() == most_shown) return "shows more than 4,096 places; divide the request";
  if (!places_.insert(row.place).second) return "shows a place twice; keep it once, clicked if it was clicked at all";
  out_.shown.push_back({std::move(row.place), row.position, std::move(row.category), clicked});
  return nullptr;
}

const char* RequestDraft::finish() const {
  return out_.shown.empty() ? "shows no place; leave out requests without places" : nullptr;
}

namespace {

std::unique_ptr<RequestReader::Rows> requests_of(const std::string& path) {
  const LogFormat format = format_of(path);
  return format == LogFormat::json ? json_requests(path) : row_requests(rows_in(path, format, request_log_fields));
}

}  // namespace

RequestReader::RequestReader(const std::string& path) : rows_(requests_of(path)), path_(path) {}
RequestReader::~RequestReader() = default;
RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader& RequestReader::operator=(RequestReader&&) noexcept = default;

bool RequestReader::next(LoggedRequest& request) {
  const bool found = rows_->next(request);
  if (!found && !any_) throw DataError(path_ + ": no requests: there is only a header; add at least one");
  any_ = true;
  return found;
}

}  // namespace chronotope
