#pragma once
// The formats that RequestReader reads.

#include <memory>
#include <string>
#include <unordered_set>

#include "chronotope/data/request_log.hpp"
#include "field_rows.hpp"

namespace chronotope {

class RequestReader::Rows {
 public:
  virtual ~Rows() = default;
  virtual bool next(LoggedRequest& request) = 0;
};

/// A row a shown place.
std::unique_ptr<RequestReader::Rows> row_requests(std::unique_ptr<FieldRows> rows);
std::unique_ptr<RequestReader::Rows> json_requests(const std::string& path);

/// Puts a request together and keeps its rules.
class RequestDraft {
 public:
  explicit RequestDraft(LoggedRequest& out) : out_(out) { out.shown.clear(); }

  /// What the request says of itself: user, time, offset, position, profile.
  void head(LoggedAction& row);
  /// Whether a row says the same of its request.
  bool belongs(const LoggedAction& row) const;
  /// Adds a place that was shown; returns the rule that it breaks, or null.
  const char* add(LoggedAction& row, bool clicked);
  const char* finish() const;

 private:
  LoggedRequest& out_;
  std::unordered_set<std::string> places_;
};

}  // namespace chronotope
