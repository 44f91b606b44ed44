#include "geo_index_plan.hpp"

#include <algorithm>
#include <numeric>

namespace chronotope::geo {
namespace {

struct Entry {
  std::uint64_t position;
  std::uint32_t place;  // of the list
};

/// Entries of one block. They lie together, as a block is a range of positions.
struct Group {
  std::uint64_t key;
  std::size_t begin, end;
  double popularity;
};

class Planner {
 public:
  Planner(const View* old, const GeoGrid& grid, const PlaceList& places, std::uint32_t most_inner)
      : old_(old),
        places_(places),
        most_inner_(most_inner),
        old_blocks_(old ? old->head().blocks : 0),
        extra_(old_blocks_) {
    entries_.reserve(places.size());
    for (std::uint32_t i = 0; i < places.size(); ++i)
      entries_.push_back({grid.position(places[i].latitude, places[i].longitude), i});
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.position < b.position; });
  }

  Plan plan() {
    for (std::size_t at = 0; at < entries_.size();) at = take(at);
    // Sums of popularity may be equal, and counts; keys never are.
    std::sort(fresh_.begin(), fresh_.end(), [](const Group& a, const Group& b) {
      if (a.popularity != b.popularity) return a.popularity > b.popularity;
      if (a.end - a.begin != b.end - b.begin) return a.end - a.begin > b.end - b.begin;
      return a.key < b.key;
    });
    Plan plan;
    plan.new_blocks = static_cast<std::uint32_t>(fresh_.size());
    plan.source.reserve(old_rows() + entries_.size());
    for (std::uint32_t block = 0; block < old_blocks_; ++block) keep(plan, block);
    for (const Group& group : fresh_) {
      plan.keys.push_back(group.key);
      plan.first.push_back(static_cast<std::uint32_t>(plan.source.size()));
      add(plan, group);
    }
    plan.first.push_back(static_cast<std::uint32_t>(plan.source.size()));
    return plan;
  }

 private:
  std::uint64_t old_rows() const { return old_ ? old_->head().rows : 0; }

  /// The first entry from `begin` on that does not lie in the quarter around the position.
  std::size_t end_of(std::size_t begin, std::size_t most, int level) const {
    const int bits = bits_below(level);
    const std::uint64_t quarter = entries_[begin].position >> bits;
    const auto last = std::partition_point(entries_.begin() + static_cast<std::ptrdiff_t>(begin),
                                           entries_.begin() + static_cast<std::ptrdiff_t>(most),
                                           [&](const Entry& e) { return e.position >> bits == quarter; });
    return static_cast<std::size_t>(last - entries_.begin());
  }

  /// Finds a block for the entry and those beside it; returns where they end.
  std::size_t take(std::size_t begin) {
    const std::uint64_t position = entries_[begin].position;
    const std::uint32_t block = old_ ? old_->block_of(position) : 0;
    const int level = block ? level_of(old_->key(block - 1)) : free_level(position);
    const std::size_t end = end_of(begin, entries_.size(), level);
    if (block) extra_[block - 1] = ranked({old_->key(block - 1), begin, end, 0});
    else split(begin, end, level);
    return end;
  }

  /// The largest quarter around a position without a block of the former version.
  int free_level(std::uint64_t position) const {
    if (!old_) return 0;
    const std::uint32_t next = old_->after(position);
    int level = 0;
    const auto holds = [&](std::uint32_t i) {
      return corner_of(old_->key(old_->ordered(i))) >> bits_below(level) == position >> bits_below(level);
    };
    while (level < GeoGrid::most_level && ((next > 0 && holds(next - 1)) || (next < old_blocks_ && holds(next))))
      ++level;
    return level;
  }

  void split(std::size_t begin, std::size_t end, int level) {
    if (most_inner_ == 0 || end - begin <= most_inner_ || level == GeoGrid::most_level) {
      const std::uint64_t corner = entries_[begin].position >> bits_below(level) << bits_below(level);
      fresh_.push_back(ranked({block_key(corner, level), begin, end, 0}));
      return;
    }
    for (std::size_t at = begin; at < end;) {
      const std::size_t stop = end_of(at, end, level + 1);
      split(at, stop, level + 1);
      at = stop;
    }
  }

  /// Orders the entries of a group by falling popularity, then id, and adds up their popularity.
  Group ranked(Group group) {
    struct Ranked {
      IndexedPlace place;
      Entry entry;
    };
    std::vector<Ranked> members;
    for (std::size_t i = group.begin; i < group.end; ++i) members.push_back({places_[entries_[i].place], entries_[i]});
    std::sort(members.begin(), members.end(), [](const Ranked& a, const Ranked& b) {
      return a.place.popularity != b.place.popularity ? a.place.popularity > b.place.popularity
                                                      : a.place.id < b.place.id;
    });
    for (std::size_t i = 0; i < members.size(); ++i) {
      entries_[group.begin + i] = members[i].entry;
      group.popularity += members[i].place.popularity;
    }
    return group;
  }

  void add(Plan& plan, const Group& group) const {
    for (std::size_t i = group.begin; i < group.end; ++i)
      plan.source.push_back(static_cast<std::uint32_t>(old_rows() + entries_[i].place));
  }

  void keep(Plan& plan, std::uint32_t block) const {
    plan.keys.push_back(old_->key(block));
    plan.first.push_back(static_cast<std::uint32_t>(plan.source.size()));
    const View::Rows rows = old_->rows(block);
    for (std::uint32_t row = rows.begin; row < rows.end; ++row) plan.source.push_back(row);
    add(plan, extra_[block]);
  }

  const View* old_;
  const PlaceList& places_;
  std::uint32_t most_inner_, old_blocks_;
  std::vector<Entry> entries_;
  std::vector<Group> extra_;  // [blocks of the former version] what is added to each
  std::vector<Group> fresh_;
};

}  // namespace

Plan plan_index(const View* old, const GeoGrid& grid, const PlaceList& places, std::uint32_t most_inner) {
  return Planner(old, grid, places, most_inner).plan();
}

}  // namespace chronotope::geo
