#pragma once
// What a behaviour module sees: embedded requests and embedded behaviours.

#include "chronotope/components/query_moe.hpp"
#include "chronotope/data/click_batch.hpp"

namespace chronotope {

/// Widths of what ClickInputs hold, for the constructors of behaviour modules.
struct ClickWidths {
  std::int64_t hour = 16, week = 16, location = 16, item = 32;  ///< of the request's parts
  std::int64_t key = 32;                                        ///< d_k
  std::int64_t kept = 50;                                       ///< k
  std::int64_t request() const { return hour + week + location + item; }
};

/// B samples of k behaviours, oldest first, padding in front.
template <Backend B> struct ClickInputs {
  const ClickBatch& host;   ///< the same samples as numbers: hours, ages, ids, review flags
  RequestParts<B> request;  ///< [B, width of the part]
  Tensor<B> keys;           ///< [B, k, d_k]; what stands in padding means nothing
  Tensor<B> valid;          ///< [B, k] u8, 0 in padding
};

/// Samples on a device: what the behaviour module sees, and what only the prediction head does.
template <Backend B> struct EncodedClicks {
  ClickInputs<B> inputs;
  Tensor<B> others;  ///< [B, width]: the user, other context, numbers ("C" of eq. 1)
};

}  // namespace chronotope
