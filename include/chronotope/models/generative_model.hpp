#pragma once
// Spacetime-GR on actions (Spacetime-GR, 3.2): tokens through a decoder to the next block and place (pre-training, alignment), to
// vectors of users and places (embedding fine-tuning) and to the score of a candidate (generative ranking fine-tuning).

#include "chronotope/components/concepts.hpp"
#include "chronotope/nn/layers.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

/// Any three parts that fulfil their concepts on one backend, and what the fine-tunings put on top.
template <TokensEncoder E, CachingDecoder D, TokensHead H>
  requires SameBackend<E, D> && SameBackend<D, H>
class GenerativeModel {
 public:
  using backend = typename E::backend;
  using Tensors = Tensor<backend>;

  /// Vectors of users and places are `embedding` wide.
  GenerativeModel(Context<backend>& context, E encoder, D decoder, H head, std::int64_t embedding, DType dtype = DType::f32)
      : encoder(std::move(encoder)), decoder(std::move(decoder)), head(std::move(head)),
        user(context, this->encoder.width(), embedding, false, dtype), place(context, this->encoder.width(), embedding, false, dtype),
        classifier(context, this->encoder.width(), 1, true, dtype) {}

  /// Hidden states of the asked tokens, [Q, D].
  Tensors hidden(const TokenTensors<backend>& batch) const { return decoder.decode(encoder(batch), batch.packing, batch.rows); }

  /// -log p of the targets, [Nb + Ni]: those of blocks first.
  Tensors nll(const TokenTensors<backend>& batch) const {
    ContextStates<backend> contexts;
    if (!head.wants_contexts()) return head.nll(hidden(batch), batch, contexts);
    const auto reading = batch.with_contexts();
    const Tensors h = decoder.decode(encoder(batch), batch.packing, reading.rows);
    contexts.add(batch.host, false, gather(h, reading.contexts));
    return head.nll(gather(h, reading.asked), batch, contexts);
  }

  /// hidden() of a batch that is the last tokens of its packing, the others in `past`, which has all then; so has `contexts`, where the head
  /// wants them. `goes_on`: the batch's first segment continues the one before. Records nothing.
  Tensors hidden_more(const TokenTensors<backend>& batch, KeyValues<backend>& past, ContextStates<backend>& contexts, bool goes_on) const {
    if (!head.wants_contexts()) return decoder.decode_more(encoder(batch), batch.packing, batch.rows, past);
    const auto reading = batch.with_contexts();
    const Tensors h = decoder.decode_more(encoder(batch), batch.packing, reading.rows, past);
    contexts.add(batch.host, goes_on, gather(h, reading.contexts));
    return gather(h, reading.asked);
  }

  /// Log-odds that a candidate is clicked, from the hidden state of its last token: [Q, D] -> [Q].
  Tensors click_logits(const Tensors& h) const { return reshape(classifier(h), {h.size(0)}); }

  template <class V> void visit(V&& v) {
    v("encoder", encoder);
    v("decoder", decoder);
    v("head", head);
    v("user", user);
    v("place", place);
    v("classifier", classifier);
  }

  E encoder;
  D decoder;
  H head;
  Linear<backend> user, place;   ///< [embedding, D] each: W_u, W_p
  Linear<backend> classifier;    ///< [1, D]: W_c
};

}  // namespace chronotope
