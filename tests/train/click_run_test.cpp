// Click models from config to scores, in the same folders and with the same promises as place models.

#include "chronotope/train/click_run.hpp"

#include <cmath>

#include "chronotope/data/click_batcher.hpp"
#include "chronotope/data/click_cache.hpp"
#include "chronotope/data/generated_clicks.hpp"
#include "train/tiny.hpp"

using namespace chronotope;
using scratch::error_of;
using scratch::Folder;

namespace {

const ClickLog& log() {
  static const GeneratedClicks made = generate_clicks({.users = 25, .requests = 12, .behaviours = 14, .categories = 3, .items = 20});
  return made.log;
}

Config click_config(const std::string& behaviour = "stim") {
  Config config;
  set_config(config, std::vector<std::string>{"system=clicks", "clicks.kept=6", "click_model.embedding=4", "click_model.key_width=8", "click_model.query_width=4",
                                              "click_model.hidden=8", "click_model.head_hidden=8", "training.batch=32", "training.epochs=2", "training.warmup_steps=2",
                                              "training.learning_rate=0.01", "evaluation.batch=50", "click_model.behaviour=" + behaviour});
  return config;
}

TrainingState train(const std::string& backend, const Config& config, const std::string& folder, bool resume = false, const RunObserver& observer = {}) {
  Context<any_backend> context(tiny::stream(backend));
  return train_clicks(context, log(), config, folder, {.resume = resume}, 2, observer);
}

TaskLogits scores(const std::string& backend, const Checkpoint& checkpoint, const ClickLog& from, int threads = 1) {
  Context<any_backend> context(tiny::stream(backend));
  return score_clicks(context, checkpoint, from, samples_of(from, Split::test), threads);
}

std::string last_of(const std::string& folder) { return scratch::bytes_of(folder + "/last.safetensors"); }

}  // namespace

TEST_CASE("a click training goes on to the bit after it was stopped inside an epoch") {
  for (const std::string& backend : tiny::backends()) {
    CAPTURE(backend);
    const Folder folder;
    Config config = click_config();
    config.training.checkpoint_seconds = 0;
    const TrainingState whole = train(backend, config, folder.file("whole"));
    CHECK(whole.finished);
    RunObserver stop;
    stop.on_step = [](const StepReport& r) {
      if (r.steps == 3) throw tiny::Stop{};
    };
    CHECK_THROWS_AS(train(backend, config, folder.file("parts"), false, stop), tiny::Stop);
    train(backend, config, folder.file("parts"), true);
    CHECK(last_of(folder.file("parts")) == last_of(folder.file("whole")));
  }
}

TEST_CASE("a click training tells AUC, GAUC and log loss of every epoch, and its scores do not depend on threads") {
  const std::string& backend = tiny::backends().front();
  const Folder folder;
  int told = 0;
  RunObserver observer;
  observer.on_epoch = [&](const EpochReport& r) {
    REQUIRE(r.validation);
    REQUIRE(r.validation->measures.size() == 3);
    CHECK(r.validation->measures[0].first == "AUC");
    CHECK(r.validation->score == r.validation->measures[0].second);
    ++told;
  };
  train(backend, click_config(), folder.file("m"), false, observer);
  CHECK(told == 2);
  CHECK(scratch::bytes_of(folder.file("m/log.jsonl")).find("\"AUC\"") != std::string::npos);
  const Checkpoint best = read_trained(folder.file("m"));
  const TaskLogits one = scores(backend, best, log(), 1), three = scores(backend, best, log(), 3);
  CHECK(one.tasks == std::vector<std::string>{"ctr"});
  CHECK(one.logits[0].size() == samples_of(log(), Split::test).size());
  CHECK(one.logits == three.logits);
}

TEST_CASE("every behaviour module can be named in a config, trains and scores") {
  const std::string& backend = tiny::backends().front();
  for (const char* behaviour : {"none", "gsu", "din", "dien", "sim", "twin_v2", "ic", "lic", "fim", "st_pil", "mha", "stim"}) {
    CAPTURE(behaviour);
    const Folder folder;
    Config config = click_config(behaviour);
    config.training.epochs = 1;
    config.click_model.head = std::string(behaviour) == "sim" ? "mmoe" : "dnn";
    train(backend, config, folder.file("m"));
    const TaskLogits logits = scores(backend, read_trained(folder.file("m")), log());
    for (const float x : logits.logits[0]) REQUIRE(std::isfinite(x));
  }
}

TEST_CASE("a soft search compares the items of the model it is told, resumes to the bit and needs that model no more") {
  const std::string& backend = tiny::backends().front();
  const Folder folder;
  train(backend, click_config("none"), folder.file("items"));
  const SearchRows items = item_rows(read_trained(folder.file("items")));
  CHECK(items.width == click_config().click_model.embedding);
  Config config = click_config();
  config.clicks.search = "soft", config.clicks.soft_from = folder.file("items");
  config.clicks.kept = 3;
  config.training.checkpoint_seconds = 0;
  train(backend, config, folder.file("whole"));
  RunObserver stop;
  stop.on_step = [](const StepReport& r) {
    if (r.steps == 3) throw tiny::Stop{};
  };
  CHECK_THROWS_AS(train(backend, config, folder.file("parts"), false, stop), tiny::Stop);
  std::filesystem::remove_all(folder.file("items"));
  train(backend, config, folder.file("parts"), true);
  CHECK(last_of(folder.file("parts")) == last_of(folder.file("whole")));

  Checkpoint soft = read_trained(folder.file("whole"));
  CHECK(soft.tensors.at("search.rows").values<float>() == items.values);
  const TaskLogits by_soft = scores(backend, soft, log());
  soft.config.clicks.search = "hard";
  CHECK(scores(backend, soft, log()).logits != by_soft.logits);
  soft.config.clicks.search = "soft";
  soft.tensors["search.rows"] = HostTensor::of(std::vector<float>(4), {2, 2});
  CHECK(error_of([&] { scores(backend, soft, log()); }).find("search.rows") != std::string::npos);
  CHECK(error_of([&] { train(backend, config, folder.file("late")); }).rfind("FileError: ", 0) == 0);
}

TEST_CASE("scores are calibrated by the line in the checkpoint, which validation fitted") {
  const std::string& backend = tiny::backends().front();
  const Folder folder;
  Config config = click_config("din");
  config.training.epochs = 8, config.training.learning_rate = 0.03;
  train(backend, config, folder.file("m"));
  Checkpoint checkpoint = read_trained(folder.file("m"));
  const TaskLogits calibrated = scores(backend, checkpoint, log());
  const std::vector<double> line = checkpoint.tensors.at("calibration").values<double>();
  REQUIRE(line.size() == 2);
  CHECK(line[0] != 1);
  checkpoint.tensors["calibration"] = HostTensor::of(std::vector<double>{1, 0}, {1, 2});
  const TaskLogits raw = scores(backend, checkpoint, log());
  for (std::size_t i = 0; i < raw.logits[0].size(); ++i)
    CHECK(calibrated.logits[0][i] == PlattScaling{line[0], line[1]}(raw.logits[0][i]));
  for (const std::vector<double>& bad : {std::vector<double>{-1, 0}, {0, 0}, {1, std::nan("")}}) {
    checkpoint.tensors["calibration"] = HostTensor::of(bad, {1, 2});
    CHECK(error_of([&] { scores(backend, checkpoint, log()); }).find("calibration") != std::string::npos);
  }
}

TEST_CASE("click trainings that cannot be") {
  const std::string& backend = tiny::backends().front();
  const Folder folder;
  Config config = click_config();
  config.click_model.tasks = "ctr ctcvr";
  CHECK(error_of([&] { train(backend, config, folder.file("a")); }).find("no conversions") != std::string::npos);
  CHECK(!std::filesystem::exists(folder.file("a")));
  config = click_config();
  config.training.epochs = 1;
  train(backend, config, folder.file("m"));
  const Checkpoint clicks = read_trained(folder.file("m"));
  CHECK(error_of([&] { place_tokenizer(clicks); }).find("model of clicks") != std::string::npos);
  config = click_config();
  config.clicks.search = "soft", config.clicks.soft_from = folder.file("m");
  config.seed = 2;
  CHECK(error_of([&] {
          Context<any_backend> context(tiny::stream(backend));
          const GeneratedClicks wider = generate_clicks({.users = 25, .requests = 12, .behaviours = 14, .categories = 3, .items = 21, .seed = 2});
          train_clicks(context, wider.log, config, folder.file("foreign"), {}, 1);
        }).find("other data") != std::string::npos);
  const GeneratedClicks other = generate_clicks({.users = 25, .requests = 12, .behaviours = 14, .categories = 3, .items = 20, .seed = 2});
  CHECK(error_of([&] { scores(backend, clicks, other.log); }).rfind("DataError: ", 0) == 0);
  tiny::train(backend, tiny::city(), [] {
    Config places = tiny::config();
    places.training.epochs = 1;
    return places;
  }(), folder.file("places"));
  CHECK(error_of([&] { scores(backend, read_trained(folder.file("places")), log()); }).find("model of places") != std::string::npos);
}

TEST_CASE("a click cache and a check-in file are told apart by what they hold") {
  const Folder folder;
  write_click_cache(log(), folder.file("log.clicks"));
  CHECK(read_clicks(folder.file("log.clicks"), {}).size() == log().size());
  write_checkins(tiny::city(), folder.file("city.csv"));
  ClicksConfig two;
  two.negatives = 2;
  const ClickLog clicks = read_clicks(folder.file("city.csv"), two);
  CHECK(clicks.semi_synthetic);
  CHECK(clicks.size() > 0);
  CHECK_THROWS_AS(read_clicks(folder.put("other.csv", "no,check-ins\n"), {}), Error);
}
