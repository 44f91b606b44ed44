#include "chronotope/train/config.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "chronotope/core/error.hpp"
#include "chronotope/data/groups.hpp"
#include "chronotope/data/holidays.hpp"
#include "chronotope/train/preference_rules.hpp"
#include "core/word_distance.hpp"

namespace chronotope {
namespace {

using Json = nlohmann::ordered_json;

/// Calls f(dotted name, value, meaning) for every leaf.
template <class F> class Leaves {
 public:
  Leaves(std::string prefix, F& f) : prefix_(std::move(prefix)), f_(f) {}
  template <class T> void operator()(const char* name, T& value, const char* meaning) { f_(prefix_ + name, value, meaning); }
  template <class S> void operator()(const char* name, S& section) { section.visit(Leaves(prefix_ + name + ".", f_)); }

 private:
  std::string prefix_;
  F& f_;
};

template <class F> void for_each_key(Config& config, F f) { config.visit(Leaves<F>("", f)); }

[[noreturn]] void unknown_key(Config& config, const std::string& key, const std::string& source) {
  std::string nearest;
  for_each_key(config, [&](const std::string& name, auto&, const char*) {
    if (nearest.empty() || word_distance(key, name) < word_distance(key, nearest)) nearest = name;
  });
  throw ConfigError(source + ": there is no key \"" + key + "\"; did you mean \"" + nearest + "\"?");
}

/// A value as a message shows it: never recursive (nesting may be deep), never invalid UTF-8.
std::string shown(const Json& json) {
  if (json.is_structured()) return json.is_array() ? "a list" : "an object";
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <class T> void assign(T& value, const Json& json, const std::string& key, const std::string& source) {
  const auto wrong = [&](const char* wanted) { throw ConfigError(source + ": \"" + key + "\" must be " + wanted + ", is " + shown(json)); };
  if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) wrong("true or false");
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    if (!json.is_number_integer() || (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX)) wrong("a whole number");
  } else if constexpr (std::is_same_v<T, double>) {
    if (!json.is_number()) wrong("a number");
  } else {
    if (!json.is_string()) wrong("text");
  }
  value = json.get<T>();
}

void assign_key(Config& config, const std::string& key, const Json& json, const std::string& source) {
  bool found = false;
  for_each_key(config, [&](const std::string& name, auto& value, const char*) {
    if (name != key) return;
    assign(value, json, key, source);
    found = true;
  });
  if (!found) unknown_key(config, key, source);
}

bool is_section(Config& config, const std::string& prefix) {
  bool found = false;
  for_each_key(config, [&](const std::string& name, auto&, const char*) { found = found || name.rfind(prefix, 0) == 0; });
  return found;
}

void assign_all(Config& config, const Json& json, const std::string& prefix, const std::string& source) {
  for (const auto& [name, value] : json.items()) {
    if (value.is_object() && is_section(config, prefix + name + ".")) assign_all(config, value, prefix + name + ".", source);
    else assign_key(config, prefix + name, value, source);
  }
}

void need(bool fulfilled, const std::string& rule) {
  if (!fulfilled) throw ConfigError(rule);
}

void one_of(const char* key, const std::string& value, std::initializer_list<const char*> choices) {
  std::string list;
  for (const char* choice : choices) {
    if (value == choice) return;
    list += (list.empty() ? "" : ", ") + std::string(choice);
  }
  throw ConfigError(std::string(key) + " must be one of " + list + ", is \"" + value + "\"");
}

void check(const ModelConfig& m) {
  one_of("model.decoder", m.decoder, {"llama", "gpt"});
  one_of("model.head", m.head, {"vocabulary", "history_pointer"});
  one_of("model.geo", m.geo, {"geohash", "grid"});
  need(m.layers >= 1 && m.layers <= 1000, "model.layers must be 1 to 1000");
  need(m.heads >= 1 && m.width >= 1 && m.width <= 65536, "model.heads must be at least 1 and model.width 1 to 65536");
  need(m.width % 12 == 0, "model.width must be a multiple of 12 (four time and twelve position parts)");
  need(m.width % m.heads == 0 && m.width / m.heads % 2 == 0, "model.width must be an even multiple of model.heads");
  need(m.feed_forward >= 1 && m.feed_forward <= 1 << 20, "model.feed_forward must be 1 to 1048576");
  need(m.length >= 2 && m.length <= 1 << 16, "model.length must be 2 to 65536 actions");
  need(m.geo_rows >= 1 && m.geo_rows <= 1 << 28, "model.geo_rows must be 1 to 268435456");
  need(m.dropout >= 0 && m.dropout < 1, "model.dropout must be at least 0 and less than 1");
  need(m.pointer_heads >= 1 && m.pointer_heads <= 1024 && m.pointer_width >= 1 && m.pointer_width <= 65536,
       "model.pointer_heads must be 1 to 1024 and model.pointer_width 1 to 65536");
}

void check(const ActionsConfig& a) {
  one_of("actions.codes", a.codes, {"hierarchical", "hashed", "single"});
  one_of("actions.head", a.head, {"typed", "joint", "pointer"});
  need(!a.tied || a.head != "joint", "actions.tied needs actions.head=typed or pointer");
  one_of("actions.fusion", a.fusion, {"fixed", "gated"});
  need(a.profile_tokens >= 0 && a.profile_tokens <= 4096, "actions.profile_tokens must be 0 to 4096");
  need(a.profile_pieces >= 257 && a.profile_pieces <= 65536, "actions.profile_pieces must be 257 to 65536: 256 bytes and one for the end");
  need(a.embedding >= 1 && a.embedding <= 65536, "actions.embedding must be 1 to 65536");
  need(a.travel_km > 0 && std::isfinite(a.travel_km), "actions.travel_km must be above 0");
  need(a.validation_share >= 0 && a.test_share >= 0 && a.validation_share + a.test_share < 1, "actions.validation_share and test_share must not be negative and leave something to train on");
}

void check(const StageConfig& s) {
  one_of("stage.name", s.name, {"pretrain", "embed", "rank", "align"});
  one_of("stage.preference", s.preference, {"pairs", "softmax"});
  one_of("stage.reference", s.reference, {"once", "always"});
  need(s.temperature > 0 && std::isfinite(s.temperature), "stage.temperature must be above 0");
  need(s.together >= 1, "stage.together must be at least 1");
  need(s.beta > 0 && std::isfinite(s.beta), "stage.beta must be above 0");
  need(s.name != "align" || !s.from.empty(), "stage.from must name the folder of a pre-trained model: alignment starts from it and is held to it");
  parse_preference_rules(s.rules);  // throws what is wrong with them
}

void check(const ClicksConfig& c) {
  one_of("clicks.search", c.search, {"hard", "recent", "soft"});
  need(c.search != "soft" || !c.soft_from.empty(), "clicks.search=soft needs clicks.soft_from, the folder of a click model trained before");
  need(c.negatives >= 0 && c.negatives <= 59, "clicks.negatives must be 0 to 59");
  need(c.nearby > c.negatives && c.nearby <= 1000, "clicks.nearby must be clicks.negatives + 1 to 1000");
  need(c.decay_km > 0 && std::isfinite(c.decay_km), "clicks.decay_km must be above 0");
  need(c.shuffle_block >= 0, "clicks.shuffle_block must not be negative");
  need(c.kept >= 1 && c.kept <= 20000, "clicks.kept must be 1 to 20000");
  GroupTable({c.hour_groups, c.week_groups, c.geohash_groups});  // throws what is wrong with them
  HolidayCalendar(c.holidays);
}

void check_curve(const ClickModelConfig& m) {
  one_of("click_model.curve", m.curve, {"exponential", "power", "logarithm"});
  one_of("click_model.time", m.time, {"position", "days"});
  one_of("click_model.mask_layer", m.mask_layer, {"dense", "pointwise", "none"});
  one_of("click_model.masks", m.masks, {"each", "mean"});
  for (const double x : {m.r_init, m.r_final, m.i, m.power_c, m.power_m, m.log_a, m.log_b, m.log_c}) need(std::isfinite(x), "click_model's curve constants must be finite");
  need(m.s > 0 && std::isfinite(m.s), "click_model.s must be above 0");
  need(m.power_c > 0 && m.power_m < 0 && m.log_c > 0, "click_model.power_c and log_c must be above 0, power_m below 0");
}

void check(const ClickModelConfig& m) {
  one_of("click_model.behaviour", m.behaviour, {"stim", "none", "gsu", "din", "dien", "sim", "twin_v2", "ic", "lic", "fim", "st_pil", "mha"});
  one_of("click_model.query", m.query, {"concatenation", "experts", "holiday", "pairs"});
  one_of("click_model.head", m.head, {"dnn", "mmoe"});
  one_of("click_model.tasks", m.tasks, {"ctr", "ctr ctcvr"});
  one_of("click_model.ctcvr", m.ctcvr, {"product", "tower"});
  check_curve(m);
  const auto width = [](std::int64_t w) { return w >= 1 && w <= 4096; };
  need(width(m.embedding) && width(m.key_width) && width(m.query_width) && width(m.hidden), "click_model's widths must be 1 to 4096");
  need(m.heads >= 1 && m.heads <= 64 && m.experts >= 1 && m.experts <= 64, "click_model.heads and experts must be 1 to 64");
  need(m.key_width % m.heads == 0, "click_model.key_width must be a multiple of click_model.heads");
  need(m.deviation >= 0 && m.deviation <= 10, "click_model.deviation must be 0 to 10");
  need(m.temperature > 0 && std::isfinite(m.temperature), "click_model.temperature must be above 0");
  need(m.dropout >= 0 && m.dropout < 1, "click_model.dropout must be at least 0 and less than 1");
  need(m.ctcvr_weight >= 0 && std::isfinite(m.ctcvr_weight), "click_model.ctcvr_weight must not be negative");
  parse_widths(m.head_hidden);
  parse_widths(m.query_hidden);
}

void check(const TrainingConfig& t) {
  one_of("training.optimizer", t.optimizer, {"adam", "adamw"});
  one_of("training.embedding_updates", t.embedding_updates, {"dense", "lazy"});
  need(std::isfinite(t.learning_rate) && t.learning_rate > 0, "training.learning_rate must be above 0");
  need(t.min_learning_rate >= 0 && t.min_learning_rate <= t.learning_rate, "training.min_learning_rate must be 0 to training.learning_rate");
  need(t.warmup_steps >= 0 && t.epochs >= 1 && t.epochs <= 1'000'000, "training.warmup_steps must not be negative, training.epochs 1 to 1000000");
  need(t.batch >= 1 && t.batch <= 1 << 20 && t.accumulate >= 1, "training.batch must be 1 to 1048576, training.accumulate at least 1");
  need(t.weight_decay >= 0 && std::isfinite(t.weight_decay), "training.weight_decay must not be negative");
  need(t.optimizer != "adam" || t.weight_decay == 0, "training.weight_decay must be 0 with adam; adamw has decoupled weight decay");
  need(t.clip_norm >= 0, "training.clip_norm must not be negative");
  need(t.beta1 >= 0 && t.beta1 < 1 && t.beta2 >= 0 && t.beta2 < 1, "training.beta1 and beta2 must be at least 0 and less than 1");
  need(t.eps > 0, "training.eps must be above 0");
  need(t.patience >= 0 && t.checkpoint_seconds >= 0, "training.patience and checkpoint_seconds must not be negative");
}

}  // namespace

void check_config(const Config& config) {
  need(config.seed >= 0, "seed must not be negative");
  one_of("system", config.system, {"spacetime_gr", "actions", "clicks"});
  check(config.model);
  check(config.actions);
  check(config.stage);
  check(config.clicks);
  check(config.click_model);
  check(config.training);
  need(config.evaluation.targets >= 0, "evaluation.targets must not be negative");
  need(config.evaluation.batch >= 1 && config.evaluation.batch <= 1 << 20, "evaluation.batch must be 1 to 1048576");
}

namespace {

/// check_config whose message says where the values come from.
void check_from(const Config& config, const std::string& source) {
  try {
    check_config(config);
  } catch (const ConfigError& e) {
    throw ConfigError(source + ": " + e.what());
  }
}

void assign_text(Config& config, const std::string& assignment) {
  const auto sign = assignment.find('=');
  if (sign == std::string::npos) throw ConfigError("--set wants key=value, got \"" + assignment + "\"");
  const std::string key = assignment.substr(0, sign), value = assignment.substr(sign + 1);
  Json json = Json::parse(value, nullptr, false);
  bool text = json.is_discarded() || json.is_structured();  // words need no quotes
  for_each_key(config, [&](const std::string& name, auto& target, const char*) { text |= name == key && std::is_same_v<decltype(target), std::string&> && !json.is_string(); });
  if (text) json = value;
  assign_key(config, key, json, "--set");
}

}  // namespace

Config parse_config(const std::string& text, const std::string& source, const Config& base) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::exception& e) {
    throw FormatError(source + " is not JSON: " + e.what());
  }
  if (!json.is_object()) throw ConfigError(source + ": the config must be a JSON object");
  Config config = base;
  assign_all(config, json, "", source);
  check_from(config, source);
  return config;
}

Config read_config(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) throw FileError("cannot read the config " + path);
  return parse_config(text.str(), path);
}

void set_config(Config& config, const std::vector<std::string>& assignments) {
  Config changed = config;
  for (const std::string& assignment : assignments) assign_text(changed, assignment);
  check_from(changed, "--set");
  config = changed;
}

void set_config(Config& config, const std::string& assignment) { set_config(config, std::vector<std::string>{assignment}); }

std::string to_json(const Config& config) {
  Config copy = config;
  Json json;
  for_each_key(copy, [&](std::string name, auto& value, const char*) {
    std::replace(name.begin(), name.end(), '.', '/');
    json[Json::json_pointer("/" + name)] = value;
  });
  return json.dump(2) + "\n";
}

std::string config_reference() {
  Config defaults;
  std::string text = "| key | default | meaning |\n|---|---|---|\n";
  for_each_key(defaults, [&](const std::string& name, auto& value, const char* meaning) {
    text += "| `" + name + "` | `" + Json(value).dump() + "` | " + meaning + " |\n";
  });
  return text;
}

}  // namespace chronotope
