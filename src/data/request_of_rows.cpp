#include <functional>

#include "chronotope/core/error.hpp"
#include "csv.hpp"
#include "field_rows.hpp"
#include "request_rows.hpp"

namespace chronotope {
namespace {

class RowRequests : public RequestReader::Rows {
 public:
  explicit RowRequests(std::unique_ptr<FieldRows> rows) : rows_(std::move(rows)), more_(rows_->next()) {
    if (more_) read();
  }

  bool next(LoggedRequest& request) override {
    if (!more_) return false;
    const std::string id = id_;
    if (!seen_.insert(std::hash<std::string>()(id)).second)
      throw DataError(rows_->place() + "request " + shown(id) +
                      " was there before; rows of one request stand together, and each request has its own number");
    RequestDraft draft(request);
    add(draft);
    LoggedAction head = row_;
    draft.head(head);
    while ((more_ = rows_->next())) {
      read();
      if (id_ != id) break;
      if (!draft.belongs(row_))
        throw DataError(rows_->place() + "request " + shown(id) +
                        " has another user, time, offset, position or profile than in the row before; what belongs to "
                        "a request is the same in all its rows");
      add(draft);
    }
    return true;
  }

 private:
  void read() {
    ActionDraft draft(row_);
    rows_->take(draft);
    if (const char* broken = draft.finish_shown()) throw DataError(rows_->place() + broken);
    if (const char* broken = draft.finish_request()) throw DataError(rows_->place() + broken);
    id_ = draft.request();
    clicked_ = *draft.clicked();
  }

  void add(RequestDraft& draft) {
    if (const char* broken = draft.add(row_, clicked_))
      throw DataError(rows_->place() + "request " + shown(id_) + " " + broken);
  }

  std::unique_ptr<FieldRows> rows_;
  LoggedAction row_;  // that was read last, of request id_
  std::string id_;
  bool clicked_ = false, more_;
  std::unordered_set<std::size_t> seen_;  // hashes of the requests' numbers
};

}  // namespace

std::unique_ptr<RequestReader::Rows> row_requests(std::unique_ptr<FieldRows> rows) { return std::make_unique<RowRequests>(std::move(rows)); }

}  // namespace chronotope
