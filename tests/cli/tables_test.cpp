// chronotope tables on a tiny world: all tables and figures, killed and resumed, and bad configs.

#include <nlohmann/json.hpp>
#include <random>

#include "cli/program.hpp"

using nlohmann::json;
using namespace program;

namespace {

/// A world with everything the tables read, made once.
class TablesWorld {
 public:
  TablesWorld() {
    works({"generate-world", file("world"), "--users", "40", "--places", "240", "--cities", "2", "--days", "40", "--actions-per-user", "40", "--requests-per-user", "8"});
    works({"clean", "--data", file("world/actions.csv.gz"), "--out", file("world/clean.csv.gz"), "--functional", "Residence", "Office", "Hospital", "School", "Parking", "Station", "Bank"});
    works({"index", "build", "--places", file("world/places.csv.gz"), "--out", file("world/places.index")});
  }
  std::string file(const std::string& name) const { return folder_.file(name); }
  json config() const {
    json data = {{"raw", "actions.csv.gz"}, {"actions", "clean.csv.gz"}, {"requests", "requests.csv.gz"}, {"index", "places.index"}, {"vectors", "vectors.npy"}, {"truth_actions", "truth_actions.csv.gz"}, {"truth_requests", "truth_requests.csv.gz"}};
    for (auto& [key, value] : data.items()) value = file("world/" + value.get<std::string>());
    return {{"data", data},
            {"cleansing", {{"functional", {"Residence", "Office"}}}},
            {"config", {{"model", {{"width", 12}, {"layers", 1}, {"heads", 2}, {"feed_forward", 12}, {"length", 6}, {"geo_rows", 16}}}, {"actions", {{"embedding", 4}, {"profile_tokens", 3}, {"profile_pieces", 257}}}, {"evaluation", {{"targets", 40}}}, {"training", {{"batch", 16}, {"epochs", 1}, {"checkpoint_seconds", 0}}}}},
            {"pretrain", {{"learning_rate", 1e-2}}},
            {"align", {{"stage.beta", 0.5}}},
            {"lengths", {3, 6, 8}},
            {"targets", 60},
            {"judge", {{"cases", 20}}}};
  }
  std::string put(const std::string& name, const json& config) const { return folder_.put(name, config.dump()); }

 private:
  scratch::Folder folder_;
};

const TablesWorld& tables_world() {
  static const TablesWorld made;
  return made;
}

std::vector<std::string> tables(const std::string& config, const std::string& out) { return {"tables", "--config", config, "--out", out, "--threads", "1"}; }

const Outcome& whole() {
  static const Outcome made = works(tables(tables_world().put("tables.json", tables_world().config()), tables_world().file("whole")));
  return made;
}

json made_tables(const std::string& out) { return json::parse(scratch::bytes_of(tables_world().file(out) + "/tables.json")); }

json changed(const json& patch) {
  json config = tables_world().config();
  config.merge_patch(patch);
  return config;
}

}  // namespace

PROGRAM_TEST("tables makes every table and figure, beside counters and the truth, and as Markdown, JSON and a page") {
  const Outcome& o = whole();
  for (const std::string word : {"Table 2: data cleansing", "+ sequence level", "w/o curriculum learning", "counting: mixture", "best possible", "embedding-based ranking SFT + vectors",
                                 "+ embedding-based ranking & generative ranking SFT", "S-DPO", "m = 14, difference", "POI level", "The judge is a rule"}) {
    CAPTURE(word);
    CHECK(o.out.find(word) != std::string::npos);
  }
  const json made = made_tables("whole");
  for (const char* key : {"table_2", "table_4", "table_5", "table_7", "table_8", "table_9", "figure_3", "figure_4"}) CHECK(made.contains(key));
  CHECK(made.at("figure_3").at("rows").size() == 3);
  CHECK(made.at("figure_4").at("rows").size() == 12);
  const json& row = made.at("table_7").at("rows").at(1);
  CHECK(row.at("cells").at(2).at("value").get<double>() == doctest::Approx(row.at("cells").at(0).at("value").get<double>() - made.at("table_7").at("rows").at(0).at("cells").at(0).at("value").get<double>()));
  CHECK(row.at("cells").at(2).at("low").get<double>() <= row.at("cells").at(2).at("high").get<double>());
  CHECK(scratch::bytes_of(tables_world().file("whole/tables.md")).find("| w/o spatiotemporal info |") != std::string::npos);
  const std::string page = scratch::bytes_of(tables_world().file("whole/report.html"));
  CHECK(page.find("Discovery rate, past 14 active days") != std::string::npos);
  CHECK(page.find("<polyline class=\"curve counter\"") != std::string::npos);
}

PROGRAM_TEST("tables killed again and again goes on, to the same figures; done, it measures nothing again") {
  whole();
  const std::string config = tables_world().file("tables.json"), out = tables_world().file("killed");
  const std::uint64_t seed = 5;
  MESSAGE("seed " << seed);
  std::mt19937_64 random(seed);
  std::vector<std::string> command{path()};
  for (const std::string& word : tables(config, out)) command.push_back(word);
  for (int kill = 0; kill < 4; ++kill) child::Process(command, {"OMP_WAIT_POLICY=passive"}, "/dev/null", "/dev/null").kill_after(std::chrono::duration<double>(0.02 + 0.1 * static_cast<double>(random() % 8)));
  works(tables(config, out));
  // Runs start from folders of another name: nothing but names may differ.
  CHECK(made_tables("killed") == made_tables("whole"));
  const auto before = snapshot(out);
  CHECK(works(tables(config, out)).err.find("measuring") == std::string::npos);
  CHECK(snapshot(out) == before);
  const Outcome one = works({"tables", "--config", config, "--out", out, "--threads", "1", "--only", "8"});
  CHECK(one.out.find("Table 8") == 0);
  CHECK(one.out.find("Table 7") == std::string::npos);
  CHECK(made_tables("killed").at("table_8") == made_tables("whole").at("table_8"));
}

PROGRAM_TEST("tables asks a judge by command, and keeps its verdicts") {
  const scratch::Folder folder;
  const std::string judge = folder.put("judge.sh", "#!/bin/sh\necho x >> " + folder.file("calls") + "\necho '{\"better\": \"even\", \"fit_a\": 1, \"fit_b\": 1}'\n");
  const std::string config = tables_world().put("judged.json", changed({{"judge", {{"command", {"sh", judge}}, {"cases", 5}}}}));
  const std::vector<std::string> arguments{"tables", "--config", config, "--out", tables_world().file("judged"), "--threads", "1", "--only", "5"};
  CHECK(works(arguments).out.find("100.0% ±0.0") != std::string::npos);
  CHECK(lines(scratch::bytes_of(folder.file("calls"))).size() == 5);
  works(arguments);
  CHECK(lines(scratch::bytes_of(folder.file("calls"))).size() == 5);
}

PROGRAM_TEST("tables says what is wrong with a config") {
  const std::string out = tables_world().file("none");
  const auto refused = [&](const json& patch, const std::vector<std::string>& words) { fails(tables(tables_world().put("bad.json", changed(patch)), out), words); };
  refused({{"lenghts", {3}}}, {"bad.json", "there is no key \"lenghts\"", "\"lengths\""});
  refused({{"data", {{"action", "x"}}}}, {"data", "\"action\"", "\"actions\""});
  refused({{"pretrain", {{"learning_rat", 1}}}}, {"config and pretrain", "training.learning_rate"});
  refused({{"pretrain", {{"epochs", 0}}}}, {"config and pretrain", "training.epochs"});
  refused({{"align", {{"stage.beta.x", 1}}}}, {"align", "stage.beta", "contradicts another"});
  refused({{"config", {{"stage", {{"name", "rank"}}}}}}, {"stage.name", "leave them out"});
  refused({{"data", {{"requests", nullptr}}}}, {"\"requests\"", "table 8"});
  refused({{"tables", {3}}}, {"no table 3", "2, 4, 5, 7, 8 and 9"});
  refused({{"tables", json::array()}, {"figures", json::array()}}, {"no table and no figure"});
  refused({{"lengths", {1}}}, {"lengths"});
  refused({{"targets", -1}}, {"\"targets\"", "a whole number"});
  refused({{"judge", {{"command", "sh"}}}}, {"\"command\"", "a list of texts"});
  refused({{"config", {{"model", {{"decoder", "gpt"}}}}}}, {"figure 3", "llama"});
  refused({{"data", {{"actions", "/none.csv"}}}}, {"/none.csv"});
  fails(tables(tables_world().put("bad.json", json::array()), out), {"must be a JSON object"});
  fails({"tables", "--config", tables_world().put("good.json", tables_world().config()), "--out", out, "--only", "figure5"}, {"--only", "no figure5"});
}

PROGRAM_TEST("the recipes of tables are valid: what they lack here is the data") {
  for (const char* name : {"/configs/tables_world.json", "/configs/tables_tiny.json"})
    fails({"tables", "--config", std::string(CHRONOTOPE_SOURCE_DIR) + name, "--out", tables_world().file("recipe")}, {"cannot read world/clean.csv.gz"});
}

PROGRAM_TEST("tables refuses folders of another config, and of other data") {
  whole();
  const std::string other = tables_world().put("other.json", changed({{"pretrain", {{"learning_rate", 2e-2}}}}));
  fails(tables(other, tables_world().file("whole")), {"pretrain", "another config or other data", "--out"});
  const std::string help = works({"tables", "--help"}).out;
  for (const std::string word : {"generate-world", "--only 7", "report.html", "goes on where it was"}) CHECK(help.find(word) != std::string::npos);
}
