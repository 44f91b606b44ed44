// The way of a newcomer: generate a city, train, evaluate, recommend, look inside.

#include <nlohmann/json.hpp>

#include "chronotope/train/config.hpp"
#include "cli/world.hpp"

using nlohmann::json;
using namespace program;

namespace {

void check_metrics(const json& m, bool may_be_empty) {
  for (const char* name : {"acc@1", "acc@5", "acc@10", "acc@20", "mrr"}) {
    CAPTURE(name);
    REQUIRE(m.contains(name));
    REQUIRE(m.contains(std::string(name) + "_se"));
    if (may_be_empty && m.at(name).is_null()) continue;
    CHECK(m.at(name).get<double>() >= 0);
    CHECK(m.at(name).get<double>() <= 1 + 1e-9);
  }
}

void check_result(const json& result) {
  check_metrics(result, false);
  check_metrics(result.at("revisit"), true);
  check_metrics(result.at("new"), true);
}

}  // namespace

PROGRAM_TEST("help names every command and every option") {
  const std::string help = works({"--help"}).out;
  const std::map<std::string, std::vector<std::string>> options{
      {"demo", {"--out", "--seed", "--backend", "--threads"}},
      {"train", {"--config", "--data", "--out", "--set", "--resume", "--stop-after", "--backend", "--threads"}},
      {"evaluate", {"--checkpoint", "--data", "--split", "--weights", "--truth", "--json", "--report", "--backend", "--threads"}},
      {"ablate", {"--config", "--data", "--out", "--split", "--set", "--json", "--report", "--backend", "--threads"}},
      {"generate-clicks", {"--out", "--eleme", "--users", "--requests", "--behaviours", "--memory", "--age", "--seed"}},
      {"derive-groups", {"--data", "--hours", "--weekdays", "--places", "--cut"}},
      {"convert-clicks", {"--data", "--out", "--split", "--validation-from", "--test-from", "--order", "--skip-bad-rows", "--threads"}},
      {"recommend", {"--checkpoint", "--data", "--user", "--top", "--time", "--json", "--backend", "--threads"}},
      {"info", {"--checkpoint", "--tensors", "--config-keys"}},
      {"generate-city", {"--out", "--users", "--places", "--checkins-per-user", "--days", "--seed"}},
      {"bench-step", {"--config", "--data", "--batch", "--steps", "--backend", "--threads"}},
      {"dump-steps", {"--config", "--data", "--out", "--steps", "--backend", "--threads"}}};
  for (const auto& [command, names] : options) {
    CAPTURE(command);
    CHECK(help.find(command) != std::string::npos);
    const std::string own = works({command, "--help"}).out;
    for (const std::string& name : names) {
      CAPTURE(name);
      CHECK(own.find(name) != std::string::npos);
    }
  }
}

PROGRAM_TEST("generate-city tells what it wrote, and the same seed writes the same file") {
  CHECK(world().generated.out.find("15 users") != std::string::npos);
  const std::string again = world().file("again.csv.gz");
  works({"generate-city", "--out", again, "--users", "15", "--places", "60", "--checkins-per-user", "25", "--days", "60", "--seed", "2"});
  CHECK(scratch::bytes_of(again) == scratch::bytes_of(world().city));
  std::filesystem::remove(again);
}

PROGRAM_TEST("train says where the checkpoint is, how it went and what comes next") {
  const Outcome& o = world().trained;
  CHECK(o.out.find("checkpoint in " + world().model) != std::string::npos);
  CHECK(o.out.find("best epoch") != std::string::npos);
  CHECK(o.out.find("chronotope evaluate") != std::string::npos);
  for (const std::string word : {"check-ins", "epoch  1/2", "epoch  2/2", "loss", "validation acc@1", "actions/s", "GEMM peak"}) {
    CAPTURE(word);
    CHECK(o.err.find(word) != std::string::npos);
  }
  for (const char* name : {"last.safetensors", "best.safetensors", "log.jsonl"}) CHECK(std::filesystem::file_size(world().model + "/" + name) > 0);
  CHECK(std::distance(std::filesystem::directory_iterator(world().model), {}) == 3);
}

PROGRAM_TEST("evaluate writes a table, JSON and a report") {
  const std::string out = world().file("out.json"), page = world().file("out.html");
  const Outcome o = works({"evaluate", "--checkpoint", world().model, "--data", world().city, "--split", "test", "--json", out, "--report", page, "--threads", "1"});
  const json j = json::parse(scratch::bytes_of(out));
  CHECK(j.at("split") == "test");
  CHECK(j.at("targets").get<int>() > 0);
  check_result(j.at("model").at("with_time"));
  CHECK(j.at("model").at("without_time").is_null());
  REQUIRE(j.at("counters").size() >= 5);
  for (const auto& [name, result] : j.at("counters").items()) {
    CAPTURE(name);
    check_result(result);
    CHECK(o.out.find(name) != std::string::npos);
  }
  CHECK(o.out.find("history pointer") != std::string::npos);
  const std::string html = scratch::bytes_of(page);
  CHECK(html.find("<svg") != std::string::npos);
  CHECK(html.find("</html>") != std::string::npos);
  CHECK(json::parse([&] {
          works({"evaluate", "--checkpoint", world().model, "--data", world().city, "--split", "validation", "--json", out, "--threads", "1"});
          return scratch::bytes_of(out);
        }()).at("split") == "validation");
  std::filesystem::remove(out), std::filesystem::remove(page);
}

PROGRAM_TEST("models with and without the target's time stand side by side") {
  const std::string plain = world().file("plain"), out = world().file("both.json");
  works(with(world().train(world().city, plain), {"--set", "model.target_time=false", "--set", "training.epochs=1"}));
  works({"evaluate", "--checkpoint", world().model, plain, "--data", world().city, "--json", out, "--threads", "1"});
  const json j = json::parse(scratch::bytes_of(out));
  check_result(j.at("model").at("with_time"));
  check_result(j.at("model").at("without_time"));
  fails({"evaluate", "--checkpoint", world().model, world().model, "--data", world().city}, {"same inputs"});
  std::filesystem::remove_all(plain), std::filesystem::remove(out);
}

PROGRAM_TEST("recommend as a table and as JSON") {
  const std::vector<std::string> ask{"recommend", "--checkpoint", world().model, "--data", world().city, "--user", first_user(), "--threads", "1"};
  const std::string table = works(with(ask, {"--top", "3"})).out;
  for (const std::string& word : {std::string("rank"), std::string("category"), std::string("km away"), std::string("usual hour"), first_user()}) {
    CAPTURE(word);
    CHECK(table.find(word) != std::string::npos);
  }
  CHECK(lines(table).size() == 5);
  const json j = json::parse(works(with(ask, {"--top", "4", "--json", "--time", "2024-03-01T12:30"})).out);
  CHECK(j.at("user") == first_user());
  CHECK(j.at("local_time").get<std::string>().rfind("2024-03-01T12:30", 0) == 0);
  REQUIRE(j.at("recommendations").size() == 4);
  double before = 1;
  for (const json& r : j.at("recommendations")) {
    CHECK(r.at("probability").get<double>() <= before);
    before = r.at("probability").get<double>();
    CHECK(r.at("place").get<std::string>() != "");
    CHECK(r.at("distance_km").get<double>() >= 0);
    CHECK(r.at("usual_hour").is_null() == (r.at("earlier_visits").get<int>() == 0));
    for (const char* key : {"category", "latitude", "longitude"}) CHECK(r.contains(key));
  }
  CHECK(json::parse(works(with(ask, {"--json", "--top", "100000"})).out).at("recommendations").size() > 10);
  works(with(ask, {"--time", "2024-03-01T12:30:00+09:00"}));
}

PROGRAM_TEST("a user never seen in training is served from the rows given") {
  const std::string rows = world().put("guest.csv", "user_id,poi_id,latitude,longitude,utc_timestamp,split\nguest,somewhere,52.09,5.12,1704100000,test\n");
  const json j = json::parse(works({"recommend", "--checkpoint", world().model, "--data", rows, "--user", "guest", "--json", "--threads", "1"}).out);
  CHECK(j.at("recommendations").size() == 10);
  std::filesystem::remove(rows);
}

PROGRAM_TEST("info shows what a checkpoint holds, and every key") {
  const std::string text = works({"info", "--checkpoint", world().model, "--tensors"}).out;
  for (const std::string word : {"places", "parameters", "epochs done", "head.gate", "f32", "\"history_pointer\""}) {
    CAPTURE(word);
    CHECK(text.find(word) != std::string::npos);
  }
  CHECK(json::parse(text.substr(text.find("config\n") + 7)).at("model").at("width") == 24);
  CHECK(works({"info", "--config-keys"}).out == chronotope::config_reference());
}

PROGRAM_TEST("a finished training can be resumed, on the other backend too") {
  const auto before = snapshot(world().model);
  for (const char* backend : {"eigen", "onednn"}) {
    const Outcome o = run(with(world().train(world().city, world().model), {"--resume", "--backend", backend}));
    if (o.err.find("--backend") != std::string::npos) continue;  // not in this build
    CHECK(o.end.code == 0);
  }
  CHECK(snapshot(world().model) == before);
}
