#pragma once
// What a training shows while it runs: a line that renews itself on a terminal, a line an epoch elsewhere.

#include <functional>
#include <string>

#include "chronotope/train/run.hpp"

namespace chronotope::cli {

/// What differs between the systems that are trained.
struct ProgressTexts {
  std::string inputs;                                               ///< what StepReport::inputs counts: "actions"
  std::function<std::string(const Config&)> model;                  ///< one line about the model
  std::function<double(const Config&, const StepReport&)> flops;    ///< of a step's matrix products; empty: no share of the peak is shown
};

class Progress {
 public:
  /// `gemm_peak` measures FLOP/s; the best of one measurement an epoch counts.
  Progress(ProgressTexts texts, std::function<double()> gemm_peak, std::string device);

  RunObserver observer();

 private:
  void start(std::int64_t parameters, std::int64_t total_steps);
  void step(const StepReport& report);
  void epoch(const EpochReport& report);
  void show(const StepReport& report);
  std::string eta(const StepReport& report) const;
  std::string speed(double inputs, double flops, double seconds) const;

  ProgressTexts texts_;
  Config config_;
  std::function<double()> measure_peak_;
  double peak_;
  std::string device_;
  bool terminal_;
  std::int64_t total_steps_ = 0, first_step_ = -1;
  double recent_seconds_ = 0, recent_flops_ = 0, recent_inputs_ = 0, loss_ = 0;
  double all_flops_ = 0, all_seconds_ = 0, all_inputs_ = 0;
  Stopwatch began_, shown_;
};

/// The same for one of many trainings: on a terminal a line that renews itself, and a line of what came out.
class RunMeter {
 public:
  explicit RunMeter(std::string name);
  ~RunMeter();
  RunMeter(const RunMeter&) = delete;

  RunObserver observer();
  double seconds() const { return began_.seconds(); }
  /// "rank: 2 min 10 s, loss 0.4012, validation AUC 0.7121" and `more`
  void finish(const std::string& more);

 private:
  std::string name_, outcome_;
  std::int64_t total_steps_ = 0, first_step_ = -1;
  bool terminal_;
  Stopwatch began_, shown_;
};

/// For Spacetime-GR over `places` places.
ProgressTexts place_progress(std::int64_t places);

/// For Spacetime-GR on an action log.
ProgressTexts action_progress();

/// For a click model. Its products are too small for a share of their peak to say much: none is shown.
ProgressTexts click_progress();

/// "1 h 02 min", "3 min 20 s" or "12 s".
std::string duration_text(double seconds);

}  // namespace chronotope::cli
