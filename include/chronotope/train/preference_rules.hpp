#pragma once
// Spatiotemporal preference (Spacetime-GR, 3.2.3): at some hours places of some categories are wanted; the pairs that teach it.

#include <string>
#include <vector>

#include "chronotope/train/request_histories.hpp"

namespace chronotope {

/// At hours of the wall clock, categories that are preferred.
struct PreferenceRule {
  std::vector<std::uint8_t> hours;        ///< [24] 1 where the rule holds
  std::vector<std::string> categories;
};

/// Reads "11-13 17-20: Restaurant, Noodle bar; 7: Bakery": hours (both ends belong to a range, which may run over midnight), a colon,
/// categories parted by commas; rules parted by semicolons. Throws ConfigError that shows what cannot be read.
std::vector<PreferenceRule> parse_preference_rules(const std::string& text);

struct PreferencePairs {
  std::int64_t wanted = 2, others = 4;  ///< candidates a request, at most
  std::uint64_t seed = 1;
};

/// For each of the requests `from` at whose hour a rule holds, a made-up request of the same user, time and position is added: drawn places of the
/// user's block, those of the rule's categories as clicked and others as not. Returns the numbers of those that got both kinds; requests
/// without a position make none. Throws ConfigError for a category that the vocabulary does not have. O(requests x places of a block).
std::vector<std::uint32_t> add_preference_pairs(RequestHistories& requests, const ActionTokenizer& tokenizer, std::span<const PreferenceRule> rules,
                                                std::span<const std::uint32_t> from, const PreferencePairs& options);

}  // namespace chronotope
