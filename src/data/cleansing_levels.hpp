#pragma once
// The two levels of cleansing, each counted first and asked afterwards. Private.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "chronotope/core/error.hpp"
#include "chronotope/data/cleansing.hpp"

namespace chronotope {

/// What was counted of texts, numbered in the order of their first appearance.
template <class Count> class Tally {
 public:
  struct Entry {
    std::uint32_t number = 0;
    Count count;
  };

  /// Makes the entry if there is none.
  Entry& entry(const std::string& text) {
    const auto [at, made] = entries_.try_emplace(text);
    if (!made) return at->second;
    if (entries_.size() > std::numeric_limits<std::uint32_t>::max())
      throw DataError("more than 4,294,967,295 different users or places; split the log by user");
    at->second.number = static_cast<std::uint32_t>(entries_.size() - 1);
    return at->second;
  }

  /// What an earlier pass made. Throws DataError if there is none.
  const Entry& known(const std::string& text) const {
    const auto at = entries_.find(text);
    if (at == entries_.end()) throw DataError("the log changed while it was read; cleanse it again, from a copy");
    return at->second;
  }

  std::size_t size() const { return entries_.size(); }
  const std::unordered_map<std::string, Entry>& entries() const { return entries_; }

 private:
  std::unordered_map<std::string, Entry> entries_;
};

/// Action level: which places are functional.
class PlaceIntents {
 public:
  struct Verdict {
    std::uint32_t place = 0;  ///< a number of its own
    bool functional = false;
  };

  /// Keeps a reference to the rules.
  explicit PlaceIntents(const CleansingRules& rules);

  void count(const LoggedAction& action);
  Verdict of(const std::string& place) const;
  /// Fills in what it knows of places and categories.
  void report(CleansingReport& to) const;

 private:
  struct Count {
    std::uint64_t searches = 0, clicks = 0;
    bool by_category = false;
  };
  bool by_ratio(const Count& place) const;

  const CleansingRules& rules_;
  std::unordered_set<std::string> categories_, seen_;
  Tally<Count> places_;
};

/// Sequence level: which users stay.
class UserRichness {
 public:
  explicit UserRichness(double least) : least_(least) {}

  void count(const LoggedAction& action, PlaceIntents::Verdict place);
  bool stays(const std::string& user) const { return is_rich(users_.known(user).count); }
  /// Fills in the three steps.
  void report(CleansingReport& to) const;

 private:
  struct Count {
    std::uint64_t actions = 0, interest = 0, places = 0;  // interest-based ones, and at how many places
  };
  bool is_rich(const Count& user) const;

  double least_;
  Tally<Count> users_;
  std::unordered_set<std::uint64_t> pairs_;  // of user and place
};

}  // namespace chronotope
