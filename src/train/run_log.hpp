#pragma once
// log.jsonl of a run: a line a step and a line an epoch.

#include <fstream>
#include <string>

#include "chronotope/train/trainer.hpp"

namespace chronotope {

class RunLog {
 public:
  /// A new log, or with `resumed` the old one without what came after that state: those steps are made again.
  RunLog(const std::string& folder, const TrainingState* resumed);

  void step(const StepReport& report);
  void epoch(const EpochReport& report);
  /// To be called before a checkpoint, so that the log of a killed run has every step that its checkpoint has.
  void flush();

 private:
  void check() const;

  std::string path_;
  std::ofstream file_;
};

}  // namespace chronotope
