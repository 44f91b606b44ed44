#pragma once
// Asking a trained place model: ranks of a split's targets, and scores for one history.

#include <limits>

#include "chronotope/components/concepts.hpp"
#include "chronotope/eval/metrics.hpp"
#include "chronotope/eval/targets.hpp"
#include "chronotope/train/histories.hpp"

namespace chronotope {

/// How a model is asked.
struct AskOptions {
  std::int64_t length = 128;  ///< actions of the history that are used, the asked one included
  bool target_time = true;    ///< the model was trained with the time of the target
  std::int64_t batch = 32;    ///< targets at once
};

/// p(place) for each window's last action, [windows, P]; the unknown place's column is 0 in what is ranked.
template <PlaceModel M>
std::vector<float> ask(Context<typename M::backend>& context, const M& model, const Histories& histories, std::span<const Window> windows, bool target_time) {
  using B = typename M::backend;
  const NoGrad no_grad;
  const ActionTensors<B> batch(context, make_batch(histories, windows, target_time));
  return model.probabilities(batch).template to_host<float>();
}

/// Rank of every target of a split among the tokenizer's places, in the order of evaluation_targets(). A target whose place
/// was never seen in training cannot be reached: a miss. O(targets x (model + places)).
template <PlaceModel M>
std::vector<RankedTarget> rank_targets(Context<typename M::backend>& context, const M& model, const CheckinTable& table,
                                       const Histories& histories, Split split, const AskOptions& options) {
  const std::vector<EvalTarget> targets = evaluation_targets(table, split);
  std::vector<Window> windows = evaluation_windows(histories, options.length, split);
  std::vector<RankedTarget> ranked(targets.size());
  std::vector<std::size_t> known;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    ranked[i] = {std::numeric_limits<double>::infinity(), 0, targets[i].revisit};
    if (histories.actions[targets[i].row].place != 0) known.push_back(i);
  }
  for (std::size_t at = 0; at < known.size(); at += static_cast<std::size_t>(options.batch)) {
    const std::size_t n = std::min(known.size() - at, static_cast<std::size_t>(options.batch));
    std::vector<Window> some;
    for (std::size_t i = 0; i < n; ++i) some.push_back(windows[known[at + i]]);
    const std::vector<float> scores = ask(context, model, histories, some, options.target_time);
    const std::size_t places = scores.size() / n;
    for (std::size_t i = 0; i < n; ++i) {
      const std::span<const float> row(scores.data() + i * places + 1, places - 1);
      RankedTarget& r = ranked[known[at + i]];
      const bool revisit = r.revisit;
      r = rank_scores(row, static_cast<std::size_t>(histories.actions[targets[known[at + i]].row].place - 1));
      r.revisit = revisit;
    }
  }
  return ranked;
}

}  // namespace chronotope
