#pragma once
// Candidates of requests and which of them were clicked, as the losses of fine-tuning and alignment see them.

#include <cstdint>
#include <vector>

namespace chronotope {

/// Candidates of R requests one after another, C in all.
struct CandidateLabels {
  std::vector<std::int32_t> counts;    ///< [R] candidates of each request; may be 0
  std::vector<std::uint8_t> clicked;   ///< [C] 0 or 1
};

/// Rows of candidates that are compared, padded to the longest: numbers of candidates, and which of them are there.
struct CandidateRows {
  std::int64_t rows = 0, width = 0;
  std::vector<std::int32_t> candidate;  ///< [rows, width] 0 … C - 1; 0 in padding
  std::vector<std::uint8_t> there;      ///< [rows, width] 0 in padding
};

/// A row for each request that has clicked and unclicked candidates: those that `wanted` names (1: the clicked, 0: the others,
/// -1: all). Requests of one class say nothing about preference: they are left out. Throws DataError when counts and labels
/// contradict each other. O(C).
CandidateRows request_rows(const CandidateLabels& labels, int wanted);

/// Every clicked candidate beside the unclicked ones of its request.
struct Preferences {
  std::vector<std::int32_t> chosen;  ///< [P]
  CandidateRows rejected;            ///< a row for each chosen
};
/// Requests, errors and order as request_rows.
Preferences preferences(const CandidateLabels& labels);

}  // namespace chronotope
