#pragma once
// Where the time of timed steps went, as bench-step and the benchmarks print it.

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "chronotope/backend/timed.hpp"

namespace chronotope::cli {

/// What the operations of `steps` steps took, the longest first; the rest of the wall time is the program around them.
inline void print_breakdown(const Timings& timings, std::size_t steps, double seconds) {
  std::vector<std::pair<std::string_view, Timing>> rows(timings.begin(), timings.end());
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  const auto n = static_cast<double>(steps);
  double all = 0;
  for (const auto& [name, timing] : rows) {
    all += timing.seconds;
    if (timing.seconds < 0.002 * seconds) continue;
    std::printf("  %-30s %6.0f calls %8.2f ms %5.1f%%\n", std::string(name).c_str(), static_cast<double>(timing.calls) / n, 1e3 * timing.seconds / n,
                100 * timing.seconds / seconds);
  }
  std::printf("  %-30s              %8.2f ms %5.1f%%\n", "batches, graph, loop", 1e3 * (seconds - all) / n, 100 * (1 - all / seconds));
}

}  // namespace chronotope::cli
