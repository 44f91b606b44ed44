#pragma once
// One run as one HTML file: what was learnt, how it compares with counting, and what one user is recommended; or a
// geographic index.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chronotope/data/geo_occupancy.hpp"
#include "chronotope/eval/ablation.hpp"
#include "chronotope/eval/click_results.hpp"
#include "chronotope/eval/result_table.hpp"
#include "chronotope/eval/results.hpp"

namespace chronotope {

/// One optimizer step.
struct CurvePoint {
  std::int64_t step = 0;
  double loss = 0;  ///< nats per target
  double rate = 0;  ///< learning rate
};

/// One epoch; what was not measured is left empty.
struct EpochPoint {
  std::int64_t epoch = 0;
  double loss = 0;                                            ///< mean training loss, nats per target
  std::optional<double> accuracy_1, accuracy_10, mrr, score;  ///< of the validation targets
  bool best = false;
  double seconds = 0;
  /// Of the validation samples of a click model; log_loss is drawn beside `loss` and should be made the same way (tasks
  /// added up with the same weights), in nats.
  std::optional<double> log_loss = {}, auc = {}, gauc = {};
};

/// A place in a user's past. Positions here and below are WGS 84 degrees; points without a valid one are not drawn.
struct VisitedPlace {
  double latitude = 0, longitude = 0;
  std::string name;        ///< category or id
  std::string local_time;  ///< of the latest visit, for people
  std::size_t visits = 1;
};

struct RecommendedPlace {
  std::size_t rank = 1;
  std::string place, category;
  double latitude = 0, longitude = 0;
  double probability = 0;          ///< 0 to 1
  double distance_km = 0;          ///< from the last position
  std::size_t earlier_visits = 0;  ///< of this user
  std::string usual_hour;          ///< for people, such as "18:00"; may be empty
};

/// A place that is known to be: the last one of the user, or the one that turned out to be next.
struct KnownPlace {
  std::string place, category;
  double latitude = 0, longitude = 0;
  std::string local_time;           ///< for people; may be empty
  std::optional<std::size_t> rank;  ///< of the true place among all candidates, counted from 1
};

struct UserMap {
  std::string user;
  std::string asked_time;  ///< local time asked for, for people; may be empty
  std::vector<VisitedPlace> history;
  std::vector<RecommendedPlace> recommendations;
  std::optional<KnownPlace> last, truth;
};

/// The mask of one material over the behaviours of a sample.
struct ForgettingCurve {
  std::string material;              ///< "hour"
  std::string group;                 ///< the request's, for people, such as "11:00 to 16:59"; may be empty
  std::vector<double> mask;          ///< [k] from the farthest to the nearest; what stands in padding is not drawn
  std::vector<std::uint8_t> review;  ///< [k] 1 where the behaviour lies in the request's group
};

/// What a click model remembers of one sample's behaviours (STIM, figure 3).
struct ForgettingFigure {
  std::string request;                  ///< for people, such as "Tuesday 12:00 at wmpp2u"
  std::vector<std::uint8_t> valid;      ///< [k] 0 in padding
  std::vector<std::string> behaviours;  ///< [k] for people, or none
  std::vector<ForgettingCurve> curves;
};

/// Everything the page shows. Empty parts are left out. No text needs to be trusted or valid UTF-8.
struct ReportContent {
  std::string title;
  std::vector<CurvePoint> steps;
  std::vector<EpochPoint> epochs;
  std::optional<EvaluationReport> evaluation;
  std::optional<UserMap> map;
  std::optional<ClickReport> clicks;
  std::vector<AblationTable> ablations;
  std::vector<ResultTable> tables;
  std::optional<ForgettingFigure> forgetting;
  std::optional<GeoOccupancy> occupancy;
  /// Dataset, rows, seed, machine, wall time and the like. Where a value contains the word "generated", the page says
  /// that the data are generated and what that means for the figures.
  std::vector<std::pair<std::string, std::string>> facts;
  std::string config_json;
};

/// A complete HTML page in UTF-8 without script and without anything loaded from elsewhere; a function of `content`
/// alone. Curves are thinned, so that the size does not grow with the number of steps. O(n log n) time.
/// Throws DataError for a forgetting figure whose lengths contradict each other.
std::string render_report(const ReportContent& content);

/// The same as a file that appears whole or not at all. Throws FileError and as render_report.
void write_report(const std::string& path, const ReportContent& content);

}  // namespace chronotope
