#include "chronotope/train/action_ranking.hpp"

#include "chronotope/core/shuffle.hpp"

namespace chronotope {

std::vector<ActionWindow> some_windows(std::vector<ActionWindow> windows, std::int64_t most, std::uint64_t seed) {
  if (most <= 0 || windows.size() <= static_cast<std::size_t>(most)) return windows;
  shuffle(windows, seed, 0);
  windows.resize(static_cast<std::size_t>(most));
  std::sort(windows.begin(), windows.end(), [](const ActionWindow& a, const ActionWindow& b) { return a.end < b.end; });
  return windows;
}

}  // namespace chronotope
