#pragma once
// What the parts of a click model must offer. As in components/concepts.hpp: put in a class of your own; one that lacks a
// member does not compile, and the message names it.

#include "chronotope/components/click_inputs.hpp"
#include "chronotope/components/review_points.hpp"

namespace chronotope {

/// Weights of behaviours by material: points of B samples, k behaviours -> [B, M, k].
template <class M>
concept BehaviourMask = Module<M> && requires(const M& mask, const ReviewPoints& points) {
  { mask.materials() } -> std::convertible_to<std::int64_t>;
  { mask(points) } -> std::same_as<Tensor<typename M::backend>>;
};

/// Queries of a request: [B, queries(), width()].
template <class Q>
concept RequestQuery = Module<Q> && requires(const Q& query, const RequestParts<typename Q::backend>& request) {
  { query.queries() } -> std::convertible_to<std::int64_t>;
  { query.width() } -> std::convertible_to<std::int64_t>;
  { query(request) } -> std::same_as<Tensor<typename Q::backend>>;
};

/// Interests: queries [B, Q, d_q], keys [B, k, d_k], mask [B, M, k], valid [B, k] u8 -> [B, width(Q, M)]. Padding takes no
/// part, and no sample sees another.
template <class U>
concept InterestUnit = Module<U> && requires(const U& unit, const Tensor<typename U::backend>& x, std::int64_t n) {
  { unit.width(n, n) } -> std::convertible_to<std::int64_t>;
  { unit(x, x, x, x) } -> std::same_as<Tensor<typename U::backend>>;
};

/// A behaviour module: inputs of B samples -> what it made of their behaviours, [B, width()]. STIM is one, every baseline
/// another; embeddings and prediction head are the same for all. Padding takes no part, no sample sees another, and a
/// sample without behaviours gets finite values.
template <class E>
concept BehaviourModule = Module<E> && requires(const E& e, const ClickInputs<typename E::backend>& inputs) {
  { e.width() } -> std::convertible_to<std::int64_t>;
  { e(inputs) } -> std::same_as<Tensor<typename E::backend>>;
};

/// Samples as embedded tensors: `others()` is the width of EncodedClicks::others.
template <class E>
concept ClickEncoding = Module<E> && requires(const E& e, Context<typename E::backend>& context, const ClickBatch& batch) {
  { e.widths() } -> std::same_as<ClickWidths>;
  { e.others() } -> std::convertible_to<std::int64_t>;
  { e.encode(context, batch) } -> std::same_as<EncodedClicks<typename E::backend>>;
};

/// A prediction head: features [B, F] -> logits [B, tasks()].
template <class H>
concept ClickHead = Module<H> && requires(const H& head, const Tensor<typename H::backend>& features) {
  { head.tasks() } -> std::convertible_to<std::int64_t>;
  { head(features) } -> std::same_as<Tensor<typename H::backend>>;
};

/// Something that can be trained on click samples: a whole model.
///   logits(context, batch)  [B, tasks]
template <class M>
concept ClickPredictor = Module<M> && requires(const M& model, Context<typename M::backend>& context, const ClickBatch& batch) {
  { model.logits(context, batch) } -> std::same_as<Tensor<typename M::backend>>;
};

}  // namespace chronotope
