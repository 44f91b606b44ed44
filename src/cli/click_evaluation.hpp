#pragma once
// Click models evaluated from the command line: scores of checkpoints beside counting predictors and, for a generated log, the truth.

#include <string>
#include <vector>

#include "chronotope/data/click_batcher.hpp"
#include "chronotope/eval/click_results.hpp"
#include "chronotope/train/click_run.hpp"
#include "cli/device.hpp"

namespace chronotope::cli {

/// Where generate-clicks puts the truth of a log.
std::string truth_path(const std::string& log);
/// The probability of every sample, as the tensor "truth" [samples] f64 of a safetensors file.
void write_truth(const std::vector<double>& truth, const std::string& path);
/// Throws FormatError when it is no truth of `samples` samples.
std::vector<double> read_truth(const std::string& path, std::size_t samples);

/// A checkpoint and the name it has in tables.
struct NamedCheckpoint {
  std::string name;
  Checkpoint checkpoint;
};

/// Rows of a split with users, labels and behaviours, without predictors: a task for each that every checkpoint has.
ScoredClicks click_rows(const ClickLog& log, Split split, bool with_conversions);

/// Scores the split under each checkpoint, the first being the one that others are compared with, then the counting
/// predictors and, where `truth` is not empty, the best possible.
ScoredClicks score_checkpoints(const std::vector<NamedCheckpoint>& checkpoints, const ClickLog& log, Split split,
                               const std::vector<double>& truth, const Device& device);

/// "STIM", "DIN", … of a config; differing checkpoints of one kind are told apart by the caller.
std::string click_model_name(const ClickModelConfig& config);

}  // namespace chronotope::cli
