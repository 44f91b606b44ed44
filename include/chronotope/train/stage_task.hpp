#pragma once
// Fine-tuning and alignment on request logs (Spacetime-GR, 3.2.2 and 3.2.3).

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
  std::uint64_t seed = 1;
};

namespace detail {

/// The users' and the candidates' vectors of some requests, each of length 1: [R, E] and [C, E].
template <class Model, Backend B>
std::pair<Tensor<B>, Tensor<B>> tower_vectors(Context<B>& context, const Model& model, const RequestTokens& tokens, std::span<const std::uint32_t> some) {
  TokenBatch users, places;
  for (const std::uint32_t number : some) {
    const AskedRequest& r = tokens.requests().requests[number];
    users.ask(tokens.add_user(r, users).end - 1, Question::state);
    for (const SeenPlace& place : tokens.requests().candidates(r)) {
      places.sequence();
      places.ask(add_candidate(tokens.actions().tokenizer(), place, places), Question::state);
    }
  }
  return {normalized(model.user(model.hidden(TokenTensors<B>(context, std::move(users))))), normalized(model.place(model.hidden(TokenTensors<B>(context, std::move(places)))))};
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
  for (const std::uint32_t number : some) tokens.add_ranked(tokens.requests().requests[number], batch);
  return model.click_logits(model.hidden(TokenTensors<B>(context, std::move(batch))));
}

/// log P(place) of the candidates of some requests that are in the index, [C].
template <class Model, Backend B = typename Model::backend>
Tensor<B> generation_scores(Context<B>& context, const Model& model, const RequestTokens& tokens, std::span<const std::uint32_t> some) {
  TokenBatch batch;
  for (const std::uint32_t number : some) tokens.add_generated(tokens.requests().requests[number], batch);
  return candidate_log_probabilities(model, TokenTensors<B>(context, std::move(batch)));
}

/// log P of what comes first after the u tokens of some requests: every block, or every place where places are one token, [R, NB].
template <class Model, Backend B = typename Model::backend>
Tensor<B> first_scores(Context<B>& context, const Model& model, const RequestTokens& tokens, std::span<const std::uint32_t> some) {
  const NoGrad no_grad;
  TokenBatch batch;
  std::vector<std::int32_t> rows;
  for (const std::uint32_t number : some) {
    rows.push_back(tokens.add_user(tokens.requests().requests[number], batch).end - 1);
    batch.ask(rows.back(), Question::state);
  }
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
/// (align); `batch` requests at once.
template <class Model, Backend B = typename Model::backend>
std::vector<float> candidate_scores(Context<B>& context, const Model& model, const RequestTokens& tokens, std::span<const std::uint32_t> requests,
                                    Stage stage, std::int64_t batch) {
  const NoGrad no_grad;
  std::vector<float> scores;
  for (std::size_t at = 0; at < requests.size(); at += static_cast<std::size_t>(batch)) {
    const auto some = requests.subspan(at, std::min(requests.size() - at, static_cast<std::size_t>(batch)));
    const Tensor<B> values = stage == Stage::embed  ? tower_similarities(context, model, tokens, some)
                             : stage == Stage::rank ? ranking_logits(context, model, tokens, some)
                                                    : generation_scores(context, model, tokens, some);
    const std::vector<float> host = values.template to_host<float>();
    scores.insert(scores.end(), host.begin(), host.end());
  }
  return scores;
}

/// A TrainingTask whose samples are requests. Keeps references. `reference` gives generation_scores of the frozen model for the same
/// requests; only alignment asks for it.
template <Module M> class StageTask {
 public:
  using backend = typename M::backend;
  using Sample = std::uint32_t;
  using Reference = std::function<Tensor<backend>(std::span<const std::uint32_t>)>;

  StageTask(Context<backend>& context, M& model, const RequestTokens& tokens, std::vector<std::uint32_t> requests, const StageOptions& options, Reference reference = {})
      : context_(context), model_(model), tokens_(tokens), requests_(std::move(requests)), options_(options), reference_(std::move(reference)) {}

  M& model() { return model_; }
  std::vector<std::uint32_t> samples(std::uint64_t epoch) const {
    std::vector<std::uint32_t> order = requests_;
    shuffle(order, options_.seed, epoch);
    return order;
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
    const double drift = mean(policy.detach() - reference).template item<float>();
    return {loss.sum, loss.terms, static_cast<std::int64_t>(some.size()), {{"reward_margin", mean(loss.margins).template item<float>()}, {"log_ratio", drift}}};
  }

  Context<backend>& context_;
  M& model_;
  const RequestTokens& tokens_;
  std::vector<std::uint32_t> requests_;
  StageOptions options_;
  Reference reference_;
};

}  // namespace chronotope
