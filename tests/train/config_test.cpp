// The config: every key reads, writes and is documented; everything else is refused with the nearest name.

#include "chronotope/train/config.hpp"

#include <nlohmann/json.hpp>

#include "data/scratch.hpp"
#include "doctest/doctest.h"

using namespace chronotope;
using Json = nlohmann::ordered_json;
using scratch::error_of;

namespace {

std::string parse_error(const std::string& text) { return error_of([&] { parse_config(text, "my.json"); }); }

void refused(const std::string& text, const std::string& type, const std::vector<std::string>& words) {
  const std::string error = parse_error(text);
  CAPTURE(text);
  CAPTURE(error);
  CHECK(error.rfind(type + ": my.json", 0) == 0);
  for (const std::string& word : words) CHECK(error.find(word) != std::string::npos);
}

/// Another value that is allowed beside the defaults of all other keys.
Json other_value(const std::string& path, const Json& value) {
  static const std::map<std::string, Json> chosen{{"/model/decoder", "gpt"}, {"/model/head", "history_pointer"}, {"/model/geo", "grid"},
                                                  {"/model/width", 1536}, {"/model/heads", 16}, {"/training/optimizer", "adam"},
                                                  {"/training/embedding_updates", "lazy"}, {"/system", "clicks"}, {"/clicks/search", "recent"},
                                                  {"/clicks/hour_groups", "0-11 12-23"}, {"/clicks/week_groups", "identical"}, {"/clicks/geohash_groups", "none"},
                                                  {"/clicks/holidays", "2022-05-01..2022-05-04"}, {"/click_model/behaviour", "din"}, {"/click_model/key_width", 64},
                                                  {"/click_model/query", "experts"}, {"/click_model/heads", 4}, {"/click_model/curve", "power"},
                                                  {"/click_model/time", "days"}, {"/click_model/mask_layer", "none"}, {"/click_model/masks", "mean"},
                                                  {"/click_model/head", "mmoe"}, {"/click_model/head_hidden", "32"}, {"/click_model/tasks", "ctr ctcvr"},
                                                  {"/click_model/ctcvr", "tower"}, {"/clicks/soft_from", "runs/a"}, {"/click_model/query_hidden", "32 16"},
                                                  {"/actions/index", "places.index"}, {"/actions/codes", "hashed"}, {"/actions/head", "joint"},
                                                  {"/actions/fusion", "gated"}, {"/actions/vectors", "vectors.npy"}, {"/stage/name", "embed"},
                                                  {"/stage/from", "runs/a"}, {"/stage/preference", "softmax"}, {"/stage/reference", "always"},
                                                  {"/stage/rules", "7: Bakery"}};
  if (const auto found = chosen.find(path); found != chosen.end()) return found->second;
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>() + 1;
  return value.get<double>() == 0 ? 0.5 : value.get<double>() * 0.625;
}

std::string dotted(const std::string& pointer) {
  std::string key = pointer.substr(1);
  std::replace(key.begin(), key.end(), '/', '.');
  return key;
}

}  // namespace

TEST_CASE("every key can be read, set and written, and none moves another") {
  const Json defaults = Json::parse(to_json(Config{})).flatten();
  CHECK(defaults.size() == 101);
  for (const auto& [path, value] : defaults.items()) {
    CAPTURE(path);
    REQUIRE(value.is_primitive());
    const Json other = other_value(path, value);
    REQUIRE(other != value);
    Json expected = defaults, alone;
    expected[path] = other;
    alone[Json::json_pointer(path)] = other;
    const Config read = parse_config(alone.dump(), "one key");
    CHECK(Json::parse(to_json(read)).flatten() == expected);
    CHECK(to_json(parse_config(to_json(read), "again")) == to_json(read));
    Config set;
    set_config(set, dotted(path) + "=" + (other.is_string() ? other.get<std::string>() : other.dump()));
    CHECK(to_json(set) == to_json(read));
  }
}

TEST_CASE("a group of requests has at least one") {
  refused(R"({"stage": {"together": 0}})", "ConfigError", {"stage.together must be at least 1"});
}

TEST_CASE("a soft search needs the model whose items it compares") {
  refused(R"({"clicks": {"search": "soft"}})", "ConfigError", {"clicks.soft_from"});
  CHECK(parse_config(R"({"clicks": {"search": "soft", "soft_from": "a"}})", "x").clicks.search == "soft");
}

TEST_CASE("numbers come back to the bit") {
  Config config;
  config.training.learning_rate = 0.1 + 0.2;
  config.training.eps = 5e-324;
  config.seed = INT64_MAX;
  const Config back = parse_config(to_json(config), "x");
  CHECK(back.training.learning_rate == config.training.learning_rate);
  CHECK(back.training.eps == config.training.eps);
  CHECK(back.seed == INT64_MAX);
}

TEST_CASE("an unknown key names the nearest") {
  refused(R"({"model": {"widht": 24}})", "ConfigError", {"\"model.widht\"", "\"model.width\""});
  refused(R"({"training": {"learningrate": 1}})", "ConfigError", {"\"training.learning_rate\""});
  refused(R"({"sede": 1})", "ConfigError", {"\"seed\""});
  refused(R"({"modle": {"width": 24}})", "ConfigError", {"\"modle\""});
  refused(R"({"training": {"model": {"width": 24}}})", "ConfigError", {"\"training.model\""});
  refused(R"({"": 1})", "ConfigError", {"did you mean"});
}

TEST_CASE("values of the wrong type") {
  refused(R"({"model": {"width": "24"}})", "ConfigError", {"\"model.width\"", "whole number", "\"24\""});
  refused(R"({"model": {"width": 24.5}})", "ConfigError", {"whole number"});
  refused(R"({"model": {"width": null}})", "ConfigError", {"whole number"});
  refused(R"({"seed": 18446744073709551615})", "ConfigError", {"whole number"});
  refused(R"({"model": {"target_time": 1}})", "ConfigError", {"true or false"});
  refused(R"({"model": {"decoder": 1}})", "ConfigError", {"text"});
  refused(R"({"training": {"eps": "small"}})", "ConfigError", {"a number"});
  refused(R"({"training": {"eps": true}})", "ConfigError", {"a number"});
  refused(R"({"model": 3})", "ConfigError", {"\"model\""});
  refused(R"({"seed": {"seed": 1}})", "ConfigError", {"\"seed\"", "an object"});
  refused("[]", "ConfigError", {"object"});
  refused("", "FormatError", {"not JSON"});
  refused("{\"seed\": 1", "FormatError", {"not JSON"});
  refused("{\"seed\": 1e999}", "FormatError", {"not JSON"});
  refused("{\"seed\": \"\xff\"}", "FormatError", {"not JSON"});
  refused("{\"seed\": " + std::string(1000000, '[') + std::string(1000000, ']') + "}", "ConfigError", {"a list"});
}

TEST_CASE("values out of range") {
  const std::vector<std::pair<const char*, const char*>> wrong{
      {R"({"seed": -1})", "seed"}, {R"({"model": {"decoder": "bert"}})", "llama, gpt"}, {R"({"model": {"head": "x"}})", "history_pointer"},
      {R"({"model": {"geo": "h3"}})", "geohash, grid"}, {R"({"model": {"layers": 0}})", "model.layers"}, {R"({"model": {"layers": 1001}})", "model.layers"},
      {R"({"model": {"width": 0}})", "model.width"}, {R"({"model": {"heads": 0}})", "model.heads"}, {R"({"model": {"width": 65544}})", "model.width"},
      {R"({"model": {"feed_forward": 0}})", "model.feed_forward"}, {R"({"model": {"length": 1}})", "model.length"},
      {R"({"model": {"length": 65537}})", "model.length"}, {R"({"model": {"geo_rows": 0}})", "model.geo_rows"}, {R"({"model": {"dropout": 1}})", "model.dropout"},
      {R"({"model": {"dropout": -0.1}})", "model.dropout"}, {R"({"model": {"pointer_heads": 0}})", "model.pointer_heads"},
      {R"({"model": {"pointer_width": 65537}})", "pointer_width"}, {R"({"training": {"optimizer": "sgd"}})", "adam, adamw"},
      {R"({"training": {"embedding_updates": "some"}})", "dense, lazy"}, {R"({"training": {"learning_rate": 0}})", "learning_rate"},
      {R"({"training": {"min_learning_rate": 1}})", "min_learning_rate"}, {R"({"training": {"warmup_steps": -1}})", "warmup_steps"},
      {R"({"training": {"epochs": 0}})", "epochs"}, {R"({"training": {"batch": 0}})", "batch"}, {R"({"training": {"accumulate": 0}})", "accumulate"},
      {R"({"training": {"weight_decay": -1}})", "weight_decay"}, {R"({"training": {"clip_norm": -1}})", "clip_norm"},
      {R"({"training": {"beta1": 1}})", "beta1"}, {R"({"training": {"beta2": -0.1}})", "beta2"}, {R"({"training": {"eps": 0}})", "eps"},
      {R"({"training": {"patience": -1}})", "patience"}, {R"({"training": {"checkpoint_seconds": -1}})", "checkpoint_seconds"},
      {R"({"evaluation": {"batch": 0}})", "evaluation.batch"}, {R"({"stage": {"rules": "25: Bakery"}})", "stage.rules"}};
  for (const auto& [text, word] : wrong) refused(text, "ConfigError", {word});
}

TEST_CASE("combinations that make no sense") {
  refused(R"({"model": {"width": 100}})", "ConfigError", {"multiple of 12"});
  refused(R"({"model": {"width": 24}})", "ConfigError", {"even multiple of model.heads"});
  refused(R"({"model": {"width": 36, "heads": 4}})", "ConfigError", {"even multiple"});
  refused(R"({"training": {"optimizer": "adam", "weight_decay": 0.1}})", "ConfigError", {"adamw"});
  CHECK(parse_error(R"({"model": {"width": 24, "heads": 2}})") == "");
  CHECK(parse_error(R"({"training": {"optimizer": "adamw", "weight_decay": 0.1}})") == "");
  CHECK(parse_error(R"({"training": {"learning_rate": 1, "min_learning_rate": 1}})") == "");
}

TEST_CASE("keys set on the command line") {
  Config config;
  set_config(config, "model.head=history_pointer");
  set_config(config, "training.learning_rate=1e-3");
  set_config(config, "model.decoder=\"gpt\"");
  set_config(config, "model.target_time=false");
  CHECK(config.model.head == "history_pointer");
  CHECK(config.training.learning_rate == 1e-3);
  CHECK(config.model.decoder == "gpt");
  CHECK(!config.model.target_time);
  const std::string before = to_json(config);
  for (const char* nonsense : {"", "=", "seed", "seed=", "=1", "seed=abc", "seed=1.5", "sede=1", "model=1", "model.width=25", "training.epochs=0", "seed=[1]",
                               "seed={}", "model.head=", "training.eps=nan", "seed=\xff", "\xff=1", "training.eps=1e999"}) {
    CAPTURE(nonsense);
    CHECK(error_of([&] { set_config(config, nonsense); }).rfind("ConfigError: --set", 0) == 0);
    CHECK(to_json(config) == before);
  }
}

TEST_CASE("the order of --set does not matter") {
  Config one, other;
  set_config(one, std::vector<std::string>{"model.width=24", "model.heads=2"});  // 24 over the 32 heads of the default would not do
  set_config(other, std::vector<std::string>{"model.heads=2", "model.width=24"});
  CHECK(to_json(one) == to_json(other));
  const std::string before = to_json(one);
  CHECK_THROWS_AS(set_config(one, std::vector<std::string>{"seed=5", "model.heads=5"}), ConfigError);
  CHECK(to_json(one) == before);
}

TEST_CASE("the recipes of the repository are valid") {
  int recipes = 0;
  for (const auto& file : std::filesystem::directory_iterator(CHRONOTOPE_SOURCE_DIR "/configs")) {
    if (file.path().extension() != ".json" || file.path().filename().string().starts_with("tables_")) continue;  // those are no trainings
    CAPTURE(file.path().string());
    CHECK_NOTHROW(read_config(file.path().string()));
    ++recipes;
  }
  CHECK(recipes >= 3);
}

TEST_CASE("the paper's setting (Spacetime-GR, Table 6)") {
  const Config c = read_config(CHRONOTOPE_SOURCE_DIR "/configs/nyc.json");
  CHECK(c.model.decoder == "llama");
  CHECK(c.model.head == "vocabulary");
  CHECK(c.model.layers == 2);
  CHECK(c.model.heads == 32);
  CHECK(c.model.length == 128);
  CHECK(c.training.optimizer == "adam");
}

TEST_CASE("config files that cannot be read") {
  const scratch::Folder folder;
  CHECK(error_of([&] { read_config(folder.file("none.json")); }).find("none.json") != std::string::npos);
  CHECK_THROWS_AS(read_config(folder.file("")), FileError);
  CHECK_THROWS_AS(read_config(folder.put("empty.json", "")), Error);
}

TEST_CASE("the documentation lists every key as the program does") {
  const std::string text = scratch::bytes_of(CHRONOTOPE_SOURCE_DIR "/docs/config.md");
  const std::string begin = "<!-- keys: chronotope info --config-keys -->\n", end = "<!-- end of keys -->";
  const auto from = text.find(begin), to = text.find(end);
  REQUIRE(from != std::string::npos);
  REQUIRE(to != std::string::npos);
  CHECK(text.substr(from + begin.size(), to - from - begin.size()) == config_reference());
}
