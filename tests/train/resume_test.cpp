// A training that stopped goes on as if it never had, to the bit; one that cannot go on says why.

#include <chrono>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "train/tiny.hpp"

using namespace chronotope;
using scratch::error_of;
using scratch::Folder;

namespace {

std::string last_of(const std::string& folder) { return folder + "/" + last_checkpoint; }
std::string best_of(const std::string& folder) { return folder + "/" + best_checkpoint; }

/// Everything that has a memory is on: dropout, accumulation, early stopping, checkpoints inside epochs.
Config eventful() {
  Config config = tiny::config();
  config.model.dropout = 0.2;
  config.training.batch = 2, config.training.accumulate = 2, config.training.weight_decay = 0.01, config.training.patience = 3;
  config.training.checkpoint_seconds = 0;
  return config;
}

RunObserver stop_at_step(std::int64_t steps) {
  RunObserver observer;
  observer.on_step = [steps](const StepReport& r) {
    if (r.steps == steps) throw tiny::Stop{};
  };
  return observer;
}

RunObserver stop_after_epoch(std::int64_t epoch) {
  RunObserver observer;
  observer.on_epoch = [epoch](const EpochReport& r) {
    if (r.epoch == epoch) throw tiny::Stop{};
  };
  return observer;
}

/// The steps of log.jsonl as they stand there.
std::vector<std::int64_t> logged_steps(const std::string& folder) {
  std::ifstream in(folder + "/log.jsonl");
  std::vector<std::int64_t> steps;
  for (std::string line; std::getline(in, line);) {
    const auto json = nlohmann::json::parse(line);
    if (json.contains("step")) steps.push_back(json["step"]);
  }
  return steps;
}

}  // namespace

TEST_CASE("stopped inside epochs and between them, a training ends with the same bits") {
  const CheckinTable table = tiny::city();
  for (const std::string& backend : tiny::backends())
    for (const char* updates : {"training.embedding_updates=dense", "training.embedding_updates=lazy"}) {
      CAPTURE(backend);
      CAPTURE(updates);
      const Folder folder;
      Config config = eventful();
      set_config(config, updates);
      const std::string whole = folder.file("whole"), parts = folder.file("parts");
      const TrainingState end = tiny::train(backend, table, config, whole);
      REQUIRE(end.steps > 12);
      CHECK_THROWS_AS(tiny::train(backend, table, config, parts, false, stop_at_step(3)), tiny::Stop);
      CHECK(read_checkpoint(parts, last_checkpoint).state.steps == 2);
      CHECK_THROWS_AS(tiny::train(backend, table, config, parts, true, stop_at_step(5)), tiny::Stop);
      CHECK_THROWS_AS(tiny::train(backend, table, config, parts, true, stop_after_epoch(0)), tiny::Stop);
      CHECK(read_checkpoint(parts, last_checkpoint).state.epoch == 1);
      CHECK_THROWS_AS(tiny::train(backend, table, config, parts, true, stop_at_step(end.steps)), tiny::Stop);
      CHECK(tiny::difference(last_of(whole), last_of(parts)) != "");
      tiny::train(backend, table, config, parts, true);
      CHECK(tiny::difference(last_of(whole), last_of(parts)) == "");
      CHECK(tiny::difference(best_of(whole), best_of(parts)) == "");
      CHECK(logged_steps(parts) == logged_steps(whole));
    }
}

TEST_CASE("a resumed log goes on from its checkpoint: steps made again and a line cut by a kill are gone") {
  const CheckinTable table = tiny::city();
  const std::string& backend = tiny::backends().front();
  const Folder folder;
  const std::string whole = folder.file("whole"), cut = folder.file("cut");
  tiny::train(backend, table, eventful(), whole);
  CHECK_THROWS_AS(tiny::train(backend, table, eventful(), cut, false, stop_at_step(6)), tiny::Stop);
  CHECK(logged_steps(cut).back() == 6);  // the checkpoint stands at 5
  std::ofstream(cut + "/log.jsonl", std::ios::app) << R"({"step":7,"epoch":1,"lo)";
  tiny::train(backend, table, eventful(), cut, true);
  CHECK(logged_steps(cut) == logged_steps(whole));
}

TEST_CASE("two trainings do not write to one folder") {
  const CheckinTable table = tiny::city();
  const Folder folder;
  const std::string run = folder.file("run");
  const std::string& backend = tiny::backends().front();
  RunObserver second;
  second.on_epoch = [&](const EpochReport&) {
    const std::string error = error_of([&] { tiny::train(backend, table, tiny::config(), run, true); });
    CHECK(error == "FileError: " + run + ": another process is writing here; let it end, or choose another folder");
  };
  tiny::train(backend, table, tiny::config(), run, false, second);
  tiny::train(backend, table, tiny::config(), run, true);  // the lock went with the run
}

TEST_CASE("a finished training resumed stays as it is") {
  const Folder folder;
  const CheckinTable table = tiny::city();
  tiny::train(tiny::backends().front(), table, tiny::config(), folder.file("m"));
  const std::string before = scratch::bytes_of(last_of(folder.file("m")));
  CHECK(tiny::train(tiny::backends().front(), table, tiny::config(), folder.file("m"), true).finished);
  CHECK(scratch::bytes_of(last_of(folder.file("m"))) == before);
}

TEST_CASE("a resumed training keeps the config it was started with") {
  const Folder folder;
  const CheckinTable table = tiny::city();
  CHECK_THROWS_AS(tiny::train(tiny::backends().front(), table, tiny::config(), folder.file("m"), false, stop_after_epoch(0)), tiny::Stop);
  Config other = tiny::config();
  other.training.epochs = 1, other.seed = 99;
  CHECK(tiny::train(tiny::backends().front(), table, other, folder.file("m"), true).epoch == 3);
  CHECK(read_checkpoint(folder.file("m"), last_checkpoint).config.seed == tiny::config().seed);
}

TEST_CASE("what cannot be resumed is refused, and the checkpoint stays") {
  const Folder folder;
  const std::string m = folder.file("m"), &backend = tiny::backends().front();
  const CheckinTable table = tiny::city();
  const auto resume_error = [&](const CheckinTable& data) { return error_of([&] { tiny::train(backend, data, tiny::config(), m, true); }); };
  CHECK(resume_error(table).rfind("FileError: ", 0) == 0);
  CHECK_THROWS_AS(tiny::train(backend, table, tiny::config(), m, false, stop_after_epoch(0)), tiny::Stop);
  const std::string before = scratch::bytes_of(last_of(m));

  SUBCASE("other places") { CHECK(resume_error(tiny::city(2)).find("DataError: ") == 0); }
  SUBCASE("the same places at other times") {
    CheckinTable moved = table;
    for (Checkin& row : moved.rows) row.utc += 3600, row.local += 3600;
    CHECK(resume_error(moved).find("DataError: ") == 0);
  }
  SUBCASE("a row less") {
    CheckinTable shorter = table;
    shorter.rows.pop_back();
    --shorter.begin.back();
    CHECK(resume_error(shorter).find("DataError: ") == 0);
  }
  CHECK(scratch::bytes_of(last_of(m)) == before);
}

TEST_CASE("a checkpoint that contradicts itself is refused with its name") {
  const Folder folder;
  const std::string m = folder.file("m"), &backend = tiny::backends().front();
  const CheckinTable table = tiny::city();
  CHECK_THROWS_AS(tiny::train(backend, table, tiny::config(), m, false, stop_after_epoch(0)), tiny::Stop);
  Checkpoint c = read_checkpoint(m, last_checkpoint);
  const auto refused = [&](const std::string& words) {
    write_checkpoint(m, last_checkpoint, c);
    const std::string error = error_of([&] { tiny::train(backend, table, tiny::config(), m, true); });
    CAPTURE(error);
    CHECK(error.rfind("FormatError: " + last_of(m), 0) == 0);
    CHECK(error.find(words) != std::string::npos);
  };
  SUBCASE("a wider model") { c.config.model.width = 48, refused("fewer"); }
  SUBCASE("a model of gigabytes") { c.config.model.width = 65532, c.config.model.layers = 1000, refused("fewer"); }
  SUBCASE("a wider pointer") { c.config.model.pointer_width = 65536, c.config.model.pointer_heads = 1024, refused("fewer"); }
  SUBCASE("another decoder") { c.config.model.decoder = "gpt", refused("decoder"); }
  SUBCASE("another head") { c.config.model.head = "vocabulary", refused("head"); }
  SUBCASE("position tables of another size") { c.config.model.geo_rows = 8, refused("position tables"); }
  SUBCASE("other cells") { c.config.model.geo = "grid", refused("position tables"); }
  SUBCASE("a tensor less") { c.tensors.erase("model.encoder.fusion"), refused("encoder.fusion"); }
  SUBCASE("a moment less") { c.tensors.erase("adam.v.encoder.fusion"), refused("adam.v.encoder.fusion"); }
  SUBCASE("a tensor more") { c.tensors.emplace("model.more", HostTensor::of(std::vector<float>{1}, {})), refused("unexpected: more"); }
  SUBCASE("a tensor of another type") { c.tensors.at("model.encoder.fusion") = HostTensor::of(std::vector<double>{1, 2, 3}, {3}), refused("f64"); }
  SUBCASE("a negative step") { c.state.step = -1, refused("state"); }
  SUBCASE("a negative epoch") { c.state.epoch = -5, refused("state"); }
  SUBCASE("steps before the first") { c.state.steps = -1, refused("state"); }
  SUBCASE("a loss that is none") { c.state.loss_sum = std::numeric_limits<double>::quiet_NaN(), refused("state"); }
}

TEST_CASE("safetensors files that are no checkpoint") {
  const Folder folder;
  write_safetensors(folder.file(last_checkpoint), {{{"x", HostTensor::of(std::vector<float>{1}, {})}}, {{"format", "pt"}}});
  CHECK(error_of([&] { read_trained(folder.file("")); }).find("not a checkpoint") != std::string::npos);
  folder.put(best_checkpoint, "garbage, more than eight bytes of it");
  CHECK(error_of([&] { read_trained(folder.file("")); }).rfind("FormatError: ", 0) == 0);
}

TEST_CASE("random damage to a checkpoint never gets further than an error of ours") {
  const Folder folder;
  const CheckinTable table = tiny::city(1, 3);
  Config config = tiny::config();
  config.training.epochs = 1;
  tiny::train(tiny::backends().front(), table, config, folder.file("m"));
  const std::string sound = scratch::bytes_of(best_of(folder.file("m")));
  std::uint64_t header = 0;
  std::memcpy(&header, sound.data(), sizeof header);
  const std::uint64_t seed = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  CAPTURE(seed);
  MESSAGE("seed " << seed);
  int loaded = 0, refused = 0;
  for (std::uint64_t i = 0; i < 400; ++i) {
    std::string bytes = sound;
    for (std::uint64_t n = 0; n <= i % 3; ++n) {  // mostly in the header, where the config and the vocabulary are
      const auto word = philox(seed, i, n);
      bytes[8 + word[0] % (i % 8 == 0 ? bytes.size() - 8 : header)] = static_cast<char>(i % 2 ? '0' + word[1] % 10 : word[1]);
    }
    std::filesystem::create_directories(folder.file("d"));
    folder.put("d/" + std::string(best_checkpoint), bytes);
    try {
      Context<any_backend> context(tiny::stream(tiny::backends().front()));
      const Checkpoint checkpoint = read_trained(folder.file("d"));
      rank_checkpoint(context, checkpoint, table, Split::validation);
      ++loaded;
    } catch (const Error&) {
      ++refused;
    } catch (const std::exception& e) {
      FAIL("damage " << i << ": not an error of ours: " << e.what());
    }
  }
  MESSAGE(loaded << " loaded, " << refused << " refused");
  CHECK(refused > 20);
}
