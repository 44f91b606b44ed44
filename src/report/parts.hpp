#pragma once
// The parts of the page. Each returns HTML, empty when there is nothing to show.

#include <string>
#include <vector>

#include "chronotope/report/report.hpp"

namespace chronotope::report {

/// What is compared, as one list: the model first in the order with time, without time; then the counters.
struct Contender {
  std::string name;
  bool is_model = false;
  bool sees_time = false;
  const EvaluationResult* result = nullptr;  ///< ties shared out
  double ties_won = 0;                       ///< acc@1 when the contender wins its ties
};

/// The views live as long as `report`. Descending acc@k of cutoff number `cutoff`, undefined last.
std::vector<Contender> ranked_contenders(const EvaluationReport& report, std::size_t cutoff);

bool is_generated(const ReportContent& content);

std::string verdict_part(const ReportContent& content);  ///< the sentence, in a box, with the figures below
std::string facts_part(const ReportContent& content);
std::string curves_part(const ReportContent& content);
std::string epochs_table(const std::vector<EpochPoint>& epochs);
std::string accuracy_part(const ReportContent& content);
std::string results_table(const EvaluationReport& report);
std::string click_verdict_part(const ReportContent& content);  ///< as verdict_part, a box for each task
std::string clicks_part(const ReportContent& content);         ///< a section for each task
std::string calibration_drawing(const ClickSubset& subset);    ///< of the models
std::string ablations_part(const ReportContent& content);      ///< a section for each table
std::string tables_part(const ReportContent& content);         ///< a section for each, with its drawings
std::string line_drawing(const LineFigure& figure);            ///< with its legend; empty without anything to draw
std::string forgetting_part(const ReportContent& content);
std::string occupancy_part(const ReportContent& content);
std::string occupancy_map(const GeoOccupancy& occupancy);  ///< with its legend
std::string map_part(const ReportContent& content);
std::string map_drawing(const UserMap& map);
std::string config_part(const ReportContent& content);
std::string style_sheet();

/// "0.9480" with "0.9459 to 0.9501" behind it, smaller; with signs for differences. A dash where there is none.
std::string interval_cell(const MeasuredInterval& interval, bool difference);
/// " (semi-synthetic)" or nothing.
std::string synthetic_note(bool semi_synthetic);

/// A box with a coloured edge: "good", "open" or "bad". `sentence` and `figures` are HTML.
std::string verdict_box(const std::string& colour, const std::string& sentence, const std::string& figures);

/// <section> with a heading around `body`; nothing without a body.
std::string section(const std::string& heading, const std::string& body);

/// <figure> with a caption (text) above `drawing` (HTML); nothing without a drawing.
std::string figure(const std::string& caption, const std::string& drawing);

}  // namespace chronotope::report
