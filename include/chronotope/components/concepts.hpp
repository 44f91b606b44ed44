#pragma once
// What a component must offer to take part in a model. Write a class of your own with these members and put it in; a
// class that lacks one does not compile, and the message names the member.

#include "chronotope/components/actions.hpp"
#include "chronotope/components/context_states.hpp"
#include "chronotope/components/key_values.hpp"
#include "chronotope/components/token_tensors.hpp"
#include "chronotope/nn/module.hpp"

namespace chronotope {

/// Turns actions into token vectors of width D.
///   context(batch)  [A, D]: E(u), what is known before the place (Spacetime-GR, 3.2.1)
///   place(batch)    [A, D]: E(inner), the place with its category and position
///   width()         D
template <class E>
concept SpatiotemporalEncoder = Module<E> && requires(const E& e, const ActionTensors<typename E::backend>& batch) {
  { e.context(batch) } -> std::same_as<Tensor<typename E::backend>>;
  { e.place(batch) } -> std::same_as<Tensor<typename E::backend>>;
  { e.width() } -> std::convertible_to<std::int64_t>;
};

/// Causal sequence model: x [T, D] packed tokens -> hidden states [Q, D] at packed rows query_rows [Q]; row r depends on
/// the tokens of its own sequence up to r and on nothing else.
template <class D>
concept Decoder = Module<D> && requires(const D& d, const Tensor<typename D::backend>& x,
                                        const Packing<typename D::backend>& packing, const Tensor<typename D::backend>& rows) {
  { d.decode(x, packing, rows) } -> std::same_as<Tensor<typename D::backend>>;
};

/// A Decoder that can go on: x [N, D] are the last N tokens of the packing, whose others went through decode_more() with the same
/// `past` before. Gives what decode() of all tokens gives at `rows` [Q] (packed rows, of new tokens), and leaves the new
/// tokens in `past`. Records nothing.
template <class D>
concept CachingDecoder = Decoder<D> && requires(const D& d, const Tensor<typename D::backend>& x, const Packing<typename D::backend>& packing,
                                                const Tensor<typename D::backend>& rows, KeyValues<typename D::backend>& past) {
  { d.decode_more(x, packing, rows, past) } -> std::same_as<Tensor<typename D::backend>>;
};

/// Tokens to vectors of width D: operator()(batch) [T, D], in the order of the tokens.
template <class E>
concept TokensEncoder = Module<E> && requires(const E& e, const TokenTensors<typename E::backend>& batch) {
  { e(batch) } -> std::same_as<Tensor<typename E::backend>>;
  { e.width() } -> std::convertible_to<std::int64_t>;
};

/// Hidden states h [Q, D] to the next block, of NB, and to the next place in its block, of NI. `past` has the states of all contexts so far, if
/// wants_contexts() says that the head looks at them; else it is empty, and rows may be.
///   nll(h, batch, past)           [Nb + Ni]: -log p of the targets, those of blocks first
///   block_scores(h, past, rows)   [Q, NB] log p; h stands at the packed rows [Q]
///   inner_scores(h, past, rows)   [Q, NI] log p
template <class H>
concept TokensHead = Module<H> && requires(const H& head, const Tensor<typename H::backend>& h, const TokenTensors<typename H::backend>& batch,
                                           const ContextStates<typename H::backend>& past, std::span<const std::int32_t> rows) {
  { head.wants_contexts() } -> std::convertible_to<bool>;
  { head.nll(h, batch, past) } -> std::same_as<Tensor<typename H::backend>>;
  { head.block_scores(h, past, rows) } -> std::same_as<Tensor<typename H::backend>>;
  { head.inner_scores(h, past, rows) } -> std::same_as<Tensor<typename H::backend>>;
};

/// Hidden states to places. `wants_all_contexts` says whether h holds the contexts of all actions [A, D] or of the
/// selected ones [Q, D].
///   nll(h, batch)            [Q]: -log p(target)
///   probabilities(h, batch)  [Q, P]: over all place tokens, rows sum to 1
template <class H>
concept OutputHead = Module<H> && requires(const H& head, const Tensor<typename H::backend>& h,
                                           const ActionTensors<typename H::backend>& batch) {
  { H::wants_all_contexts } -> std::convertible_to<bool>;
  { head.nll(h, batch) } -> std::same_as<Tensor<typename H::backend>>;
  { head.probabilities(h, batch) } -> std::same_as<Tensor<typename H::backend>>;
};

/// Something that can be trained on batches of actions and asked for places: a whole model.
template <class M>
concept PlaceModel = Module<M> && requires(const M& model, const ActionTensors<typename M::backend>& batch) {
  { model.nll(batch) } -> std::same_as<Tensor<typename M::backend>>;
  { model.probabilities(batch) } -> std::same_as<Tensor<typename M::backend>>;
};

}  // namespace chronotope
