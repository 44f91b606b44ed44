#pragma once
// What a user's own past says of a candidate; ours, not in the paper (docs/design.md).

#include "chronotope/components/candidate_pointers.hpp"
#include "chronotope/components/context_states.hpp"
#include "chronotope/components/pointer_attention.hpp"
#include "chronotope/ops/reduce.hpp"

namespace chronotope {

struct CandidatePointerOptions {
  PointerOptions pointer = {};      ///< s_k below
  std::int64_t places = 1;          ///< rows of the table of places, the unknown 0 included; more places share them
  std::int64_t place_width = 16;    ///< d_p
};

/// Log-odds of a click that are added to those of the decoder, for a candidate c in the context i with the user's past actions j < i:
///   sum_k [w_k C_k(place of c) + w'_k C_k(category of c) + w''_k C_k(any place)]       C_k(x) = log(1 + sum_{j at x} exp s_k(i, j))
///   + (W_q h_i + b_q) . (p[place of c] + e[category of c]) / sqrt(d_p)
///   + d[distance from the user to c]
/// C are counts of the past that learn which actions count how much, by PointerAttention's scores s between contexts; like the target attention of
/// DIN (Zhou et al. 2018) they are sums, not shares, so that being there often differs from being there once. All starts at 0: as if it were not there.
template <Backend B> class CandidatePointer {
 public:
  using backend = B;

  /// Throws ConfigError unless there is at least one pointer head of at least one element.
  CandidatePointer(Context<B>& context, const CandidatePointerOptions& o)
      : attention(context, o.pointer), counts(constant_parameter(context, {1, 3 * o.pointer.heads}, 0, o.pointer.dtype)),
        asking(context, o.pointer.width, o.place_width, true, o.pointer.dtype), place(constant_parameter(context, {o.places, o.place_width}, 0, o.pointer.dtype)),
        category(constant_parameter(context, {std::max<std::int64_t>(o.pointer.categories, 1), o.place_width}, 0, o.pointer.dtype)) {
    if (o.pointer.spacetime) distance = constant_parameter(context, {o.pointer.distance, 1}, 0, o.pointer.dtype);
  }

  /// The candidates whose last tokens stand in packed rows `rows` [A] of what `past` knows -> [A]. O(A N) memory for N contexts a sequence.
  Tensor<B> operator()(const ContextStates<B>& past, std::span<const std::int32_t> rows) const {
    using detail::upload_like;
    const ModuleScope scope("candidates");
    const CandidatePointers p(past.trail(), rows);
    const Tensor<B>& h = past.states();
    const Tensor<B> seen = linear(counted(h, p), counts());
    const Tensor<B> q = asking(gather(h, upload_like(h, p.step)));
    const Tensor<B> known = gather(place(), upload_like(h, rows_of(p.place))) + gather(category(), upload_like(h, p.category));
    const Tensor<B> liked = sum(q * known, 1) * (1 / std::sqrt(static_cast<double>(q.size(1))));
    const Tensor<B> both = reshape(seen, {seen.size(0)}) + liked;
    return distance ? both + reshape(gather((*distance)(), upload_like(h, p.distance)), both.shape()) : both;
  }

  template <class V> void visit(V&& v) {
    v("attention", attention);
    v("counts", counts);
    v("asking", asking);
    v("place", place);
    v("category", category);
    v("distance", distance);
  }

  PointerAttention<B> attention;            ///< s
  Parameter<B> counts;                      ///< [1, 3 K]: w, w', w''
  Linear<B> asking;                         ///< W_q [d_p, D], b_q
  Parameter<B> place, category;             ///< p [places, d_p], e [categories, d_p]
  std::optional<Parameter<B>> distance;     ///< d [bins, 1]

 private:
  /// [A, 3 K].
  Tensor<B> counted(const Tensor<B>& h, const CandidatePointers& p) const {
    using detail::upload_like;
    const Tensor<B> own = detail::scores_at(attention(h, p), p.slot);
    const auto count = [&](const std::vector<std::uint8_t>& hidden) {
      const Tensor<B> s = where(upload_like(h, hidden, {own.size(0), 1, p.keys}), scalar_like(own, detail::hidden_score), own);
      const Tensor<B> one = full<B>(own.state(), {own.size(0), own.size(1), 1}, 0, own.dtype());
      return logsumexp(concat(std::vector<Tensor<B>>{one, s}, 2), 2);  // padding comes last: sums must not know how much there is
    };
    const Tensor<B> all = concat(std::vector<Tensor<B>>{count(p.elsewhere), count(p.otherwise), count(p.unseen)}, 1);
    return reshape(all, {own.size(0), 3 * own.size(1)});
  }

  std::vector<std::int32_t> rows_of(std::vector<std::int32_t> places) const {
    const auto known = static_cast<std::int32_t>(place.shape()[0]) - 1;
    for (std::int32_t& p : places)
      if (p > 0) p = known > 0 ? 1 + (p - 1) % known : 0;
    return places;
  }
};

}  // namespace chronotope
