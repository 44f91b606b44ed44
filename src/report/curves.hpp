#pragma once
// What happens to measured values before they are drawn.

#include <cstddef>
#include <vector>

namespace chronotope::report {

struct Sample {
  double x = 0, y = 0;
};
using Series = std::vector<Sample>;

/// Only finite samples, both numbers inside ±1e15, in the order of x.
Series drawable(Series series);

/// Whether there are enough samples for smoothed() to do anything.
inline bool is_smoothed(const Series& series) { return series.size() >= 20; }

/// Centred mean over about 1/25 of the samples. The window shrinks towards both ends, so that it never leans.
Series smoothed(const Series& series);

/// At most about 2 x `buckets` samples: the lowest and the highest of each bucket, in their order.
Series thinned(const Series& series, std::size_t buckets);

}  // namespace chronotope::report
