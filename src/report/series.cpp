#include <algorithm>
#include <cmath>
#include <utility>

#include "curves.hpp"

namespace chronotope::report {

Series drawable(Series series) {
  std::erase_if(series, [](const Sample& s) { return !std::isfinite(s.x) || !std::isfinite(s.y); });
  for (Sample& s : series) s = {std::clamp(s.x, -1e15, 1e15), std::clamp(s.y, -1e15, 1e15)};
  std::stable_sort(series.begin(), series.end(), [](const Sample& a, const Sample& b) { return a.x < b.x; });
  return series;
}

Series smoothed(const Series& series) {
  const std::size_t n = series.size(), half = !is_smoothed(series) ? 0 : std::max<std::size_t>(2, n / 50);
  std::vector<long double> sums{0};
  for (const Sample& s : series) sums.push_back(sums.back() + s.y);
  Series means = series;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t reach = std::min({half, i, n - 1 - i});
    const long double sum = sums[i + reach + 1] - sums[i - reach];
    if (reach > 0) means[i].y = static_cast<double>(sum / static_cast<long double>(2 * reach + 1));
  }
  return means;
}

Series thinned(const Series& series, std::size_t buckets) {
  if (series.size() <= 2 * buckets) return series;
  Series kept{series.front()};
  const auto lower = [](const Sample& a, const Sample& b) { return a.y < b.y; };
  for (std::size_t b = 0; b < buckets; ++b) {
    const auto begin = series.begin() + static_cast<std::ptrdiff_t>(b * series.size() / buckets);
    const auto end = series.begin() + static_cast<std::ptrdiff_t>((b + 1) * series.size() / buckets);
    auto [low, high] = std::minmax_element(begin, end, lower);
    if (high < low) std::swap(low, high);
    kept.push_back(*low);
    if (low != high) kept.push_back(*high);
  }
  kept.push_back(series.back());
  return kept;
}

}  // namespace chronotope::report
