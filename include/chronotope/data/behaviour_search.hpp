#pragma once
// Which k of a sample's m behaviours a model gets to see: the General Search Unit of SIM (Pi et al. 2020, "Search-based User
// Interest Modeling with Lifelong Sequential Behavior Data", section 3.1), which STIM takes over.
//
// A list of behaviours runs from the oldest to the newest. Each search writes the indices of the n = min(k, m) kept ones, rising,
// to the front of `kept` [k] and returns n. None allocates once its scratch has grown to k.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace chronotope {

/// The newest k. O(k).
std::size_t search_recent(std::size_t behaviours, std::span<std::size_t> kept);

/// Those of the candidate's category, the newest first; where they are fewer than k the newest of the rest fill up.
/// Category 0 is not known, so nothing is of the same category: the newest k. O(m) time, no other memory.
std::size_t search_hard(std::span<const std::int32_t> categories, std::int32_t category, std::span<std::size_t> kept);

/// Embeddings [rows, width], owned by the caller.
struct EmbeddingRows {
  std::span<const float> values;
  std::int64_t width = 0;
  const float* row(std::int32_t id) const { return values.data() + static_cast<std::int64_t>(id) * width; }
};

/// A behaviour and its inner product with the candidate.
struct ScoredBehaviour {
  float score = 0;
  std::size_t index = 0;
};

/// The k whose embeddings have the largest inner product with the candidate's; of equal ones the newer. NaN counts as the
/// lowest. `ids` and `id` are rows of the table (not checked). O(m width + m log k) time at worst, scratch of k entries.
std::size_t search_soft(std::span<const std::int32_t> ids, std::int32_t id, const EmbeddingRows& rows, std::span<std::size_t> kept,
                        std::vector<ScoredBehaviour>& scratch);

}  // namespace chronotope
