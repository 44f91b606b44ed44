#pragma once
// Losses of Spacetime-GR's later stages, of scores that the model gave to candidates: InfoNCE (embedding fine-tuning, 3.2.2), DPO
// and S-DPO (alignment, 3.2.3).

#include "chronotope/components/candidate_labels.hpp"
#include "chronotope/nn/softmax_among.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/loss.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

namespace detail {

/// values [C] at the candidates of `rows`, [rows, width]; `elsewhere` in padding.
template <Backend B> Tensor<B> at_candidates(const Tensor<B>& values, const CandidateRows& rows, double elsewhere) {
  const Shape shape{rows.rows, rows.width};
  const Tensor<B> ids = Tensor<B>::from_host(values.state(), std::span<const std::int32_t>(rows.candidate), {rows.rows * rows.width});
  const Tensor<B> there = Tensor<B>::from_host(values.state(), std::span<const std::uint8_t>(rows.there), shape);
  return where(there, reshape(gather(reshape(values, {-1, 1}), ids), shape), scalar_like(values, elsewhere));
}

inline constexpr double no_candidate = -1e30;  ///< finite: its exponential is 0

/// -log sigmoid(x), exact for large |x|.
template <Backend B> Tensor<B> negative_log_sigmoid(const Tensor<B>& x) {
  return binary_cross_entropy(x, full<B>(x.state(), x.shape(), 1, x.dtype()));
}

}  // namespace detail

/// InfoNCE over several positives: -log(sum over the clicked of e^(s / tau) / sum over all of e^(s / tau)), [Q], one for each
/// request that has clicked and unclicked candidates. similarity [C], a cosine in the paper. Throws DataError (as
/// request_rows; when no request has both), ConfigError for a temperature that is not above 0.
template <Backend B> Tensor<B> info_nce(const Tensor<B>& similarity, const CandidateLabels& labels, double temperature = 0.1) {
  if (!(temperature > 0)) throw ConfigError("the temperature of InfoNCE must be above 0");
  const CandidateRows all = request_rows(labels, -1), clicked = request_rows(labels, 1);
  if (all.rows == 0) throw DataError("[info_nce] no request has both a clicked and an unclicked candidate");
  const Tensor<B> s = similarity * (1 / temperature);
  const Tensor<B> total = logsumexp(detail::at_candidates(s, all, detail::no_candidate), 1);
  return reshape(total - logsumexp(detail::at_candidates(s, clicked, detail::no_candidate), 1), {all.rows});
}

enum class PreferenceForm : std::uint8_t {
  pairs,   ///< DPO (Rafailov et al. 2023): every clicked candidate against every unclicked one of its request
  softmax  ///< S-DPO (Chen et al. 2024): every clicked candidate against all unclicked ones at once
};

struct PreferenceOptions {
  double beta = 1;  ///< how far the model may go from the reference
  PreferenceForm form = PreferenceForm::pairs;
};

template <Backend B> struct PreferenceLoss {
  Tensor<B> sum;            ///< a scalar, of all terms
  std::int64_t terms = 0;   ///< pairs, or clicked candidates
  Tensor<B> margins;        ///< [P] reward of each clicked candidate minus the mean of its unclicked ones; no gradient
};

/// With the reward r = beta (policy - reference) of each candidate:
///   pairs    -log sigmoid(r_clicked - r_other), one term a pair
///   softmax  -log sigmoid(-log sum over the others of e^(r_other - r_clicked)), one term a clicked candidate
/// policy, reference [C]: log-probabilities of the candidates, log P(block) + log P(inner) in the paper; the reference's gradient
/// is not asked for. Requests of one class have no preference. Throws DataError as info_nce, ConfigError unless beta is above 0.
template <Backend B>
PreferenceLoss<B> preference_loss(const Tensor<B>& policy, const Tensor<B>& reference, const CandidateLabels& labels, const PreferenceOptions& options = {}) {
  if (!(options.beta > 0)) throw ConfigError("beta of a preference loss must be above 0");
  const Preferences p = preferences(labels);
  const auto chosen_count = static_cast<std::int64_t>(p.chosen.size());
  if (chosen_count == 0) throw DataError("[preference_loss] no request has both a clicked and an unclicked candidate");
  const CandidateRows chosen{chosen_count, 1, p.chosen, std::vector<std::uint8_t>(p.chosen.size(), 1)};
  const Tensor<B> reward = (policy - reference.detach()) * options.beta;
  const Tensor<B> own = detail::at_candidates(reward, chosen, 0);                                   // [P, 1]
  const Tensor<B> others = detail::at_candidates(reward, p.rejected, detail::no_candidate);         // [P, K]
  const Tensor<B> there = Tensor<B>::from_host(policy.state(), std::span<const std::uint8_t>(p.rejected.there), others.shape());
  const Tensor<B> apart = where(there, own - others, scalar_like(others, 0));
  PreferenceLoss<B> loss;
  loss.margins = reshape(sum(apart, 1) / sum(cast(there, apart.dtype()), 1), {chosen_count}).detach();
  const Tensor<B> terms = options.form == PreferenceForm::softmax
                              ? detail::negative_log_sigmoid(neg(logsumexp(others - own, 1)))
                              : where(there, detail::negative_log_sigmoid(apart), scalar_like(apart, 0));
  loss.sum = sum(terms);
  loss.terms = options.form == PreferenceForm::softmax ? chosen_count : std::count(p.rejected.there.begin(), p.rejected.there.end(), std::uint8_t{1});
  return loss;
}

}  // namespace chronotope
