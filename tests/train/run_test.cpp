// Whole trainings: they learn, they repeat, and what cannot be trained on is refused before anything is written.

#include <nlohmann/json.hpp>

#include "train/tiny.hpp"

using namespace chronotope;
using scratch::error_of;
using scratch::Folder;

namespace {

/// Mean loss of each epoch.
struct Losses {
  std::vector<double> epochs;
  RunObserver observer() {
    return {{}, {}, [this](const EpochReport& r) { epochs.push_back(r.loss); }};
  }
};

std::string last_of(const std::string& folder) { return folder + "/" + last_checkpoint; }
std::string best_of(const std::string& folder) { return folder + "/" + best_checkpoint; }

CheckinTable text(const std::string& rows) { return scratch::read_text("user_id,poi_id,latitude,longitude,utc_timestamp,split\n" + rows); }

}  // namespace

TEST_CASE("training lowers the loss, whatever the model, on every backend") {
  const CheckinTable table = tiny::city();
  for (const std::string& backend : tiny::backends())
    for (const std::vector<std::string>& changes : {std::vector<std::string>{}, {"model.head=vocabulary", "model.target_time=false"},
                                                    {"model.decoder=gpt", "model.geo=grid", "training.embedding_updates=lazy", "training.accumulate=2"}}) {
      CAPTURE(backend);
      const Folder folder;
      Config config = tiny::config();
      set_config(config, changes);
      config.training.epochs = 5;
      Losses losses;
      const TrainingState state = tiny::train(backend, table, config, folder.file("m"), false, losses.observer());
      REQUIRE(losses.epochs.size() == 5);
      CAPTURE(losses.epochs.front());
      CAPTURE(losses.epochs.back());
      CHECK(losses.epochs.back() < 0.9 * losses.epochs.front());
      CHECK(losses.epochs.front() < 1.3 * std::log(50));
      CHECK(state.finished);
      CHECK(state.epoch == 5);
      CHECK(state.best_epoch >= 0);
      CHECK_NOTHROW(read_trained(folder.file("m")));
    }
}

TEST_CASE("the same seed gives the same bits, another seed others") {
  const CheckinTable table = tiny::city();
  for (const std::string& backend : tiny::backends()) {
    CAPTURE(backend);
    const Folder folder;
    Config config = tiny::config();
    tiny::train(backend, table, config, folder.file("a"));
    tiny::train(backend, table, config, folder.file("b"));
    CHECK(tiny::difference(last_of(folder.file("a")), last_of(folder.file("b"))) == "");
    CHECK(tiny::difference(best_of(folder.file("a")), best_of(folder.file("b"))) == "");
    config.seed = 8;
    tiny::train(backend, table, config, folder.file("c"));
    CHECK(tiny::difference(last_of(folder.file("a")), last_of(folder.file("c"))).find("model.head") != std::string::npos);
  }
}

TEST_CASE("backends start from the same weights and follow each other") {
  if (tiny::backends().size() < 2) return;
  const CheckinTable table = tiny::city();
  std::vector<std::vector<double>> losses;
  for (const std::string& backend : tiny::backends()) {
    const Folder folder;
    losses.emplace_back();
    RunObserver observer;
    observer.on_step = [&](const StepReport& r) {
      losses.back().push_back(r.loss);
      if (losses.back().size() == 8) throw tiny::Stop{};
    };
    CHECK_THROWS_AS(tiny::train(backend, table, tiny::config(), folder.file("m"), false, observer), tiny::Stop);
  }
  for (std::size_t i = 0; i < losses[0].size(); ++i) CHECK(losses[0][i] == doctest::Approx(losses[1][i]).epsilon(1e-3));
}

TEST_CASE("accumulated passes are the larger batch") {
  const CheckinTable table = tiny::city();
  for (const std::string& backend : tiny::backends()) {
    std::vector<std::vector<double>> losses;
    for (const std::vector<std::string>& cut : {std::vector<std::string>{"training.batch=6"}, {"training.batch=2", "training.accumulate=3"}}) {
      const Folder folder;
      Config config = tiny::config();
      config.model.dropout = 0, config.training.epochs = 2;
      set_config(config, cut);
      losses.emplace_back();
      RunObserver observer;
      observer.on_step = [&](const StepReport& r) { losses.back().push_back(r.loss); };
      tiny::train(backend, table, config, folder.file("m"), false, observer);
    }
    REQUIRE(losses[0].size() == losses[1].size());
    for (std::size_t i = 0; i < losses[0].size(); ++i) CHECK(losses[0][i] == doctest::Approx(losses[1][i]).epsilon(1e-3));
  }
}

TEST_CASE("training stops when validation does not improve any more") {
  const Folder folder;
  Config config = tiny::config();
  config.training.epochs = 40, config.training.patience = 2;
  config.training.learning_rate = config.training.min_learning_rate = 1e-12;  // nothing ever improves on the first epoch
  bool told = false;
  const RunObserver observer{{}, {}, [&](const EpochReport& r) { told = r.stop; }};
  const TrainingState state = tiny::train(tiny::backends().front(), tiny::city(), config, folder.file("m"), false, observer);
  CHECK(state.finished);
  CHECK(state.best_epoch == 0);
  CHECK(state.epoch == 3);
  CHECK(told);
}

TEST_CASE("a log line a step and an epoch") {
  const Folder folder;
  const TrainingState state = tiny::train(tiny::backends().front(), tiny::city(), tiny::config(), folder.file("m"));
  std::istringstream log(scratch::bytes_of(folder.file("m/log.jsonl")));
  std::int64_t steps = 0, epochs = 0;
  for (std::string line; std::getline(log, line);) {
    const auto json = nlohmann::json::parse(line);
    CHECK(std::isfinite(json.at("loss").get<double>()));
    if (json.contains("step")) {
      CHECK(json.at("step") == ++steps);
    } else {
      CHECK(json.at("validation").at("acc@1").get<double>() <= 1);
      CHECK(json.at("epoch") == ++epochs);
    }
  }
  CHECK(steps == state.steps);
  CHECK(epochs == 3);
}

TEST_CASE("a loss that explodes is an error and leaves the last checkpoint as it was") {
  const RunObserver stop{{}, {}, [](const EpochReport&) { throw tiny::Stop{}; }};
  for (const std::string& backend : tiny::backends()) {
    CAPTURE(backend);
    const Folder folder;
    const std::string m = folder.file("m");
    CHECK_THROWS_AS(tiny::train(backend, tiny::city(), tiny::config(), m, false, stop), tiny::Stop);
    Checkpoint c = read_checkpoint(m, last_checkpoint);
    c.config.training.learning_rate = c.config.training.min_learning_rate = 1e30;
    c.config.training.clip_norm = 0;
    write_checkpoint(m, last_checkpoint, c);
    const std::string last = scratch::bytes_of(last_of(m)), best = scratch::bytes_of(best_of(m));
    std::string error;
    try {
      tiny::train(backend, tiny::city(), tiny::config(), m, true);
    } catch (const Error& e) {
      error = e.what();
    }
    CAPTURE(error);
    CHECK((error.find("loss is") != std::string::npos || error.find("gradient norm is") != std::string::npos));
    CHECK(error.find("step") != std::string::npos);
    CHECK(scratch::bytes_of(last_of(m)) == last);
    CHECK(scratch::bytes_of(best_of(m)) == best);
  }
}

TEST_CASE("a folder that holds a checkpoint is not overwritten") {
  const Folder folder;
  Config config = tiny::config();
  config.training.epochs = 1;
  tiny::train(tiny::backends().front(), tiny::city(), config, folder.file("m"));
  const std::string before = scratch::bytes_of(last_of(folder.file("m"))), log = scratch::bytes_of(folder.file("m/log.jsonl"));
  const std::string error = error_of([&] { tiny::train(tiny::backends().front(), tiny::city(), config, folder.file("m")); });
  CHECK(error.rfind("ConfigError: ", 0) == 0);
  CHECK(error.find("--resume") != std::string::npos);
  CHECK(scratch::bytes_of(last_of(folder.file("m"))) == before);
  CHECK(scratch::bytes_of(folder.file("m/log.jsonl")) == log);
}

TEST_CASE("data without validation targets: the last epoch counts as the best") {
  CheckinTable table = tiny::city();
  for (Checkin& row : table.rows)
    if (row.split != Split::train) row.target = false;
  const Folder folder;
  Config config = tiny::config();
  config.training.patience = 1;
  int with_score = 0;
  const RunObserver observer{{}, {}, [&](const EpochReport& r) { with_score += r.validation.has_value(); }};
  const TrainingState state = tiny::train(tiny::backends().front(), table, config, folder.file("m"), false, observer);
  CHECK(with_score == 0);
  CHECK(state.epoch == 3);
  CHECK(state.best_epoch == 2);
}

TEST_CASE("one user is enough; users without two training rows are not") {
  const Folder folder;
  Config config = tiny::config();
  config.training.epochs = 1;
  const std::string& backend = tiny::backends().front();
  CHECK_NOTHROW(tiny::train(backend, text("a,p,1,2,100,train\na,q,1,2,200,train\na,p,1,2,300,validation\n"), config, folder.file("one")));
  const std::string error = error_of([&] { tiny::train(backend, text("a,p,1,2,100,train\nb,q,1,2,200,train\n"), config, folder.file("two")); });
  CHECK(error.find("DataError: ") == 0);
  CHECK(error.find("two training rows") != std::string::npos);
  CHECK(error_of([&] { tiny::train(backend, text("a,p,1,2,100,test\na,q,1,2,200,test\n"), config, folder.file("three")); }).find("train") != std::string::npos);
  CHECK(folder.entries() == 1);
}

TEST_CASE("data without categories, in other time zones, with few places") {
  const Folder folder;
  Config config = tiny::config();
  config.training.epochs = 1;
  std::string rows;
  for (int u = 0; u < 3; ++u)
    for (int i = 0; i < 10; ++i)
      rows += "u" + std::to_string(u) + ",p" + std::to_string(i % 2) + "," + (u == 1 ? "-90,180," : "90,-180,") + std::to_string(1000 + 90000 * i) + "," +
              (i < 8 ? "train" : "validation") + "\n";
  for (const std::string& backend : tiny::backends()) {
    const TrainingState state = tiny::train(backend, text(rows), config, folder.file(backend));
    CHECK(state.steps > 0);
    CHECK(std::isfinite(state.best_score));
  }
}

TEST_CASE("a place to write that is none") {
  const Folder folder;
  folder.put("file", "x");
  const std::string error = error_of([&] { tiny::train(tiny::backends().front(), tiny::city(), tiny::config(), folder.file("file/model")); });
  CAPTURE(error);
  CHECK(error.rfind("FileError: ", 0) == 0);
  CHECK(error.find("file/model") != std::string::npos);
  CHECK(scratch::bytes_of(folder.file("file")) == "x");
}
