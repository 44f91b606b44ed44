#include "cli/ablation_file.hpp"

#include <filesystem>
#include <set>

#include "cli/json_file.hpp"

namespace chronotope::cli {
namespace {

using Json = nlohmann::json;

std::string folder_name(const std::string& name, std::set<std::string>& taken) {
  std::string folder;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c))) folder += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!folder.empty() && folder.back() != '-') folder += '-';
  }
  if (folder.empty()) folder = "variant";
  std::string unique = folder;
  for (int i = 2; !taken.insert(unique).second; ++i) unique = folder + "-" + std::to_string(i);
  return unique;
}

std::vector<std::string> assignments(const Json& set) {
  std::vector<std::string> all;
  for (const auto& [key, value] : set.items()) all.push_back(key + "=" + (value.is_string() ? value.get<std::string>() : value.dump()));
  return all;
}

Config base_of(const Json& base, const std::string& path) {
  if (!base.is_string()) return parse_config(base.dump(), path + ": base");
  return read_config((std::filesystem::path(path).parent_path() / base.get<std::string>()).string());
}

AblationVariant variant_of(const Json& entry, const Config& base, std::set<std::string>& taken) {
  AblationVariant variant{entry.at("name"), entry.at("group"), {}, base};
  variant.folder = folder_name(variant.name, taken);
  try {
    if (entry.contains("set")) set_config(variant.config, assignments(entry["set"]));
  } catch (const ConfigError& e) {
    throw ConfigError("variant \"" + variant.name + "\": " + e.what());
  }
  return variant;
}

}  // namespace

AblationFile read_ablation_file(const std::string& path, const std::vector<std::string>& set) {
  const Json json = read_json(path);
  AblationFile file;
  std::set<std::string> taken, names;
  try {
    file.base = base_of(json.at("base"), path);
    set_config(file.base, set);
    for (const Json& entry : json.at("variants")) file.variants.push_back(variant_of(entry, file.base, taken));
  } catch (const Json::exception& e) {
    throw FormatError(path + " is no list of variants: it needs \"base\" and \"variants\", each with \"name\" and \"group\" (" + e.what() + ")");
  }
  if (file.base.system != "clicks") throw ConfigError(path + ": the base must have \"system\": \"clicks\"");
  if (file.variants.empty()) throw ConfigError(path + ": there is no variant");
  for (const AblationVariant& v : file.variants)
    if (!names.insert(v.name).second) throw ConfigError(path + ": two variants are called \"" + v.name + "\"");
  return file;
}

}  // namespace chronotope::cli
