#pragma once
// Check-ins as actions, and the windows of them that a model trains and is asked on.

#include <span>

#include "chronotope/components/tokenizer.hpp"
#include "chronotope/data/checkins.hpp"

namespace chronotope {

/// The vocabulary of a file: the places of its training rows in the order of CheckinTable::places, with the category and
/// position of their first training row. Throws DataError when there is no training row.
PlaceTokenizer make_tokenizer(const CheckinTable& table, GeoCells cells, std::int32_t geo_table_rows);

/// Every user's rows as actions, in the order of the table.
struct Histories {
  std::vector<Action> actions;
  std::vector<Split> split;
  std::vector<std::uint8_t> target;  ///< the row is a sample of its split
  std::vector<std::size_t> begin;    ///< [users + 1]

  Histories(const CheckinTable& table, const PlaceTokenizer& tokenizer);
  std::size_t users() const { return begin.size() - 1; }
};

/// A past action of a user, by the ids of the outside world. A place or category that the model does not know is allowed.
struct Visit {
  std::string place, category;
  double latitude = 0, longitude = 0;  ///< degrees
  std::int64_t utc = 0, local = 0;     ///< seconds
};

/// A row of a table by its ids.
Visit make_visit(const Checkin& row, const CheckinTable& table);

/// A visit as the model sees it. Throws DataError for a position or time out of range.
Action make_action(const Visit& visit, const PlaceTokenizer& tokenizer);

/// Actions begin … end - 1 of one user; those from first_target on are asked for, the ones before are context.
struct Window {
  std::size_t begin = 0, end = 0, first_target = 0;
};

/// Cuts every user's training rows into windows of at most `length` actions so that each row but a user's first is asked
/// for exactly once: windows after the first start half a window back. Where the first cut falls is drawn for each user
/// and epoch, so that epochs see different contexts. Windows come shuffled, by (seed, epoch) alone. O(training rows).
std::vector<Window> training_windows(const Histories& histories, std::int64_t length, std::uint64_t seed, std::uint64_t epoch);

/// One window for each target of a split: the target last, up to length - 1 earlier actions of the user, of any split.
std::vector<Window> evaluation_windows(const Histories& histories, std::int64_t length, Split split);

/// Packs windows. Asked for are known places only. With `target_time` false every action's context is the time of the
/// action before it, so that nothing of a target's time reaches its prediction. Windows in which nothing is asked for are
/// left out; O(actions).
ActionBatch make_batch(const Histories& histories, std::span<const Window> windows, bool target_time);

/// One question: `history` (oldest first, may be empty), then an action of which only the context of `asked` is known. The
/// last length - 1 actions of the history are used. Without `target_time` the time of `asked` is hidden as in make_batch.
ActionBatch make_query(std::span<const Action> history, const Action& asked, std::int64_t length, bool target_time);

}  // namespace chronotope
