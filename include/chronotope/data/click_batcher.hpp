#pragma once
// From a click log to batches: behaviours are searched and gathered in one pass, so nothing of size m is ever made.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "chronotope/data/behaviour_search.hpp"
#include "chronotope/data/click_batch.hpp"
#include "chronotope/data/clicks.hpp"
#include "chronotope/data/groups.hpp"
#include "chronotope/data/holidays.hpp"

namespace chronotope {

enum class Search : std::uint8_t { recent, hard, soft };

/// How batches are made.
struct BatchRules {
  std::int64_t kept = 50;        ///< k, 1 to 100,000
  Search search = Search::hard;  ///< see data/behaviour_search.hpp
  std::string soft_column = "item";  ///< the column whose embeddings a soft search compares
  EmbeddingRows soft_rows{};         ///< these embeddings, for every row of the column's table. A view: values may change between
                                     ///< calls (training), but must stay where they are
  GroupTable groups{};
  HolidayCalendar holidays{};
};

/// Makes batches of the samples of a log, the columns in the order of a schema. Also for serving: a log whose samples are the
/// candidates of one request, all with the same `first` and `last`; its behaviours are searched once for each distinct
/// category (hard) or id (soft) among the candidates, as long as these are at most 64 (65,536 / k where that is less). Safe to be
/// shared by threads.
class ClickBatcher {
 public:
  /// The log must have passed check_click_log; what it points at must live as long as the batcher. Throws DataError as
  /// check_schema, or when the log lacks the soft column; ConfigError for `kept`, or for embeddings of no width; ShapeError for
  /// embeddings that are not one row for every id.
  ClickBatcher(ClickLog log, const ClickSchema& schema, BatchRules rules = {});

  /// A batch of these samples, in this order. Threads share them out; the result does not depend on how many there are.
  /// Throws DataError naming the first number that is no sample of the log, ConfigError for threads below 1 or above 1,024.
  ClickBatch make(std::span<const std::uint64_t> samples, int threads = 1) const;
  /// The same into a batch whose memory is used again.
  void make(std::span<const std::uint64_t> samples, ClickBatch& batch, int threads = 1) const;

  const ClickLog& log() const { return log_; }
  const BatchRules& rules() const { return rules_; }

 private:
  class Worker;
  void resize(ClickBatch& batch, std::size_t samples) const;

  ClickLog log_;
  BatchRules rules_;
  std::vector<IdColumn> ids_, behaviour_ids_;  // of the schema, in its order
  std::vector<NumberColumn> numbers_, behaviour_numbers_;
  bool conversion_;
  IdColumn sample_key_, behaviour_key_;  // what the search compares; empty for the newest
};

/// The numbers of all samples of a split, rising. O(samples).
std::vector<std::uint64_t> samples_of(const ClickLog& log, Split split);

}  // namespace chronotope
