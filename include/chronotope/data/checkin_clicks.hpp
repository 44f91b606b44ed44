#pragma once
// Check-ins as clicks: a semi-synthetic click log from any check-in file. The visits are real, what was shown is
// invented.

#include <cstdint>

#include "chronotope/data/checkins.hpp"
#include "chronotope/data/clicks.hpp"

namespace chronotope {

struct CheckinClicksOptions {
  int negatives = 4;       ///< places shown and not clicked, a click; 0 to 59
  int nearby = 60;         ///< how many places they are drawn from, `negatives` + 1 to 1,000
  double decay_km = 2;     ///< places count by popularity x exp(-km / decay_km); above 0
  std::uint64_t seed = 1;  ///< of the draw; nothing else is random
};

/// Every check-in at a place known from training, from the user's fourth row on, becomes a clicked sample, followed by
/// up to `negatives` different places that were not clicked: drawn without replacement, with weights popularity x
/// exp(-km / decay_km), from the `nearby` places of the highest weight around the position of the user's row before.
/// That row's place may be among them, as it may be the click. Samples stand in the order of the table: by user, then
/// by time.
///
/// Behaviours are the user's earlier rows, one each, shared by all samples. Columns: ids "user", "item", "category",
/// "geohash" (of the place) and "request_geohash" (context, table "geohash"); behaviours "item", "category", "geohash";
/// numbers "distance", log1p(km from the position of the row before to the place), and "popularity", log1p(training
/// rows) / 5. Places have the position and category of their first training row in the table. The request stands at the
/// position of the row before and at the wall clock of its own row; the row's own position is seen nowhere.
///
/// Users, places, categories and geohashes have ids from 1 in ascending order of their text (geohashes: of their bits),
/// from training rows only; the rest is 0. Where a user's wall clock goes back (another time zone), `time` stays at the
/// latest value so far; hour and weekday are those of the clock.
///
/// O(rows x negatives + places log places), and one search for every different position: nearby places
/// are found in a k-d tree that knows the highest popularity below each node, typically O(log places + nearby log nearby)
/// each. Memory O(rows x (negatives + 1) + different positions x nearby).
/// Throws ConfigError for options out of range and DataError when no sample comes out.
ClickLog checkins_as_clicks(const CheckinTable& table, const CheckinClicksOptions& options = {});

}  // namespace chronotope
