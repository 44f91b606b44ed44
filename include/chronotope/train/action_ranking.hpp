#pragma once
// Asking a model of actions for the places of a split: where in its generated list each target stands.

#include "chronotope/models/make_generative_model.hpp"
#include "chronotope/models/place_beams.hpp"
#include "chronotope/train/action_windows.hpp"

namespace chronotope {

/// At most `most` of the windows, drawn by the seed, in their order; all with `most` 0.
std::vector<ActionWindow> some_windows(std::vector<ActionWindow> windows, std::int64_t most, std::uint64_t seed);

/// The rank of each window's last place among what the model generates, from 1; 0 where it is not generated. `batch` windows at
/// once. O(windows x model).
template <class Model, Backend B = typename Model::backend>
std::vector<std::int64_t> generated_ranks(Context<B>& context, const Model& model, const ActionTokens& tokens, std::span<const ActionWindow> windows,
                                          const BeamOptions& beams, std::int64_t batch) {
  const PlaceCatalogue& catalogue = tokens.tokenizer().places();
  std::vector<std::int64_t> ranks;
  for (std::size_t at = 0; at < windows.size(); at += static_cast<std::size_t>(batch)) {
    TokenBatch asked;
    std::vector<Prefix> rows;
    const auto some = windows.subspan(at, std::min(windows.size() - at, static_cast<std::size_t>(batch)));
    for (const ActionWindow& w : some) {
      const std::int32_t first = asked.tokens();
      tokens.add_history(w.user, w.begin, w.end - 1, asked);
      const std::int32_t u = asked.context(tokens.tokenizer().context(tokens.histories().actions[w.end - 1]));
      asked.ask(u, catalogue.block_rows() > 0 ? Question::block : Question::inner);
      rows.push_back({first, u + 1});
    }
    Encoded<B> encoded;
    const Tensor<B> h = encoded.add(context, model, asked);
    const auto found = generate_places(context, model, catalogue, encoded, h, rows, {}, beams);
    for (std::size_t i = 0; i < some.size(); ++i) {
      const std::uint32_t target = tokens.histories().actions[some[i].end - 1].place;
      const auto hit = std::find_if(found[i].begin(), found[i].end(), [&](const GeneratedPlace& g) { return g.place == target; });
      ranks.push_back(hit == found[i].end() ? 0 : hit - found[i].begin() + 1);
    }
  }
  return ranks;
}

}  // namespace chronotope
