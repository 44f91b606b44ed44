#pragma once
// One object of a JSON file that a user wrote, read key by key.

#include <algorithm>
#include <string>
#include <vector>

#include "cli/json_file.hpp"
#include "core/word_distance.hpp"

namespace chronotope::cli {

/// An object of the file, and where it stands for messages. Keeps a reference. All members throw ConfigError naming the key.
struct JsonSection {
  const nlohmann::json& json;
  std::string source;

  [[noreturn]] void wrong(const std::string& key, const char* wanted) const { throw ConfigError(source + ": \"" + key + "\" must be " + wanted); }
  void check_keys(const std::vector<std::string>& known) const {
    if (!json.is_object()) throw ConfigError(source + ": must be a JSON object");
    for (const auto& [key, value] : json.items()) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      const auto nearest = std::min_element(known.begin(), known.end(), [&, &k = key](const auto& a, const auto& b) { return word_distance(k, a) < word_distance(k, b); });
      throw ConfigError(source + ": there is no key \"" + key + "\"; did you mean \"" + *nearest + "\"?");
    }
  }
  JsonSection part(const std::string& key) const {
    static const nlohmann::json empty = nlohmann::json::object();
    return {json.contains(key) ? json[key] : empty, source + ": " + key};
  }
  void read(const std::string& key, std::string& value) const {
    if (!json.contains(key)) return;
    if (!json[key].is_string()) wrong(key, "text");
    value = json[key].get<std::string>();
  }
  void read(const std::string& key, std::int64_t& value, std::int64_t least) const {
    if (!json.contains(key)) return;
    if (!json[key].is_number_integer() || json[key] < least || json[key] > 1'000'000'000) wrong(key, least > 0 ? "a whole number, 1 to 1000000000" : "a whole number, 0 to 1000000000");
    value = json[key].get<std::int64_t>();
  }
  /// A number of at least 0.
  void read(const std::string& key, double& value) const {
    if (!json.contains(key)) return;
    if (!json[key].is_number() || json[key] < 0) wrong(key, "a number of at least 0");
    value = json[key].get<double>();
  }
  void read(const std::string& key, std::vector<std::string>& value) const {
    if (!json.contains(key)) return;
    if (!json[key].is_array()) wrong(key, "a list of texts");
    value.clear();
    for (const nlohmann::json& entry : json[key]) {
      if (!entry.is_string()) wrong(key, "a list of texts");
      value.push_back(entry.get<std::string>());
    }
  }
  std::vector<std::int64_t> numbers(const std::string& key, std::vector<std::int64_t> value) const {
    if (!json.contains(key)) return value;
    if (!json[key].is_array()) wrong(key, "a list of whole numbers");
    value.clear();
    for (const nlohmann::json& entry : json[key]) {
      if (!entry.is_number_integer()) wrong(key, "a list of whole numbers");
      value.push_back(entry.get<std::int64_t>());
    }
    return value;
  }
};

}  // namespace chronotope::cli
