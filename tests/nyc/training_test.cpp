// The recipe for small machines, cut short, on real check-ins: it must beat every counter that does not see the time.

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "chronotope/backend/onednn_backend.hpp"
#include "chronotope/eval/counters.hpp"
#include "chronotope/train/run.hpp"

using namespace chronotope;

namespace {

double best_without_time(const CheckinTable& table) {
  double best = 0;
  for (const CounterResult& counter : evaluate_counters(table, Split::test))
    if (!counter.predictor.sees_time) best = std::max(best, counter.result.all.accuracy[0].mean);
  return best;
}

}  // namespace

TEST_CASE("three epochs of nyc_fast on New York are ahead of the best counter without time") {
  const char* path = std::getenv("CHRONOTOPE_NYC");
  if (!path) {
    MESSAGE("skipped: CHRONOTOPE_NYC does not name the New York file");
    return;
  }
  const CheckinTable table = read_checkins(path);
  Config config = read_config(CHRONOTOPE_SOURCE_DIR "/configs/nyc_fast.json");
  config.training.epochs = 3;  // the cosine ends with them
  const auto folder = std::filesystem::temp_directory_path() / "chronotope_nyc_test";
  std::filesystem::remove_all(folder);
  Context<any_backend> context(any_stream<onednn_backend>());
  train_checkins(context, table, config, folder.string(), {});
  const EvaluationResult result = evaluate(rank_checkpoint(context, read_trained(folder.string()), table, Split::test));
  std::filesystem::remove_all(folder);
  const double floor = best_without_time(table);
  MESSAGE("test acc@1 ", result.all.accuracy[0].mean, ", acc@10 ", result.all.accuracy[2].mean, ", best counter without time ", floor);
  CHECK(result.all.accuracy[0].mean > floor);
}
