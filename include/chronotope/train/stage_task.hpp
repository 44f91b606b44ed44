#pragma once
// Fine-tuning and alignment on request logs (Spacetime-GR, 3.2.2 and 3.2.3).

#include <unordered_map>

#include "chronotope/core/shuffle.hpp"
#include "chronotope/models/candidates.hpp"
#include "chronotope/models/encoded.hpp"
#include "chronotope/train/request_histories.hpp"
#include "chronotope/train/task.hpp"

namespace chronotope {

enum class Stage : std::uint8_t { embed, rank, align };

struct StageOptions {
  Stage stage = Stage::rank;
  double temperature = 0.1;             ///< embed
  PreferenceOptions preference = {};    ///< align
  std::size_t together = 4;             ///< requests of one user that an epoch keeps side by side, at most; at least 1
  std::uint64_t seed = 1;
};

namespace detail {

/// The users' and the candidates' vectors of some requests, each of length 1: [R, E] and [C, E].
template <class Model, Backend B>
std::pair<Tensor<B>, Tensor<B>> tower_vectors(Context<B>& context, const Model& model, const RequestTokens& tokens, std::span<const std::uint32_t> some) {
  TokenBatch users, places;
  tokens.add_users(some, users);
  for (const std::uint32_t number : some)
    for (const SeenPlace& place : tokens.requests().candidates(tokens.requests().requests[number])) {
      places.sequence();
      places.ask(add_candidate(tokens.actions().tokenizer(), place, places), Question::state);
    }
  return {normalized(model.user(model.hidden(TokenTensors<B>(context, std::move(users))))), normalized(model.place(model.hidden(TokenTensors<B>(context, std::move(places)))))};
}

/// Groups one after another.
inline std::vector<std::uint32_t> in_turn(const std::vector<std::vector<std::uint32_t>>& groups) {
  std::vector<std::uint32_t> all;
  for (const auto& group : groups) all.insert(all.end(), group.begin(), group.end());
  return all;
}

/// Scores of the candidates of `order`, counts [order] of each, as those of `wanted`, the same requests in another order.
inline std::vector<float> in_order_of(std::span<const std::uint32_t> wanted, std::span<const std::uint32_t> order, std::span<const std::int32_t> counts,
                                      const std::vector<float>& scores) {
  std::unordered_map<std::uint32_t, std::span<const float>> of;
  std::size_t at = 0;
  for (std::size_t i = 0; i < order.size(); ++i) of[order[i]] = std::span(scores).subspan(at, static_cast<std::size_t>(counts[i])), at += static_cast<std::size_t>(counts[i]);
  std::vector<float> all;
  for (const std::uint32_t number : wanted) all.insert(all.end(), of.at(number).begin(), of.at(number).end());
  return all;
}

/// [C] i32: which of the requests each candidate belongs to.
template <Backend B> Tensor<B> request_of(Context<B>& context, const CandidateLabels& labels) {
  std::vector<std::int32_t> of;
  for (std::size_t r = 0; r < labels.counts.size(); ++r) of.insert(of.end(), static_cast<std::size_t>(labels.counts[r]), static_cast<std::int32_t>(r));
  return Tensor<B>::from_host(context, of, {static_cast<std::int64_t>(of.size())});
}

}  // namespace detail

/// Cosines of users and candidates of some requests, [C].
template <class Model, Backend B = typename Model::backend>
Tensor<B> tower_similarities(Context<B>& context, const Model& model, const RequestTokens& tokens, std::span<const std::uint32_t> some) {
  const auto [users, places] = detail::tower_vectors(context, model, tokens, some);
  return candidate_similarities(users, places, detail::request_of(context, tokens.requests().labels(some)));
}

/// Log-odds of a click for the candidates of some requests, [C].
template <class Model, Backend B = typename Model::backend>
Tensor<B> ranking_logits(Context<B>& context, const Model& model, const RequestTokens& tokens, std::span<const std::uint32_t> some) {
  TokenBatch batch;
  tokens.add_ranked(some, batch);
  return model.click_logits(TokenTensors<B>(context, std::move(batch)));
}

/// log P(place) of the candidates of some requests that are in the index, [C].
template <class Model, Backend B = typename Model::backend>
Tensor<B> generation_scores(Context<B>& context, const Model& model, const RequestTokens& tokens, std::span<const std::uint32_t> some) {
  TokenBatch batch;
  tokens.add_generated(some, batch);
  return candidate_log_probabilities(model, TokenTensors<B>(context, std::move(batch)));
}

/// log P of what comes first after the u tokens of some requests: every block, or every place where places are one token, [R, NB].
template <class Model, Backend B = typename Model::backend>
Tensor<B> first_scores(Context<B>& context, const Model& model, const RequestTokens& tokens, std::span<const std::uint32_t> some) {
  const NoGrad no_grad;
  TokenBatch batch;
  tokens.add_users(some, batch);
  std::vector<std::int32_t> rows;
  for (const Ask& ask : batch.asks()) rows.push_back(ask.row);
  Encoded<B> encoded;
  const Tensor<B> h = encoded.add(context, model, batch);
  const bool single = tokens.actions().tokenizer().places().block_rows() == 0;
  return single ? model.head.inner_scores(h, encoded.contexts(), rows) : model.head.block_scores(h, encoded.contexts(), rows);
}

/// Kullback-Leibler divergence of p from q, means over the rows of log p, log q [R, N], in nats.
template <Backend B> double divergence(const Tensor<B>& log_p, const Tensor<B>& log_q) {
  return mean(sum(exp(log_p) * (log_p - log_q), 1)).template item<float>();
}

/// What a stage's model gives all candidates of some requests: similarities (embed), log-odds (rank) or, of those in the index, log-probabilities
/// (align); `batch` requests at once, those of one user together.
template <class Model, Backend B = typename Model::backend>
std::vector<float> candidate_scores(Context<B>& context, const Model& model, const RequestTokens& tokens, std::span<const std::uint32_t> requests,
                                    Stage stage, std::int64_t batch) {
  const NoGrad no_grad;
  const std::vector<std::uint32_t> order = detail::in_turn(tokens.groups(requests, requests.size()));
  std::vector<float> found;
  for (std::size_t at = 0; at < order.size(); at += static_cast<std::size_t>(batch)) {
    const auto some = std::span(order).subspan(at, std::min(order.size() - at, static_cast<std::size_t>(batch)));
    const Tensor<B> values = stage == Stage::embed  ? tower_similarities(context, model, tokens, some)
                             : stage == Stage::rank ? ranking_logits(context, model, tokens, some)
                                                    : generation_scores(context, model, tokens, some);
    const std::vector<float> host = values.template to_host<float>();
    found.insert(found.end(), host.begin(), host.end());
  }
  return detail::in_order_of(requests, order, tokens.requests().labels(order, stage == Stage::align).counts, found);
}

/// A TrainingTask whose samples are requests. Up to `together` requests of one user that see the same first action are neighbours in an epoch, by time;
/// an epoch draws the order of these groups. Those that meet in a batch share one encoding of the history; each has its own loss. Keeps references.
/// `reference` gives generation_scores of the frozen model for the same requests; only alignment asks for it.
template <Module M> class StageTask {
 public:
  using backend = typename M::backend;
  using Sample = std::uint32_t;
  using Reference = std::function<Tensor<backend>(std::span<const std::uint32_t>)>;

  StageTask(Context<backend>& context, M& model, const RequestTokens& tokens, std::span<const std::uint32_t> requests, const StageOptions& options, Reference reference = {})
      : context_(context), model_(model), tokens_(tokens), groups_(tokens.groups(requests, options.together)), options_(options), reference_(std::move(reference)) {}

  M& model() { return model_; }
  std::vector<std::uint32_t> samples(std::uint64_t epoch) const {
    std::vector<std::vector<std::uint32_t>> order = groups_;
    shuffle(order, options_.seed, epoch);
    return detail::in_turn(order);
  }

  TaskLoss<backend> loss(std::span<const std::uint32_t> some) {
    switch (options_.stage) {
      case Stage::embed: return embed(some);
      case Stage::rank: return rank(some);
      case Stage::align: return align(some);
    }
    return {};
  }

 private:
  using Tensors = Tensor<backend>;

  TaskLoss<backend> embed(std::span<const std::uint32_t> some) {
    const Tensors terms = info_nce(tower_similarities(context_, model_, tokens_, some), tokens_.requests().labels(some), options_.temperature);
    return {sum(terms), terms.size(0), static_cast<std::int64_t>(some.size())};
  }

  TaskLoss<backend> rank(std::span<const std::uint32_t> some) {
    const Tensors logits = ranking_logits(context_, model_, tokens_, some);
    const CandidateLabels labels = tokens_.requests().labels(some);
    const Tensors wanted = cast(Tensors::from_host(context_, labels.clicked, logits.shape()), logits.dtype());
    return {sum(binary_cross_entropy(logits, wanted)), logits.size(0), static_cast<std::int64_t>(some.size())};
  }

  TaskLoss<backend> align(std::span<const std::uint32_t> some) {
    const Tensors policy = generation_scores(context_, model_, tokens_, some), reference = reference_(some);
    const CandidateLabels labels = tokens_.requests().labels(some, true);
    const PreferenceLoss<backend> loss = preference_loss(policy, reference, labels, options_.preference);
    const Tensors drift = mean(policy.detach() - reference);
    return {loss.sum, loss.terms, static_cast<std::int64_t>(some.size()), {{"reward_margin", mean(loss.margins)}, {"log_ratio", drift}}};
  }

  Context<backend>& context_;
  M& model_;
  const RequestTokens& tokens_;
  std::vector<std::vector<std::uint32_t>> groups_;
  StageOptions options_;
  Reference reference_;
};

}  // namespace chronotope
