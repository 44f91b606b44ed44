#pragma once
// A model of actions as a config describes it.

#include "chronotope/components/action_tokenizer.hpp"
#include "chronotope/components/decoder.hpp"
#include "chronotope/components/either.hpp"
#include "chronotope/components/token_encoder.hpp"
#include "chronotope/components/token_pointer_head.hpp"
#include "chronotope/models/generative_model.hpp"
#include "chronotope/train/config.hpp"

namespace chronotope {

/// Every composition that a config can name.
template <Backend B> using AnyTokensHead = EitherHead<TypedHead<B>, JointHead<B>, TokenPointerHead<B>>;
template <Backend B> using AnyGenerativeModel = GenerativeModel<TokenEncoder<B>, EitherDecoder<LlamaDecoder<B>, GptDecoder<B>>, AnyTokensHead<B>>;

/// Rows of the tables of a model.
struct GenerativeSizes {
  std::int64_t blocks = 0, inners = 1, categories = 1, types = 0, geo_rows = 2049, texts = 0, vector_width = 0, places = 1;
};

/// The longest sequence in tokens: profile, four tokens an action, u of a request, and a candidate.
std::int64_t most_tokens(const Config& config);

GenerativeSizes generative_sizes(const ActionTokenizer& tokenizer, const ActionsConfig& actions, std::int64_t vector_width);

/// The head of a config; tied ones share the tables of `encoder`.
template <Backend B> AnyTokensHead<B> make_tokens_head(Context<B>& context, const Config& config, const GenerativeSizes& sizes, const TokenEncoder<B>& encoder) {
  const TokenHeadOptions o{config.model.width, sizes.blocks, sizes.inners, DType::f32, config.model.pointer_heads, config.model.pointer_width, sizes.categories, config.model.feed_forward, config.actions.spacetime};
  const auto tied = [&](TypedHead<B>& typed) {
    if (config.actions.tied) typed.tie(encoder.block, encoder.inner);
  };
  if (config.actions.head == "joint") return JointHead<B>(context, o);
  if (config.actions.head == "pointer") {
    TokenPointerHead<B> pointer(context, o);
    tied(pointer.typed);
    return pointer;
  }
  TypedHead<B> typed(context, o);
  tied(typed);
  return typed;
}

/// What models with the history pointer know of candidates: a table of places that stays small beside the model however many there are.
template <Backend B> std::optional<CandidatePointer<B>> make_candidate_pointer(Context<B>& context, const Config& config, const GenerativeSizes& sizes) {
  constexpr std::int64_t most_places = 1 << 16;
  if (config.actions.head != "pointer") return {};
  const ModelConfig& m = config.model;
  const PointerOptions pointer{m.width, m.pointer_heads, m.pointer_width, DType::f32, TokenPointerBins::weekday, TokenPointerBins::distance, sizes.categories, config.actions.spacetime};
  return CandidatePointer<B>(context, {pointer, std::min(sizes.places, most_places)});
}

/// Fresh weights, drawn from the context's random state.
template <Backend B> AnyGenerativeModel<B> make_generative_model(Context<B>& context, const Config& config, const GenerativeSizes& sizes) {
  const ModelConfig& m = config.model;
  const ActionsConfig& a = config.actions;
  const bool gated = a.fusion == "gated";
  TokenEncoder<B> encoder(context, {m.width, sizes.texts, sizes.blocks, sizes.inners, sizes.categories, sizes.types, sizes.geo_rows, sizes.vector_width, a.spacetime, true,
                                    gated ? FusionWeights::gated : FusionWeights::fixed, m.dropout, DType::f32});
  const DecoderOptions d{m.layers, m.width, m.heads, m.feed_forward, most_tokens(config), m.dropout, DType::f32};
  using Decoders = EitherDecoder<LlamaDecoder<B>, GptDecoder<B>>;
  Decoders decoder = m.decoder == "gpt" ? Decoders(GptDecoder<B>(context, d)) : Decoders(LlamaDecoder<B>(context, d));
  AnyTokensHead<B> head = make_tokens_head(context, config, sizes, encoder);
  std::optional<CandidatePointer<B>> candidates = make_candidate_pointer(context, config, sizes);
  return {context, std::move(encoder), std::move(decoder), std::move(head), a.embedding, DType::f32, std::move(candidates)};
}

}  // namespace chronotope
