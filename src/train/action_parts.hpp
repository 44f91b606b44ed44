#pragma once
// What every stage of a model of actions is made of: log, vocabulary, tokens, model.

#include "chronotope/train/action_run.hpp"

namespace chronotope {

/// Its parts refer to each other, so it stays where it was made.
struct ActionParts {
  using B = any_backend;

  /// The vocabulary is that of `from` where there is one: a checkpoint of the same training, or the model that a stage starts from.
  ActionParts(Context<B>& context, const ActionSource& source, const Config& config, const Checkpoint* from);
  ActionParts(const ActionParts&) = delete;

  /// Targets that validation generates places for.
  std::vector<ActionWindow> validation_targets() const;
  std::int64_t validation_from() const { return tokenizer.vocabulary().validation_from; }
  std::int64_t test_from() const { return tokenizer.vocabulary().test_from; }
  std::uint64_t fingerprint() const;

  Config config;
  ActionTokenizer tokenizer;
  ActionHistories histories;
  ActionTokens tokens;
  AnyGenerativeModel<B> model;
};

/// The model of a checkpoint's weights. Where they know no projection of places' vectors and the config has them, it begins at 0:
/// the model says then what it said without.
void load_weights(Context<any_backend>& context, AnyGenerativeModel<any_backend>& model, const Checkpoint& checkpoint);

/// A model of a config with fresh weights, and the vectors of places that the config names.
AnyGenerativeModel<any_backend> fresh_model(Context<any_backend>& context, const Config& config, const ActionTokenizer& tokenizer);

/// hr@1, hr@10 and MRR of ranks, 0 for places that were not generated. The score is hr@1 + MRR / 2.
Validation generation_validation(std::span<const std::int64_t> ranks);

}  // namespace chronotope
