#pragma once
// The report page of click models.

#include "chronotope/report/report.hpp"
#include "cli/click_evaluation.hpp"

namespace chronotope::cli {

/// The page of an evaluation whose first checkpoint lies in `folder`: its curves, the figures of all, and for STIM what it
/// remembers of one sample's behaviours. `source` names the data in words.
ReportContent click_report_content(const std::string& folder, const Checkpoint& first, const ClickLog& log, Split split, const ClickReport& report,
                                   const Device& device, const std::string& source);

}  // namespace chronotope::cli
