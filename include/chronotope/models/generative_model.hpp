#pragma once
// Spacetime-GR on actions (Spacetime-GR, 3.2): tokens through a decoder to the next block and place (pre-training, alignment), to
// vectors of users and places (embedding fine-tuning) and to the score of a candidate (generative ranking fine-tuning).

#include "chronotope/components/candidate_pointer.hpp"
#include "chronotope/components/concepts.hpp"
#include "chronotope/nn/layers.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

/// Any three parts that fulfil their concepts on one backend, and what the fine-tunings put on top. With a CandidatePointer a click depends on what it
/// adds too.
template <TokensEncoder E, CachingDecoder D, TokensHead H>
  requires SameBackend<E, D> && SameBackend<D, H>
class GenerativeModel {
 public:
  using backend = typename E::backend;
  using Tensors = Tensor<backend>;

  /// Vectors of users and places are `embedding` wide.
  GenerativeModel(Context<backend>& context, E encoder, D decoder, H head, std::int64_t embedding, DType dtype = DType::f32,
                  std::optional<CandidatePointer<backend>> candidates = {})
      : encoder(std::move(encoder)), decoder(std::move(decoder)), head(std::move(head)),
        user(context, this->encoder.width(), embedding, false, dtype), place(context, this->encoder.width(), embedding, false, dtype),
        classifier(context, this->encoder.width(), 1, true, dtype), candidates(std::move(candidates)) {}

  /// Whether any part looks at the states of contexts.
  bool wants_contexts() const { return head.wants_contexts() || candidates.has_value(); }

  /// Hidden states of the asked tokens, [Q, D].
  Tensors hidden(const TokenTensors<backend>& batch) const { return decoder.decode(encoder(batch), batch.packing, batch.rows); }

  /// -log p of the targets, [Nb + Ni]: those of blocks first.
  Tensors nll(const TokenTensors<backend>& batch) const {
    ContextStates<backend> contexts;
    const Tensors h = head.wants_contexts() ? hidden(batch, contexts) : hidden(batch);
    return head.nll(h, batch, contexts);
  }

  /// hidden() with the states of all contexts for `contexts`, which is empty.
  Tensors hidden(const TokenTensors<backend>& batch, ContextStates<backend>& contexts) const {
    const auto reading = batch.with_contexts();
    const Tensors h = decoder.decode(encoder(batch), batch.packing, reading.rows);
    contexts.add(batch.host, false, gather(h, reading.contexts));
    return gather(h, reading.asked);
  }

  /// hidden() of a batch that is the last tokens of its packing, the others in `past`, which has all then; so has `contexts`, where a part
  /// wants them. `goes_on`: the batch's first segment continues the one before. Records nothing.
  Tensors hidden_more(const TokenTensors<backend>& batch, KeyValues<backend>& past, ContextStates<backend>& contexts, bool goes_on) const {
    if (!wants_contexts()) return decoder.decode_more(encoder(batch), batch.packing, batch.rows, past);
    const auto reading = batch.with_contexts();
    const Tensors h = decoder.decode_more(encoder(batch), batch.packing, reading.rows, past);
    contexts.add(batch.host, goes_on, gather(h, reading.contexts));
    return gather(h, reading.asked);
  }

  /// Log-odds that the candidates are clicked whose last tokens are asked, [Q].
  Tensors click_logits(const TokenTensors<backend>& batch) const {
    ContextStates<backend> contexts;
    const Tensors h = candidates ? hidden(batch, contexts) : hidden(batch);
    std::vector<std::int32_t> rows;
    for (const Ask& ask : batch.host.asks()) rows.push_back(ask.row);
    return click_logits(h, contexts, rows);
  }
  /// The same of hidden states h [Q, D] at packed rows `rows` [Q]; `past` has the states of all contexts where wants_contexts().
  Tensors click_logits(const Tensors& h, const ContextStates<backend>& past, std::span<const std::int32_t> rows) const {
    const Tensors plain = reshape(classifier(h), {h.size(0)});
    return candidates && !rows.empty() ? plain + (*candidates)(past, rows) : plain;
  }

  template <class V> void visit(V&& v) {
    v("encoder", encoder);
    v("decoder", decoder);
    v("head", head);
    v("user", user);
    v("place", place);
    v("classifier", classifier);
    v("candidates", candidates);
  }

  E encoder;
  D decoder;
  H head;
  Linear<backend> user, place;   ///< [embedding, D] each: W_u, W_p
  Linear<backend> classifier;    ///< [1, D]: W_c
  std::optional<CandidatePointer<backend>> candidates;
};

}  // namespace chronotope
