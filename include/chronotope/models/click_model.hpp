#pragma once
// A click model: encoder, behaviour module and prediction head composed (STIM, eq. 1). STIM and all its baselines are this
// class with another behaviour module.

#include "chronotope/components/click_concepts.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

/// Any three parts that fulfil their concepts on one backend. The head reads what the module made of the behaviours, the
/// request's parts and what the encoder gives besides.
template <ClickEncoding E, BehaviourModule M, ClickHead H>
  requires SameBackend<E, M> && SameBackend<M, H>
class ClickModel {
 public:
  using backend = typename E::backend;
  using Tensors = Tensor<backend>;

  ClickModel(E encoder, M behaviour, H head) : encoder(std::move(encoder)), behaviour(std::move(behaviour)), head(std::move(head)) {}

  /// [B, tasks]
  Tensors logits(Context<backend>& context, const ClickBatch& batch) const {
    const EncodedClicks<backend> x = encoder.encode(context, batch);
    return head(concat(std::vector<Tensors>{behaviour(x.inputs), x.inputs.request.whole(), x.others}, 1));
  }

  template <class V> void visit(V&& v) {
    v("encoder", encoder);
    v("behaviour", behaviour);
    v("head", head);
  }

  E encoder;
  M behaviour;
  H head;
};

}  // namespace chronotope
