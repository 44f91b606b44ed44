#pragma once
// Spacetime-GR on check-ins (Spacetime-GR, 3.2.1 and 4.2.2): encoder, decoder and head composed. Two tokens an action, its
// context u and its place; the hidden state of u predicts the place.

#include "chronotope/components/decoder.hpp"
#include "chronotope/components/encoder.hpp"
#include "chronotope/components/heads.hpp"

namespace chronotope {

/// Any three parts that fulfil their concepts on one backend. "Spacetime-GR" is LlamaDecoder with VocabularyHead;
/// with HistoryPointerHead it is "Spacetime-GR + history pointer" and must be called so.
template <SpatiotemporalEncoder E, Decoder D, OutputHead H>
  requires SameBackend<E, D> && SameBackend<D, H>
class SpacetimeGr {
 public:
  using backend = typename E::backend;
  using Tensors = Tensor<backend>;

  SpacetimeGr(E encoder, D decoder, H head) : encoder(std::move(encoder)), decoder(std::move(decoder)), head(std::move(head)) {}

  /// -log p(target) of each selected action, [Q].
  Tensors nll(const ActionTensors<backend>& batch) const { return head.nll(hidden(batch), batch); }

  /// p(place) of each selected action over all place tokens, [Q, P].
  Tensors probabilities(const ActionTensors<backend>& batch) const { return head.probabilities(hidden(batch), batch); }

  template <class V> void visit(V&& v) {
    v("encoder", encoder);
    v("decoder", decoder);
    v("head", head);
  }

  E encoder;
  D decoder;
  H head;

 private:
  Tensors hidden(const ActionTensors<backend>& batch) const {
    const Tensors tokens = stack(std::vector<Tensors>{encoder.context(batch), encoder.place(batch)}, 1);  // [A, 2, D]
    const Tensors x = reshape(tokens, {-1, encoder.width()});
    return decoder.decode(x, batch.packing, H::wants_all_contexts ? batch.context_rows : batch.selected_rows);
  }
};

}  // namespace chronotope
