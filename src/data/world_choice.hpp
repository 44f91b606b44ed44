#pragma once
// A distribution over places that is put together of shares, and drawn from.

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "invented.hpp"

namespace chronotope::world {

class Choice {
 public:
  static constexpr std::int64_t whole = std::int64_t{1} << 30;  ///< probability 1

  struct Candidate {
    std::uint32_t place;
    std::int64_t mass;
  };

  void clear() { candidates_.clear(); }
  void add(std::uint32_t place, std::int64_t mass) {
    if (mass > 0) candidates_.push_back({place, mass});
  }

  /// Divides `mass` among numbers 0 to count - 1, as weight(i) says; add(i, part) takes the parts. What is lost in
  /// rounding goes to the heaviest. Weights are at least 0, not all 0, and below 2^33.
  template <class Weight, class Add> static void divide(int count, std::int64_t mass, Weight weight, Add add) {
    std::int64_t total = 0, most = -1;
    int heaviest = 0;
    for (int i = 0; i < count; ++i) {
      const std::int64_t w = weight(i);
      total += w;
      if (w > most) most = w, heaviest = i;
    }
    std::int64_t left = mass;
    for (int i = 0; i < count; ++i) {
      const std::int64_t part = mass * weight(i) / total;
      left -= part;
      add(i, part);
    }
    add(heaviest, left);
  }

  /// Makes one candidate a place, in ascending order: a place is drawn whatever way led to it.
  void settle() {
    std::sort(candidates_.begin(), candidates_.end(), [](auto& a, auto& b) { return a.place < b.place; });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (kept > 0 && candidates_[kept - 1].place == candidates_[i].place)
        candidates_[kept - 1].mass += candidates_[i].mass;
      else candidates_[kept++] = candidates_[i];
    }
    candidates_.resize(kept);
  }

  /// Of a settled choice, as all below. The masses must sum to `whole`.
  std::uint32_t draw(invented::Random& random) const {
    auto left = static_cast<std::int64_t>(random.next() >> 34);  // 30 bits
    std::size_t i = 0;
    while (left >= candidates_[i].mass) left -= candidates_[i++].mass;
    return candidates_[i].place;
  }

  std::int64_t mass(std::uint32_t place) const {
    const auto at = std::lower_bound(candidates_.begin(), candidates_.end(), place,
                                     [](const Candidate& c, std::uint32_t p) { return c.place < p; });
    return at != candidates_.end() && at->place == place ? at->mass : 0;
  }

  /// From 1; 0 for a place that is no candidate.
  std::uint32_t rank(std::uint32_t place) const {
    const std::int64_t own = mass(place);
    if (own == 0) return 0;
    std::uint32_t rank = 1;
    for (const Candidate& c : candidates_) rank += is_better(c, {place, own});
    return rank;
  }

  /// The `count` most probable, best first.
  std::vector<Candidate> best(std::size_t count) const {
    std::vector<Candidate> all(std::min(count, candidates_.size()));
    std::partial_sort_copy(candidates_.begin(), candidates_.end(), all.begin(), all.end(), is_better);
    return all;
  }

  const std::vector<Candidate>& candidates() const { return candidates_; }

 private:
  static bool is_better(const Candidate& a, const Candidate& b) {
    return a.mass > b.mass || (a.mass == b.mass && a.place < b.place);
  }

  std::vector<Candidate> candidates_;
};

}  // namespace chronotope::world
