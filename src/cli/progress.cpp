#include "cli/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace chronotope::cli {
namespace {

constexpr double smoothing = 0.05;  // share of a new step in the shown averages

void mix(double& average, double value) { average = average == 0 ? value : average + smoothing * (value - average); }

}  // namespace

std::string duration_text(double seconds) {
  const auto s = static_cast<long>(std::llround(std::max(0.0, seconds)));
  char text[64];
  if (s >= 3600) std::snprintf(text, sizeof text, "%ld h %02ld min", s / 3600, s / 60 % 60);
  else if (s >= 60) std::snprintf(text, sizeof text, "%ld min %02ld s", s / 60, s % 60);
  else std::snprintf(text, sizeof text, "%ld s", s);
  return text;
}

Progress::Progress(const Config& config, std::int64_t places, std::function<double()> gemm_peak, std::string device)
    : config_(config), places_(places), measure_peak_(std::move(gemm_peak)), peak_(measure_peak_()), device_(std::move(device)), terminal_(isatty(STDERR_FILENO)) {}

RunObserver Progress::observer() {
  return {[this](const Config& config, std::int64_t parameters, std::int64_t steps) {
            config_ = config;
            start(parameters, steps);
          },
          [this](const StepReport& r) { step(r); },
          [this](const EpochReport& r, const EvaluationResult* v) { epoch(r, v); }};
}

void Progress::start(std::int64_t parameters, std::int64_t total_steps) {
  total_steps_ = total_steps;
  const ModelConfig& m = config_.model;
  std::fprintf(stderr, "model: %s decoder, %lld layers of width %lld, head %s, %.1f million parameters\n", m.decoder.c_str(),
               static_cast<long long>(m.layers), static_cast<long long>(m.width), m.head.c_str(), static_cast<double>(parameters) * 1e-6);
  std::fprintf(stderr, "training: %lld epochs, about %lld steps, on %s; matrix products reach %.0f GFLOP/s here\n",
               static_cast<long long>(config_.training.epochs), static_cast<long long>(total_steps), device_.c_str(), peak_ * 1e-9);
}

void Progress::step(const StepReport& r) {
  if (first_step_ < 0) first_step_ = r.steps - 1;
  const double flops = step_flops(config_.model, places_, r.actions, r.targets);
  mix(recent_seconds_, r.seconds), mix(recent_flops_, flops), mix(recent_actions_, static_cast<double>(r.actions)), mix(loss_, r.loss);
  all_flops_ += flops, all_seconds_ += r.seconds, all_actions_ += static_cast<double>(r.actions);
  if (terminal_ && shown_.seconds() > 0.2) {
    show(r);
    shown_ = Stopwatch();
  }
}

std::string Progress::eta(const StepReport& r) const {
  const double done = static_cast<double>(r.steps - first_step_);
  return duration_text(began_.seconds() / done * static_cast<double>(total_steps_ - r.steps));
}

void Progress::show(const StepReport& r) {
  std::fprintf(stderr, "\r\033[Kepoch %lld/%lld  step %lld/%lld  loss %.4f  %.0f actions/s  %.0f%% of GEMM peak  ETA %s",
               static_cast<long long>(r.epoch + 1), static_cast<long long>(config_.training.epochs), static_cast<long long>(r.step),
               static_cast<long long>(r.steps_in_epoch), loss_, recent_actions_ / recent_seconds_,
               100 * recent_flops_ / recent_seconds_ / peak_, eta(r).c_str());
  std::fflush(stderr);
}

void Progress::epoch(const EpochReport& r, const EvaluationResult* v) {
  if (terminal_) std::fprintf(stderr, "\r\033[K");
  std::fprintf(stderr, "epoch %2lld/%lld  loss %.4f", static_cast<long long>(r.epoch + 1), static_cast<long long>(config_.training.epochs), r.loss);
  if (v) std::fprintf(stderr, "  validation acc@1 %.4f  acc@10 %.4f  MRR %.4f", v->all.accuracy[0].mean, v->all.accuracy[2].mean, v->all.mrr.mean);
  peak_ = std::max(peak_, measure_peak_());
  if (all_seconds_ > 0)
    std::fprintf(stderr, "  %.0f actions/s  %.0f%% of GEMM peak", all_actions_ / all_seconds_, 100 * all_flops_ / all_seconds_ / peak_);
  std::fprintf(stderr, "  %s%s\n", duration_text(began_.seconds()).c_str(), r.best ? "  best" : "");
  if (r.stop) std::fprintf(stderr, "stopped: no better epoch for %lld epochs\n", static_cast<long long>(config_.training.patience));
  all_flops_ = all_seconds_ = all_actions_ = 0;
}

}  // namespace chronotope::cli
