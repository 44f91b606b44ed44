#include "cli/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/evaluation.hpp"

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

ProgressTexts place_progress(std::int64_t places) {
  const auto describe = [](const Config& config) {
    const ModelConfig& m = config.model;
    return m.decoder + " decoder, " + std::to_string(m.layers) + " layers of width " + std::to_string(m.width) + ", head " + m.head;
  };
  const auto flops = [places](const Config& config, const StepReport& r) { return step_flops(config.model, places, r.inputs, r.targets); };
  return {"actions", describe, flops};
}

ProgressTexts action_progress() {
  const auto describe = [](const Config& config) {
    const ModelConfig& m = config.model;
    return action_model_name(config) + ", " + m.decoder + " decoder, " + std::to_string(m.layers) + " layers of width " + std::to_string(m.width) + ", " + config.actions.codes + " codes of places, " + config.actions.head + " head";
  };
  return {"actions", describe, {}};
}

ProgressTexts click_progress() {
  const auto describe = [](const Config& config) {
    const ClickModelConfig& m = config.click_model;
    return "clicks, behaviours read by " + m.behaviour + ", " + std::to_string(config.clicks.kept) + " kept, embeddings of width " +
           std::to_string(m.embedding) + ", head " + m.head;
  };
  return {"samples", describe, {}};
}

Progress::Progress(ProgressTexts texts, std::function<double()> gemm_peak, std::string device)
    : texts_(std::move(texts)), measure_peak_(std::move(gemm_peak)), peak_(measure_peak_()), device_(std::move(device)), terminal_(isatty(STDERR_FILENO)) {}

RunObserver Progress::observer() {
  return {[this](const Config& config, std::int64_t parameters, std::int64_t steps) {
            config_ = config;
            start(parameters, steps);
          },
          [this](const StepReport& r) { step(r); }, [this](const EpochReport& r) { epoch(r); }};
}

void Progress::start(std::int64_t parameters, std::int64_t total_steps) {
  total_steps_ = total_steps;
  std::fprintf(stderr, "model: %s, %.1f million parameters\n", texts_.model(config_).c_str(), static_cast<double>(parameters) * 1e-6);
  std::fprintf(stderr, "training: %lld epochs, about %lld steps, on %s; matrix products reach %.0f GFLOP/s here\n",
               static_cast<long long>(config_.training.epochs), static_cast<long long>(total_steps), device_.c_str(), peak_ * 1e-9);
}

void Progress::step(const StepReport& r) {
  if (first_step_ < 0) first_step_ = r.steps - 1;
  const double flops = texts_.flops ? texts_.flops(config_, r) : 0;
  mix(recent_seconds_, r.seconds), mix(recent_flops_, flops), mix(recent_inputs_, static_cast<double>(r.inputs)), mix(loss_, r.loss);
  all_flops_ += flops, all_seconds_ += r.seconds, all_inputs_ += static_cast<double>(r.inputs);
  if (terminal_ && shown_.seconds() > 0.2) {
    show(r);
    shown_ = Stopwatch();
  }
}

std::string Progress::eta(const StepReport& r) const {
  const double done = static_cast<double>(r.steps - first_step_);
  return duration_text(began_.seconds() / done * static_cast<double>(total_steps_ - r.steps));
}

std::string Progress::speed(double inputs, double flops, double seconds) const {
  char text[96];
  int at = std::snprintf(text, sizeof text, "%.0f %s/s", inputs / seconds, texts_.inputs.c_str());
  if (texts_.flops) std::snprintf(text + at, sizeof text - static_cast<std::size_t>(at), "  %.0f%% of GEMM peak", 100 * flops / seconds / peak_);
  return text;
}

void Progress::show(const StepReport& r) {
  std::fprintf(stderr, "\r\033[Kepoch %lld/%lld  step %lld/%lld  loss %.4f  %s  ETA %s",
               static_cast<long long>(r.epoch + 1), static_cast<long long>(config_.training.epochs), static_cast<long long>(r.step),
               static_cast<long long>(r.steps_in_epoch), loss_, speed(recent_inputs_, recent_flops_, recent_seconds_).c_str(), eta(r).c_str());
  std::fflush(stderr);
}

void Progress::epoch(const EpochReport& r) {
  if (terminal_) std::fprintf(stderr, "\r\033[K");
  std::fprintf(stderr, "epoch %2lld/%lld  loss %.4f", static_cast<long long>(r.epoch + 1), static_cast<long long>(config_.training.epochs), r.loss);
  if (r.validation) std::fprintf(stderr, "  validation");
  if (r.validation)
    for (const auto& [name, value] : r.validation->measures) std::fprintf(stderr, " %s %.4f ", name.c_str(), value);
  peak_ = std::max(peak_, measure_peak_());
  if (all_seconds_ > 0) std::fprintf(stderr, "  %s", speed(all_inputs_, all_flops_, all_seconds_).c_str());
  std::fprintf(stderr, "  %s%s\n", duration_text(began_.seconds()).c_str(), r.best ? "  best" : "");
  if (r.stop) std::fprintf(stderr, "stopped: no better epoch for %lld epochs\n", static_cast<long long>(config_.training.patience));
  all_flops_ = all_seconds_ = all_inputs_ = 0;
}

RunMeter::RunMeter(std::string name) : name_(std::move(name)), terminal_(isatty(STDERR_FILENO)) {}

RunMeter::~RunMeter() {
  if (terminal_) std::fprintf(stderr, "\r\033[K");
}

RunObserver RunMeter::observer() {
  const auto start = [this](const Config&, std::int64_t, std::int64_t steps) { total_steps_ = steps; };
  const auto step = [this](const StepReport& r) {
    if (first_step_ < 0) first_step_ = r.steps - 1;
    if (!terminal_ || shown_.seconds() < 0.2) return;
    shown_ = Stopwatch();
    const double left = began_.seconds() / static_cast<double>(r.steps - first_step_) * static_cast<double>(total_steps_ - r.steps);
    std::fprintf(stderr, "\r\033[K%s: step %lld/%lld  loss %.4f  ETA %s", name_.c_str(), static_cast<long long>(r.steps), static_cast<long long>(total_steps_), r.loss, duration_text(left).c_str());
  };
  const auto epoch = [this](const EpochReport& r) {
    char text[96];
    std::snprintf(text, sizeof text, "loss %.4f", r.loss);
    outcome_ = text;
    if (!r.validation || r.validation->measures.empty()) return;
    std::snprintf(text, sizeof text, ", validation %s %.4f", r.validation->measures[0].first.c_str(), r.validation->measures[0].second);
    outcome_ += text;
  };
  return {start, step, epoch};
}

void RunMeter::finish(const std::string& more) {
  std::fprintf(stderr, "%s%s: %s%s%s\n", terminal_ ? "\r\033[K" : "", name_.c_str(), duration_text(seconds()).c_str(), (outcome_.empty() ? "" : ", " + outcome_).c_str(), more.c_str());
}

}  // namespace chronotope::cli
