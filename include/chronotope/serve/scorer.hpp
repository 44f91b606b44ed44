#pragma once
// A trained click model that answers: how likely is each of these candidates to be clicked now?

#include <memory>
#include <string>
#include <vector>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/data/click_batch.hpp"
#include "chronotope/data/click_builder.hpp"
#include "chronotope/train/checkpoint.hpp"

namespace chronotope {

/// What the model says of one candidate, calibrated on validation (each task by itself: eval/platt_scaling.hpp).
struct CandidateScore {
  double ctr = 0;     ///< probability of a click
  double ctcvr = 0;   ///< of a click and a conversion; NaN where the model was not trained for it
};

/// Columns for one request with `candidates` candidates and `behaviours` behaviours, all that `schema` names, filled with
/// zeros (ids: "not known"). Fill in what is known: `at` is the same for every candidate, `behaviours_at` runs oldest first.
/// make_click_log turns them into what score() takes, and checks them.
ClickColumns request_columns(const ClickSchema& schema, std::size_t candidates, std::size_t behaviours);

/// Loads a checkpoint folder and serves it. Not thread-safe: one request at a time.
class Scorer {
 public:
  /// Throws FileError, FormatError, ConfigError for a checkpoint of another system.
  Scorer(const std::string& checkpoint_folder, any_backend::stream stream);
  ~Scorer();
  Scorer(Scorer&&) noexcept;

  /// Scores of the candidates, in their order; labels are not looked at. The list of behaviours is searched once for each
  /// distinct category among the candidates (hard search), O(m) each, and never copied. Throws DataError when the request
  /// lacks a column of the model's.
  std::vector<CandidateScore> score(const ClickLog& request) const;

  const Config& config() const;
  const ClickSchema& schema() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace chronotope
