#pragma once
// Check-ins as requests: a semi-synthetic request log from any check-in file. The visits are real, what else was shown
// is invented.

#include <cstdint>
#include <functional>

#include "chronotope/data/checkins.hpp"
#include "chronotope/data/request_log.hpp"

namespace chronotope {

struct CheckinRequestOptions {
  int shown = 11;          ///< places in a request, the visited one with them; 2 to 60
  int nearby = 60;         ///< how many places the near ones are drawn from, `shown` to 1,000
  double decay_km = 2;     ///< near places count by popularity x exp(-km / decay_km); above 0
  std::uint64_t seed = 1;  ///< of the draw; nothing else is random
};

struct SemiSyntheticRequest {
  LoggedRequest request;
  Split split = Split::train;  ///< of the check-in
};

/// Every check-in at a place known from training, from the user's fourth row on, becomes a request at its time with one
/// click: the place visited. Of the others a third are places of the user's earlier rows, a third popular near the
/// position of the user's row before, the rest popular anywhere, each drawn without replacement; where there are too
/// few of one sort, the next makes up for them, and a request has fewer places only when the table has. The order shown
/// is drawn. The request stands at the position of the row before: the row's own would tell the place. There is no
/// profile. Hands them to `keep` by user, in time order.
///
/// Whoever reports a figure measured on such a log says that it is semi-synthetic. O(rows x (nearby + history of the
/// user)) time. Throws ConfigError for options out of range, DataError when nothing comes out, and what `keep` throws.
void semi_synthetic_requests(const CheckinTable& table, const CheckinRequestOptions& options,
                             const std::function<void(const SemiSyntheticRequest&)>& keep);

}  // namespace chronotope
