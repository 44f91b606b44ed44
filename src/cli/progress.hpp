#pragma once
// What a training shows while it runs: a line that renews itself on a terminal, a line an epoch elsewhere.

#include <functional>
#include <string>

#include "chronotope/train/run.hpp"

namespace chronotope::cli {

class Progress {
 public:
  /// `gemm_peak` measures FLOP/s; the best of one measurement an epoch counts. `places` is the vocabulary.
  Progress(const Config& config, std::int64_t places, std::function<double()> gemm_peak, std::string device);

  RunObserver observer();

 private:
  void start(std::int64_t parameters, std::int64_t total_steps);
  void step(const StepReport& report);
  void epoch(const EpochReport& report, const EvaluationResult* validation);
  void show(const StepReport& report);
  std::string eta(const StepReport& report) const;

  Config config_;
  std::int64_t places_;
  std::function<double()> measure_peak_;
  double peak_;
  std::string device_;
  bool terminal_;
  std::int64_t total_steps_ = 0, first_step_ = -1;
  double recent_seconds_ = 0, recent_flops_ = 0, recent_actions_ = 0, loss_ = 0;
  double all_flops_ = 0, all_seconds_ = 0, all_actions_ = 0;
  Stopwatch began_, shown_;
};

/// "1 h 02 min", "3 min 20 s" or "12 s".
std::string duration_text(double seconds);

}  // namespace chronotope::cli
