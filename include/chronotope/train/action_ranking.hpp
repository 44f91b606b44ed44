#pragma once
// Asking a model of actions for the places of a split: where in its generated list each target stands.

#include "chronotope/models/make_generative_model.hpp"
#include "chronotope/models/place_beams.hpp"
#include "chronotope/train/action_windows.hpp"

namespace chronotope {

/// At most `most` of the windows, drawn by the seed, in their order; all with `most` 0.
std::vector<ActionWindow> some_windows(std::vector<ActionWindow> windows, std::int64_t most, std::uint64_t seed);

/// Places generated for `count` moments, `batch` at once, best first for each: [count]. add(i, tokens) adds the sequence of moment i, which
/// ends with the u that is asked, and returns its rows. O(count x model).
template <class Model, class Add, Backend B = typename Model::backend>
std::vector<std::vector<GeneratedPlace>> generated_lists(Context<B>& context, const Model& model, const PlaceCatalogue& catalogue, std::size_t count,
                                                         Add&& add, const BeamOptions& beams, std::int64_t batch) {
  std::vector<std::vector<GeneratedPlace>> lists;
  for (std::size_t at = 0; at < count; at += static_cast<std::size_t>(batch)) {
    TokenBatch asked;
    std::vector<Prefix> rows;
    for (std::size_t i = at; i < std::min(count, at + static_cast<std::size_t>(batch)); ++i) {
      rows.push_back(add(i, asked));
      asked.ask(rows.back().end - 1, catalogue.block_rows() > 0 ? Question::block : Question::inner);
    }
    Encoded<B> encoded;
    const Tensor<B> h = encoded.add(context, model, asked);
    for (auto& found : generate_places(context, model, catalogue, encoded, h, rows, {}, beams)) lists.push_back(std::move(found));
  }
  return lists;
}

/// The same at the moments of the windows' last actions, from the actions before them.
template <class Model, Backend B = typename Model::backend>
std::vector<std::vector<GeneratedPlace>> generated_lists(Context<B>& context, const Model& model, const ActionTokens& tokens, std::span<const ActionWindow> windows,
                                                         const BeamOptions& beams, std::int64_t batch) {
  const auto add = [&](std::size_t i, TokenBatch& asked) {
    const ActionWindow& w = windows[i];
    const std::int32_t first = asked.tokens();
    tokens.add_history(w.user, w.begin, w.end - 1, asked);
    return Prefix{first, asked.context(tokens.tokenizer().context(tokens.histories().actions[w.end - 1])) + 1};
  };
  return generated_lists(context, model, tokens.tokenizer().places(), windows.size(), add, beams, batch);
}

/// The rank of each window's last place among what the model generates, from 1; 0 where it is not generated. As generated_lists.
template <class Model, Backend B = typename Model::backend>
std::vector<std::int64_t> generated_ranks(Context<B>& context, const Model& model, const ActionTokens& tokens, std::span<const ActionWindow> windows,
                                          const BeamOptions& beams, std::int64_t batch) {
  const auto lists = generated_lists(context, model, tokens, windows, beams, batch);
  std::vector<std::int64_t> ranks;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const std::uint32_t target = tokens.histories().actions[windows[i].end - 1].place;
    const auto hit = std::find_if(lists[i].begin(), lists[i].end(), [&](const GeneratedPlace& g) { return g.place == target; });
    ranks.push_back(hit == lists[i].end() ? 0 : hit - lists[i].begin() + 1);
  }
  return ranks;
}

}  // namespace chronotope
