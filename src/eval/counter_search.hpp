#pragma once
// Private to the counters: weights of the mixtures.

#include <cstdint>
#include <span>

#include "counter_query.hpp"

namespace chronotope::counting {

struct Case {
  CounterQuery query;
  std::int32_t own = 0;  ///< the candidate that is the truth
};

/// Every how many cases one is searched on, so that they stay within memory (400 MB) and the search within minutes.
/// `floats` is what all cases would hold. At least 64 cases are kept where there are as many.
std::size_t search_stride(std::size_t cases, std::size_t floats);

/// Weights of the mixture with or without the parts that see the target's time; the default ones without cases.
CounterWeights mixture_weights(const CounterTables& tables, std::span<const Case> cases, bool with_time);

}  // namespace chronotope::counting
