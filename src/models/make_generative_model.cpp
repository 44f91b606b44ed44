#include "chronotope/models/make_generative_model.hpp"

namespace chronotope {

std::int64_t most_tokens(const Config& c) { return c.actions.profile_tokens + 4 * c.model.length + 3; }

GenerativeSizes generative_sizes(const ActionTokenizer& tokenizer, const ActionsConfig& actions, std::int64_t vector_width) {
  const ActionVocabulary& v = tokenizer.vocabulary();
  const auto rows = [](std::size_t names) { return static_cast<std::int64_t>(names) + 1; };
  return {tokenizer.places().block_rows(), tokenizer.places().inner_rows(), rows(v.categories.size()), v.types.empty() ? 0 : rows(v.types.size()),
          std::int64_t{v.geo_rows} + 1, actions.profile_tokens > 0 ? std::int64_t{v.profiles.vocabulary()} : 0, vector_width, std::int64_t{tokenizer.places().places()} + 1};
}

}  // namespace chronotope
