#pragma once
// Generated click logs with a planted truth: the probability of every click is known, and with it the best possible
// AUC.

#include <cstdint>
#include <string>
#include <vector>

#include "chronotope/data/clicks.hpp"

namespace chronotope {

/// What the age of a behaviour is counted in.
enum class Age : std::uint8_t {
  position,  ///< behaviours after it in the list the sample sees: 0 for the newest
  days,      ///< days from it to the request, with fractions
};

/// The truth: a sample is clicked with probability p,
///
///   logit p = bias + quality x q(item) + hour x E_hour + week x E_week + place x E_place
///   E_g     = log(1 + sum of exp(-age_j / memory) over the behaviours j that the sample sees whose category is the
///             candidate's and whose group g is the request's)
///
/// with the groups below and q(item) from the standard normal distribution (item_quality). All of it but q can be seen
/// in the sample, and q is a function of the item's id.
struct GeneratedClickOptions {
  int users = 400;        ///< 1 to 1,000,000
  int requests = 40;      ///< samples a user, 1 to 10,000
  int behaviours = 50;    ///< longest list, 1 to 20,000; users who are not cold have between half of it and all
  double cold = 0.1;      ///< share of users with at most 9 behaviours, 0 to 1
  int categories = 8;     ///< 1 to 1,000
  int items = 240;        ///< 3 x categories to 1,000,000
  double contrast = 1.5;  ///< how far tastes differ between groups, 0 (not at all) to 10
  double hour = 1.2;      ///< strength of the hour's group, -10 to 10; 0: absent
  double week = 1.2;      ///< of weekday or weekend
  double place = 1.2;     ///< of the place's group
  double quality = 0.5;   ///< of the item's own quality
  double bias = -3;       ///< logit of a sample without any of these, -10 to 10
  double memory = 10;     ///< age at which a behaviour counts 1/e, above 0 to 1e6
  Age age = Age::position;
  std::uint64_t seed = 1;
};

struct GeneratedClicks {
  ClickLog log;
  std::vector<double> truth;         ///< p of every sample: its AUC is the best possible one
  std::vector<double> item_quality;  ///< q by item id; [0] is not used
};

/// Generates a log of eight weeks from Monday 2022-03-07. Every user has tastes: a weight for each category in each
/// group of hours, of weekdays and of places (logits: contrast x a standard normal each, added up), by which behaviours
/// were chosen; so earlier behaviours of the request's groups say what is liked now. Requests are made in the last four
/// weeks (two of them train, one validation, one test) and show a random item of the place's group; a sample sees the
/// user's newest behaviours before it. Clicks are drawn by p; behaviours do not depend on them.
///
/// ids "user", "item", "category", "shop", "geohash" (of the item) and "request_geohash"; number "price", which says
/// nothing. Behaviours: "item", "category", "shop", "geohash", "price". Lists of one user share memory. The same
/// options give the same log on one platform (the C library's exp and log take part). O(users x behaviours x categories
/// + samples x behaviours). Throws ConfigError for an option out of range.
GeneratedClicks generate_clicks(const GeneratedClickOptions& options = {});

/// The planted groups: hours 3 to 10 (0), 11 to 16 (1), 17 to 2 (2); Monday to Friday (0), Saturday and Sunday (1);
/// geohashes that do not begin with w (0), begin with w and a digit or letter up to j (1), or with w and a letter from
/// k on (2).
int hour_group(int hour);
int week_group(int weekday);
int geohash_group(std::uint32_t packed);

/// p of one sample of a log by the formula above. O(behaviours of the sample).
double planted_truth(const ClickLog& log, std::size_t sample, const GeneratedClickOptions& options,
                     const std::vector<double>& item_quality);

}  // namespace chronotope
