#pragma once
// The log of a run as curves for its report.

#include <string>

#include "chronotope/report/report.hpp"

namespace chronotope::cli {

/// folder/log.jsonl as steps and epochs. Steps that a killed run did twice count once, the later time.
void read_log(const std::string& folder, ReportContent& content);

}  // namespace chronotope::cli
