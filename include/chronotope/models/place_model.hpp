#pragma once
// A place model whose composition is chosen at run time, from a config.

#include <functional>
#include <memory>

#include "chronotope/models/spacetime_gr.hpp"
#include "chronotope/train/config.hpp"

namespace chronotope {

/// Any PlaceModel behind one type. Fulfils PlaceModel itself.
template <Backend B> class AnyPlaceModel {
 public:
  using backend = B;

  template <PlaceModel M> requires std::same_as<typename M::backend, B>
  explicit AnyPlaceModel(M made) {
    auto model = std::make_shared<M>(std::move(made));
    parameters_ = named_parameters(*model);
    nll_ = [model](const ActionTensors<B>& batch) { return model->nll(batch); };
    probabilities_ = [model](const ActionTensors<B>& batch) { return model->probabilities(batch); };
  }

  Tensor<B> nll(const ActionTensors<B>& batch) const { return nll_(batch); }
  Tensor<B> probabilities(const ActionTensors<B>& batch) const { return probabilities_(batch); }

  template <class V> void visit(V&& v) {
    for (auto& [path, parameter] : parameters_) v(path, parameter);
  }

 private:
  std::vector<std::pair<std::string, Parameter<B>>> parameters_;
  std::function<Tensor<B>(const ActionTensors<B>&)> nll_, probabilities_;
};

namespace detail {

template <Backend B, class D> AnyPlaceModel<B> with_head(Context<B>& context, const ModelConfig& m, CheckinEncoder<B> encoder, D decoder, std::int64_t places) {
  const HeadOptions head{m.width, places, m.pointer_heads, m.pointer_width, DType::f32};
  if (m.head == "history_pointer")
    return AnyPlaceModel<B>(SpacetimeGr(std::move(encoder), std::move(decoder), HistoryPointerHead<B>(context, head)));
  return AnyPlaceModel<B>(SpacetimeGr(std::move(encoder), std::move(decoder), VocabularyHead<B>(context, head)));
}

}  // namespace detail

/// Fresh weights, drawn from the context's random state. `places` and `categories` count the unknown one.
template <Backend B>
AnyPlaceModel<B> make_place_model(Context<B>& context, const ModelConfig& m, std::int64_t places, std::int64_t categories) {
  CheckinEncoder<B> encoder(context, {m.width, places, categories, m.geo_rows, m.dropout, DType::f32});
  const DecoderOptions decoder{m.layers, m.width, m.heads, m.feed_forward, 2 * m.length, m.dropout, DType::f32};
  if (m.decoder == "gpt") return detail::with_head(context, m, std::move(encoder), GptDecoder<B>(context, decoder), places);
  return detail::with_head(context, m, std::move(encoder), LlamaDecoder<B>(context, decoder), places);
}

}  // namespace chronotope
