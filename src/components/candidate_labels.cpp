#include "chronotope/components/candidate_labels.hpp"

#include <algorithm>
#include <string>

#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

/// Calls f(first candidate, number of candidates) for each request with both classes.
template <class F> void for_each_request(const CandidateLabels& labels, F f) {
  std::size_t at = 0;
  for (const std::int32_t count : labels.counts) {
    if (count < 0 || static_cast<std::size_t>(count) > labels.clicked.size() - at)
      throw DataError("[candidates] a request has " + std::to_string(count) + " candidates, but " + std::to_string(labels.clicked.size() - at) + " labels are left");
    const auto begin = labels.clicked.begin() + static_cast<std::ptrdiff_t>(at), end = begin + count;
    if (std::any_of(begin, end, [](std::uint8_t y) { return y > 1; })) throw DataError("[candidates] labels must be 0 or 1");
    const auto clicks = std::count(begin, end, std::uint8_t{1});
    if (clicks > 0 && clicks < count) f(at, static_cast<std::size_t>(count));
    at += static_cast<std::size_t>(count);
  }
  if (at != labels.clicked.size())
    throw DataError("[candidates] requests have " + std::to_string(at) + " candidates, there are " + std::to_string(labels.clicked.size()) + " labels");
}

CandidateRows padded(const std::vector<std::vector<std::int32_t>>& lists) {
  CandidateRows rows;
  rows.rows = std::ssize(lists);
  for (const auto& list : lists) rows.width = std::max(rows.width, static_cast<std::int64_t>(list.size()));
  const auto width = static_cast<std::size_t>(rows.width);
  rows.candidate.resize(lists.size() * width);
  rows.there.resize(lists.size() * width);
  for (std::size_t r = 0; r < lists.size(); ++r) {
    std::copy(lists[r].begin(), lists[r].end(), rows.candidate.begin() + static_cast<std::ptrdiff_t>(r * width));
    std::fill_n(rows.there.begin() + static_cast<std::ptrdiff_t>(r * width), lists[r].size(), std::uint8_t{1});
  }
  return rows;
}

std::vector<std::int32_t> of_class(const CandidateLabels& labels, std::size_t first, std::size_t count, int wanted) {
  std::vector<std::int32_t> list;
  for (std::size_t i = first; i < first + count; ++i)
    if (wanted < 0 || labels.clicked[i] == wanted) list.push_back(static_cast<std::int32_t>(i));
  return list;
}

}  // namespace

CandidateRows request_rows(const CandidateLabels& labels, int wanted) {
  std::vector<std::vector<std::int32_t>> lists;
  for_each_request(labels, [&](std::size_t first, std::size_t count) { lists.push_back(of_class(labels, first, count, wanted)); });
  return padded(lists);
}

Preferences preferences(const CandidateLabels& labels) {
  Preferences p;
  std::vector<std::vector<std::int32_t>> lists;
  for_each_request(labels, [&](std::size_t first, std::size_t count) {
    const std::vector<std::int32_t> others = of_class(labels, first, count, 0);
    for (const std::int32_t chosen : of_class(labels, first, count, 1)) p.chosen.push_back(chosen), lists.push_back(others);
  });
  p.rejected = padded(lists);
  return p;
}

}  // namespace chronotope
