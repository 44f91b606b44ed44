#pragma once
// A trained place model that answers: where will this user go next?

#include <memory>
#include <optional>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/train/checkpoint.hpp"
#include "chronotope/train/histories.hpp"

namespace chronotope {

/// One recommended place and what one can check about it.
struct Recommendation {
  std::string place, category;
  double latitude = 0, longitude = 0;     ///< degrees
  double probability = 0;                 ///< of being the next place
  std::optional<double> distance_km;      ///< from the user's last position; none without a history
  int visits = 0;                         ///< of the user there before
  std::optional<int> usual_hour;          ///< 0..23, the user's most frequent hour there; none for a new place
};

/// The visits of one user of a table, oldest first.
std::vector<Visit> visits_of(const CheckinTable& table, std::size_t user);

/// Loads a checkpoint folder and serves it. Users need not have been seen in training: a history is all there is. Not
/// thread-safe: one at a time.
class Recommender {
 public:
  /// Throws FileError, FormatError.
  Recommender(const std::string& checkpoint_folder, any_backend::stream stream);
  ~Recommender();
  Recommender(Recommender&&) noexcept;

  /// The `top` most probable places after `history` (oldest first) at wall clock `local` (seconds). A model trained without
  /// the target's time ignores it. O(history + places). Throws DataError for positions out of range.
  std::vector<Recommendation> recommend(const std::vector<Visit>& history, std::int64_t utc, std::int64_t local, int top) const;

  /// From here on the work of an answer reaches the device as one graph (backend/graphs.hpp); answers stay the same. Throws ConfigError where the
  /// backend has none.
  void use_graphs();

  const Config& config() const;
  const PlaceTokenizer& tokenizer() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace chronotope
