#pragma once
// What a click model is trained for, from its head's logits: CTR, and CTCVR where conversions are recorded.

#include <cmath>

#include "chronotope/data/click_batch.hpp"
#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/loss.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

/// How the probability of "clicked and converted" comes about.
enum class ConversionForm : std::uint8_t {
  product,   ///< CTR x CVR, the second logit being that of CVR (Ma et al., "Entire Space Multi-Task Model", SIGIR 2018, eq. 1)
  own_tower  ///< the second logit is that of CTCVR itself
};

struct ClickTaskOptions {
  bool conversion = false;  ///< two tasks, CTR and CTCVR; else CTR alone
  ConversionForm form = ConversionForm::product;
  double ctr_weight = 1, ctcvr_weight = 1;  ///< in the loss
};

/// Tasks in the order CTR, CTCVR. Nothing is clipped: losses and gradients are finite for all finite logits.
class ClickTasks {
 public:
  /// Throws ConfigError for weights that are negative, not finite or all 0.
  explicit ClickTasks(const ClickTaskOptions& o) : options_(o) {
    const double a = o.ctr_weight, b = o.conversion ? o.ctcvr_weight : 0;
    if (!(a >= 0) || !(b >= 0) || !(a + b > 0) || !std::isfinite(a + b))
      throw ConfigError("weights of tasks must be numbers from 0 on, and one of them above 0");
  }

  std::int64_t count() const { return options_.conversion ? 2 : 1; }

  /// [B, tasks] of logits' dtype and device: click, click and conversion. Throws DataError when conversions are needed and
  /// not recorded, ShapeError when numbers of samples differ.
  template <Backend B> Tensor<B> labels(const Tensor<B>& logits, const ClickBatch& batch) const {
    check(logits);
    if (options_.conversion && batch.conversion.empty()) throw DataError("CTCVR needs conversions, which this log does not record: train for CTR alone");
    const std::size_t samples = batch.click.size(), tasks = static_cast<std::size_t>(count());
    if (static_cast<std::int64_t>(samples) != logits.size(0))
      throw ShapeError("[click tasks] logits " + to_string(logits.shape()) + " for " + std::to_string(samples) + " samples");
    std::vector<float> values(samples * tasks);
    for (std::size_t i = 0; i < samples; ++i) {
      values[i * tasks] = batch.click[i];
      if (tasks == 2) values[i * tasks + 1] = batch.click[i] * batch.conversion[i];
    }
    return cast(Tensor<B>::from_host(logits.state(), std::span<const float>(values), logits.shape()), logits.dtype());
  }

  /// The head's logits [B, tasks] -> log(p / (1 - p)) of every task's probability. With p = 1 / ((1 + e^-a)(1 + e^-b)) the
  /// odds of the product are 1 / (e^-a + e^-b + e^(-a-b)).
  template <Backend B> Tensor<B> log_odds(const Tensor<B>& logits) const {
    check(logits);
    if (!options_.conversion || options_.form == ConversionForm::own_tower) return logits;
    const Tensor<B> ctr = slice(logits, 1, 0, 1), terms = concat(std::vector<Tensor<B>>{neg(logits), neg(sum(logits, 1, true))}, 1);
    return concat(std::vector<Tensor<B>>{ctr, neg(logsumexp(terms, 1))}, 1);
  }

  /// [B, tasks]; small ones are exact relative to their size.
  template <Backend B> Tensor<B> probabilities(const Tensor<B>& logits) const {
    const Tensor<B> odds = log_odds(logits);
    return exp(neg(binary_cross_entropy(odds, full<B>(odds.state(), odds.shape(), 1, odds.dtype()))));
  }

  /// Cross-entropy of each sample and task, [B, tasks].
  template <Backend B> Tensor<B> losses(const Tensor<B>& logits, const Tensor<B>& labels) const { return binary_cross_entropy(log_odds(logits), labels); }

  /// The tasks' mean losses, weighted and added up: a scalar.
  template <Backend B> Tensor<B> loss(const Tensor<B>& logits, const Tensor<B>& labels) const {
    const Tensor<B> each = mean(losses(logits, labels), 0);
    Tensor<B> total = select(each, 0, 0) * options_.ctr_weight;
    if (options_.conversion) total = total + select(each, 0, 1) * options_.ctcvr_weight;
    return total;
  }

 private:
  template <Backend B> void check(const Tensor<B>& logits) const {
    if (logits.rank() != 2 || logits.size(1) != count())
      throw ShapeError("[click tasks] logits must be [samples, " + std::to_string(count()) + "], are " + to_string(logits.shape()));
  }

  ClickTaskOptions options_;
};

}  // namespace chronotope
