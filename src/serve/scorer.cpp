#include "chronotope/serve/scorer.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include "chronotope/train/click_run.hpp"

namespace chronotope {
namespace {

std::vector<ClickColumns::Ids> zero_ids(const std::vector<ClickSchema::Ids>& columns, std::size_t rows) {
  std::vector<ClickColumns::Ids> all;
  for (const ClickSchema::Ids& c : columns) all.push_back({c.name, c.table, c.part, c.rows, std::vector<std::int32_t>(rows)});
  return all;
}

std::vector<ClickColumns::Numbers> zero_numbers(const std::vector<ClickSchema::Numbers>& columns, std::size_t rows) {
  std::vector<ClickColumns::Numbers> all;
  for (const ClickSchema::Numbers& c : columns) all.push_back({c.name, c.part, std::vector<float>(rows)});
  return all;
}

void fill(ClickColumns::Times& at, std::size_t rows) {
  for (std::size_t i = 0; i < rows; ++i) at.add(0, 0);
}

double probability(float logit) { return 1 / (1 + std::exp(-static_cast<double>(logit))); }

}  // namespace

ClickColumns request_columns(const ClickSchema& schema, std::size_t candidates, std::size_t behaviours) {
  ClickColumns c;
  c.click.resize(candidates);
  if (schema.conversion) c.conversion.resize(candidates);
  c.split.resize(candidates, Split::test);
  c.ids = zero_ids(schema.ids, candidates), c.numbers = zero_numbers(schema.numbers, candidates);
  c.behaviour_ids = zero_ids(schema.behaviour_ids, behaviours), c.behaviour_numbers = zero_numbers(schema.behaviour_numbers, behaviours);
  c.first.resize(candidates), c.last.resize(candidates, behaviours);
  fill(c.at, candidates), fill(c.behaviours_at, behaviours);
  return c;
}

struct Scorer::Impl {
  Impl(const std::string& folder, any_backend::stream stream) : context(std::move(stream)), trained(load_clicks(context, read_trained(folder))) {}

  Context<any_backend> context;
  TrainedClicks trained;
};

Scorer::Scorer(const std::string& folder, any_backend::stream stream) : impl_(std::make_unique<Impl>(folder, std::move(stream))) {}
Scorer::~Scorer() = default;
Scorer::Scorer(Scorer&&) noexcept = default;

const Config& Scorer::config() const { return impl_->trained.config; }
const ClickSchema& Scorer::schema() const { return impl_->trained.schema; }

std::vector<CandidateScore> Scorer::score(const ClickLog& request) const {
  std::vector<std::uint64_t> samples(request.size());
  std::iota(samples.begin(), samples.end(), std::uint64_t{0});
  const TaskLogits logits = score_samples(impl_->context, impl_->trained, request, samples, 1);
  std::vector<CandidateScore> scores(samples.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    scores[i].ctr = probability(logits.logits[0][i]);
    scores[i].ctcvr = logits.tasks.size() > 1 ? probability(logits.logits[1][i]) : std::numeric_limits<double>::quiet_NaN();
  }
  return scores;
}

}  // namespace chronotope
