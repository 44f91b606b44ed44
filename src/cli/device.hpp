#pragma once
// Which backend computes, and with how many threads.

#include <optional>
#include <string>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/backend/timed.hpp"

namespace CLI {
class App;
}

namespace chronotope::cli {

struct Device {
  std::string backend;
  int threads = 0;
  int gpu = 0;
  std::optional<MathMode> math;  ///< none: IEEE

  /// Adds --backend and --threads, and --gpu and --math where there is the CUDA module.
  void add_to(CLI::App& command);
  /// With `timings` every operation is timed into it. Throws ConfigError for --math without --backend cuda.
  any_backend::stream stream(const std::shared_ptr<Timings>& timings = nullptr) const;
  /// --threads, or how many there are.
  int usable_threads() const;
  /// "onednn, 2 threads"
  std::string describe() const;
};

}  // namespace chronotope::cli
