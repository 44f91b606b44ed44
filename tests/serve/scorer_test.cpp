// Scoring candidates: the same figures as the training path gives, whatever stands in the batch beside them.

#include "chronotope/serve/scorer.hpp"

#include <cmath>

#include "chronotope/data/generated_clicks.hpp"
#include "chronotope/train/click_run.hpp"
#include "train/tiny.hpp"

using namespace chronotope;
using scratch::error_of;
using scratch::Folder;

namespace {

const ClickLog& log() {
  static const GeneratedClicks made = generate_clicks({.users = 12, .requests = 10, .behaviours = 30, .categories = 3, .items = 30, .seed = 3});
  return made.log;
}

/// A STIM trained for a moment on a backend.
struct Trained {
  explicit Trained(const std::string& backend) : backend(backend) {
    Config config;
    set_config(config, std::vector<std::string>{"system=clicks", "clicks.kept=10", "training.batch=16", "training.epochs=1", "training.learning_rate=0.01",
                                                "training.warmup_steps=1", "evaluation.batch=7"});
    Context<any_backend> context(tiny::stream(backend));
    train_clicks(context, log(), config, folder.file("m"), {}, 1);
  }
  Scorer scorer() const { return Scorer(folder.file("m"), tiny::stream(backend)); }
  std::vector<float> logits(std::int64_t batch) const {
    Checkpoint checkpoint = read_trained(folder.file("m"));
    checkpoint.config.evaluation.batch = batch;
    Context<any_backend> context(tiny::stream(backend));
    return score_clicks(context, checkpoint, log(), samples_of(log(), Split::test), 1).logits[0];
  }

  std::string backend;
  Folder folder;
};

/// The test samples that share the list of the first one, as a request of its own.
ClickLog request_of(const ClickSchema& schema, const std::vector<std::uint64_t>& samples) {
  const std::size_t from = log().first[samples[0]], n = log().last[samples[0]] - from;
  ClickColumns c = request_columns(schema, samples.size(), n);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::uint64_t s = samples[i];
    c.at.time[i] = log().at.time[s], c.at.hour[i] = log().at.hour[s], c.at.weekday[i] = log().at.weekday[s], c.at.geohash[i] = log().at.geohash[s];
    for (auto& column : c.ids) column.values[i] = log().id_column(column.name).values[s];
    for (std::size_t k = 0; k < c.numbers.size(); ++k) c.numbers[k].values[i] = log().numbers[k].values[s];
  }
  const Behaviours& b = log().behaviours;
  for (std::size_t i = 0; i < n; ++i) {
    c.behaviours_at.time[i] = b.at.time[from + i], c.behaviours_at.hour[i] = b.at.hour[from + i];
    c.behaviours_at.weekday[i] = b.at.weekday[from + i], c.behaviours_at.geohash[i] = b.at.geohash[from + i];
    for (std::size_t k = 0; k < c.behaviour_ids.size(); ++k) c.behaviour_ids[k].values[i] = b.ids[k].values[from + i];
    for (std::size_t k = 0; k < c.behaviour_numbers.size(); ++k) c.behaviour_numbers[k].values[i] = b.numbers[k].values[from + i];
  }
  return make_click_log(std::move(c));
}

/// How far apart two values may be: not a bit on oneDNN, whose narrow layers add each row up by itself; Eigen's products of
/// another number of rows may add in another order.
double slack(const std::string& backend) { return backend == "onednn" ? 0 : 1e-5; }

}  // namespace

TEST_CASE("a scorer says what the training path says, on oneDNN to the last bit") {
  for (const std::string& backend : tiny::backends()) {
    CAPTURE(backend);
    const Trained trained(backend);
    const Scorer scorer = trained.scorer();
    const std::vector<std::uint64_t> samples = samples_of(log(), Split::test);
    const std::vector<float> logits = trained.logits(7);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const std::vector<CandidateScore> scores = scorer.score(request_of(scorer.schema(), {samples[i]}));
      REQUIRE(scores.size() == 1);
      CHECK(std::abs(scores[0].ctr - 1 / (1 + std::exp(-static_cast<double>(logits[i])))) <= slack(backend));
      CHECK(std::isnan(scores[0].ctcvr));
    }
  }
}

TEST_CASE("scores do not depend on how many samples stand in a batch, on oneDNN to the last bit") {
  for (const std::string& backend : tiny::backends()) {
    CAPTURE(backend);
    const Trained trained(backend);
    const std::vector<float> one = trained.logits(1);
    for (const std::int64_t batch : {2, 3, 7, 16, 64}) {
      CAPTURE(batch);
      const std::vector<float> many = trained.logits(batch);
      REQUIRE(many.size() == one.size());
      for (std::size_t i = 0; i < one.size(); ++i) CHECK(std::abs(many[i] - one[i]) <= slack(backend));
    }
  }
}

TEST_CASE("requests that do not fit the model") {
  const Trained trained(tiny::backends().front());
  const Scorer scorer = trained.scorer();
  ClickSchema schema = scorer.schema();
  ClickColumns lacking = request_columns(schema, 1, 2);
  lacking.ids.erase(lacking.ids.begin() + 3);
  CHECK(error_of([&] { scorer.score(make_click_log(std::move(lacking))); }).rfind("DataError: ", 0) == 0);
  const std::vector<CandidateScore> cold = scorer.score(make_click_log(request_columns(schema, 3, 0)));
  REQUIRE(cold.size() == 3);
  CHECK(std::isfinite(cold[0].ctr));
  CHECK(cold[0].ctr == cold[2].ctr);
}
