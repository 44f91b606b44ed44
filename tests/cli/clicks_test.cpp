// Click models from the command line: generate, convert, train, evaluate, ablate.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/program.hpp"

using nlohmann::json;
using namespace program;

namespace {

constexpr const char* config = R"({
  "system": "clicks",
  "clicks": {"kept": 6},
  "click_model": {"embedding": 4, "key_width": 8, "query_width": 4, "hidden": 8, "head_hidden": "8"},
  "training": {"learning_rate": 1e-2, "min_learning_rate": 1e-3, "warmup_steps": 3, "epochs": 2, "batch": 64},
  "evaluation": {"batch": 64}
})";

constexpr const char* ablations = R"({
  "base": "config.json",
  "variants": [{"name": "STIM", "group": "models"},
               {"name": "DIN!", "group": "models", "set": {"click_model.behaviour": "din", "training.epochs": 1}},
               {"name": "conversions", "group": "broken", "set": {"click_model.tasks": "ctr ctcvr"}}]
})";

/// A generated log, as a cache and as an Ele.me file, and a model of it.
class ClickWorld {
 public:
  ClickWorld() : log(file("log.clicks")), eleme(file("D1_0.csv")), stim(file("stim")) {
    folder_.put("config.json", config);
    folder_.put("ablations.json", ablations);
    generated = works({"generate-clicks", "--out", log, "--eleme", eleme, "--users", "40", "--requests", "10", "--behaviours", "12", "--seed", "5"});
    trained = works({"train", "--config", file("config.json"), "--data", log, "--out", stim, "--threads", "1"});
  }
  std::string file(const std::string& name) const { return folder_.file(name); }
  std::string put(const std::string& name, const std::string& text) const { return folder_.put(name, text); }

 private:
  scratch::Folder folder_;

 public:
  std::string log, eleme, stim;
  Outcome generated, trained;
};

const ClickWorld& clicks() {
  static const ClickWorld made;
  return made;
}

}  // namespace

PROGRAM_TEST("generate-clicks tells the best possible AUC; train tells AUC by epoch and what comes next") {
  CHECK(clicks().generated.out.find("best possible AUC") != std::string::npos);
  for (const std::string word : {"semi-synthetic", "read by stim", "epoch  2/2", "AUC", "GAUC", "samples/s"}) {
    CAPTURE(word);
    CHECK(clicks().trained.err.find(word) != std::string::npos);
  }
  CHECK(clicks().trained.out.find("chronotope evaluate") != std::string::npos);
  CHECK(works({"info", "--checkpoint", clicks().stim}).out.find("click model, behaviours read by stim") != std::string::npos);
}

PROGRAM_TEST("evaluate puts click models beside counting and the best possible") {
  const std::string din = clicks().file("din"), out = clicks().file("out.json"), page = clicks().file("out.html");
  works({"train", "--config", clicks().file("config.json"), "--data", clicks().log, "--out", din, "--threads", "1", "--set", "click_model.behaviour=din", "--stop-after", "1"});
  works({"train", "--resume", "--data", clicks().log, "--out", din, "--threads", "1"});
  const Outcome o = works({"evaluate", "--checkpoint", clicks().stim, din, "--data", clicks().log, "--threads", "1", "--json", out, "--report", page});
  for (const std::string word : {"STIM", "DIN", "category_affinity (counter)", "best possible", "cold start", "Semi-synthetic"}) {
    CAPTURE(word);
    CHECK(o.out.find(word) != std::string::npos);
  }
  const json all = json::parse(scratch::bytes_of(out)).at("tasks").at("ctr").at("subsets").at("all").at("predictors");
  CHECK(all.at("STIM").at("auc").at("value").get<double>() > 0);
  CHECK(all.at("best possible").at("auc").at("value").get<double>() > all.at("item_rate").at("auc").at("value").get<double>());
  const std::string html = scratch::bytes_of(page);
  CHECK(html.find("<svg") != std::string::npos);
  CHECK(html.find("review") != std::string::npos);
  fails({"evaluate", "--checkpoint", clicks().stim, "--data", clicks().log, "--truth", clicks().log}, {"safetensors"});
}

PROGRAM_TEST("ablate trains variants, keeps a failed one from losing the others, and does not train a finished one again") {
  const std::string out = clicks().file("ablation");
  const std::vector<std::string> ask{"ablate", "--config", clicks().file("ablations.json"), "--data", clicks().log, "--out", out, "--threads", "1"};
  const Outcome first = works(ask);
  for (const std::string word : {"STIM", "DIN!", "no conversions"}) {
    CAPTURE(word);
    CHECK(first.out.find(word) != std::string::npos);
  }
  const json table = json::parse(scratch::bytes_of(out + "/ablation.json"));
  CHECK(table.at("results").size() == 3);
  CHECK(table.at("reference") == "STIM");
  const std::string weights = scratch::bytes_of(out + "/din/last.safetensors");
  const Outcome again = works(ask);
  CHECK(again.out == first.out);
  CHECK(again.err.find("epoch  1/") == std::string::npos);
  CHECK(scratch::bytes_of(out + "/din/last.safetensors") == weights);
  std::vector<std::string> other = ask;
  other.insert(other.end(), {"--set", "training.learning_rate=0.02"});
  CHECK(works(other).out.find("another config") != std::string::npos);
}

#ifndef __SANITIZE_ADDRESS__  // what they train is tested elsewhere: here they are read, and every variant is one that can be trained
PROGRAM_TEST("every variant of the repository's ablations can be trained") {
  const std::string log = clicks().file("small.clicks");
  works({"generate-clicks", "--out", log, "--users", "20", "--requests", "8", "--behaviours", "8"});
  for (const auto& file : std::filesystem::directory_iterator(CHRONOTOPE_SOURCE_DIR "/configs/ablations")) {
    CAPTURE(file.path().string());
    const std::string out = clicks().file(file.path().stem().string());
    const Outcome o = works({"ablate", "--config", file.path().string(), "--data", log, "--out", out, "--threads", "1", "--set", "clicks.kept=4", "--set", "training.epochs=1"});
    CHECK(o.err.find("failed") == std::string::npos);
  }
}
#endif

PROGRAM_TEST("derive-groups prints groups that a config takes") {
  const std::string out = works({"derive-groups", "--data", clicks().log, "--hours", "4"}).out, key = "\"hour_groups\": \"";
  const std::size_t from = out.find(key) + key.size();
  REQUIRE(from > key.size());
  const std::string hours = out.substr(from, out.find('"', from) - from);
  CHECK(std::count(hours.begin(), hours.end(), ' ') == 3);
  works({"train", "--config", clicks().file("config.json"), "--data", clicks().log, "--out", clicks().file("derived"), "--threads", "1", "--set", "training.epochs=1",
         "--set", "clicks.hour_groups=" + hours});
  fails({"derive-groups", "--data", clicks().log, "--hours", "25"}, {"hours"});
}

PROGRAM_TEST("files of variants that cannot be") {
  const auto refused = [&](const std::string& text, const std::string& words) {
    const std::string path = clicks().put("bad.json", text);
    fails({"ablate", "--config", path, "--data", clicks().log, "--out", clicks().file("none")}, {words});
  };
  refused("{", "not JSON");
  refused(R"({"base": "config.json"})", "variants");
  refused(R"({"base": "config.json", "variants": []})", "no variant");
  refused(R"({"base": "config.json", "variants": [{"name": "a", "group": "g"}, {"name": "a", "group": "g"}]})", "two variants");
  refused(R"({"base": "config.json", "variants": [{"name": "a", "group": "g", "set": {"click_model.hedas": 1}}]})", "click_model.heads");
  refused(R"({"base": {"seed": 1}, "variants": [{"name": "a", "group": "g"}]})", "clicks");
  CHECK(!std::filesystem::exists(clicks().file("none")));
}

PROGRAM_TEST("convert-clicks reads Ele.me files into a cache that trains") {
  const std::string cache = clicks().file("eleme.clicks");
  const Outcome o = works({"convert-clicks", "--data", clicks().eleme, "--out", cache, "--validation-from", "2022-04-18T00:00", "--test-from", "2022-04-25T00:00", "--user-rows",
                           "1000", "--item-rows", "1000"});
  CHECK(o.out.find("400 samples") != std::string::npos);
  works({"train", "--config", clicks().file("config.json"), "--data", cache, "--out", clicks().file("eleme"), "--threads", "1", "--set", "training.epochs=1",
         "--set", "training.embedding_updates=lazy"});
  fails({"convert-clicks", "--data", clicks().file("config.json"), "--out", clicks().file("x.clicks")}, {"config.json", "row 1"});
  fails({"train", "--config", clicks().file("config.json"), "--data", clicks().log, "--out", clicks().file("y"), "--set", "clicks.hour_groups=3-10 12-2"}, {"11"});
}
