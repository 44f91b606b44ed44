#pragma once
// Sequences of actions as the components see them: columns of ids and positions, packed without padding.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "chronotope/ops/attention.hpp"

namespace chronotope {

inline constexpr std::size_t time_features = 4;   ///< month 0..11, day 0..30, weekday 0..6 (Monday 0), hour 0..23
inline constexpr std::size_t geo_parts = 12;     ///< geohash prefixes of length 1 to 12 (Spacetime-GR, 4.1.2)

/// One action, ready for the model: everything is an id or a number.
struct Action {
  std::int32_t place = 0;     ///< token of the tokenizer; 0 is an unknown place
  std::int32_t category = 0;  ///< 0 is an unknown category
  std::array<std::int32_t, time_features> when{};
  std::array<std::int32_t, geo_parts> where{};  ///< rows of the twelve geo tables
  float latitude = 0, longitude = 0;             ///< of the place, degrees
  std::int64_t utc = 0, local = 0;               ///< seconds
};

/// S sequences one after another, A actions in all. An action's context (when, utc, local) is what the model may see of
/// an action before it knows the place; `selected` are the actions whose place is asked for.
struct ActionBatch {
  std::vector<std::int32_t> lengths;   ///< [S] actions of each sequence
  std::vector<Action> actions;         ///< [A]
  std::vector<std::int32_t> selected;  ///< [Q] indexes into actions, ascending
  std::vector<std::int32_t> target;    ///< [Q] place tokens to predict (training) or 0
};

namespace detail {

/// Everything behind indexes by these numbers: a batch that contradicts itself is refused before it reaches any memory.
inline ActionBatch checked(ActionBatch batch) {
  std::int64_t total = 0;
  for (std::int32_t length : batch.lengths) {
    if (length < 0) throw DataError("[actions] a sequence has a negative length");
    total += length;
  }
  const auto actions = static_cast<std::int64_t>(batch.actions.size());
  if (total != actions || actions > (std::int64_t{1} << 30) - 1)
    throw DataError("[actions] the lengths add up to " + std::to_string(total) + ", there are " + std::to_string(actions) + " actions");
  if (batch.target.size() != batch.selected.size())
    throw DataError("[actions] " + std::to_string(batch.target.size()) + " targets for " + std::to_string(batch.selected.size()) + " selected actions");
  std::int64_t before = -1;
  for (std::int32_t i : batch.selected) {
    if (i <= before || i >= actions)
      throw DataError("[actions] selected actions must ascend within 0 .. " + std::to_string(actions - 1) + ", found " + std::to_string(i));
    before = i;
  }
  return batch;
}

}  // namespace detail

/// The batch on a device. Two tokens an action: the context u at 2i, the place at 2i + 1.
template <Backend B> struct ActionTensors {
  ActionBatch host;
  Packing<B> packing;                            ///< of the 2A tokens
  Tensor<B> place, category;                     ///< [A] i32
  std::array<Tensor<B>, time_features> when;     ///< [A] i32 each
  std::array<Tensor<B>, geo_parts> where;       ///< [A] i32 each
  Tensor<B> selected, target;                    ///< [Q] i32
  Tensor<B> context_rows, selected_rows;         ///< [A], [Q] i32: packed token rows of all contexts, of the selected ones

  /// Throws DataError when lengths, actions, selected and target contradict each other.
  ActionTensors(Context<B>& context, ActionBatch batch)
      : host(detail::checked(std::move(batch))), packing(context, doubled(host.lengths)) {
    const auto column = [&](auto&& get) { return upload(context, host.actions.size(), [&](std::size_t i) { return get(host.actions[i]); }); };
    place = column([](const Action& a) { return a.place; });
    category = column([](const Action& a) { return a.category; });
    for (std::size_t f = 0; f < time_features; ++f) when[f] = column([f](const Action& a) { return a.when[f]; });
    for (std::size_t level = 0; level < geo_parts; ++level) where[level] = column([level](const Action& a) { return a.where[level]; });
    selected = upload(context, host.selected.size(), [&](std::size_t i) { return host.selected[i]; });
    target = upload(context, host.target.size(), [&](std::size_t i) { return host.target[i]; });
    selected_rows = upload(context, host.selected.size(), [&](std::size_t i) { return 2 * host.selected[i]; });
    context_rows = upload(context, host.actions.size(), [](std::size_t i) { return 2 * static_cast<std::int32_t>(i); });
  }

 private:
  static std::vector<std::int32_t> doubled(std::vector<std::int32_t> lengths) {
    for (std::int32_t& length : lengths) length *= 2;
    return lengths;
  }
  template <class F> static Tensor<B> upload(Context<B>& context, std::size_t n, F&& value) {
    std::vector<std::int32_t> values(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = value(i);
    return Tensor<B>::from_host(context, values, {static_cast<std::int64_t>(n)});
  }
};

}  // namespace chronotope
