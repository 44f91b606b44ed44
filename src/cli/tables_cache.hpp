#pragma once
// Figures of a finished run, kept beside it.

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "chronotope/core/atomic_file.hpp"

namespace chronotope::cli {

/// Lists of numbers by name in a JSON file, good for one fingerprint: with another, or damaged, it begins empty.
class FigureCache {
 public:
  FigureCache(std::string path, const std::string& fingerprint) : path_(std::move(path)) {
    std::ifstream file(path_, std::ios::binary);
    json_ = nlohmann::json::parse(file, nullptr, false);
    if (!json_.is_object() || json_.value("fingerprint", nlohmann::json()) != fingerprint || !json_.contains("figures") || !json_["figures"].is_object())
      json_ = {{"fingerprint", fingerprint}, {"figures", nlohmann::json::object()}};
  }

  /// What is kept under a name, else what `compute` returns, written before it is returned.
  template <class F> auto get(const std::string& name, F&& compute) -> decltype(compute()) {
    auto& figures = json_["figures"];
    try {
      if (figures.contains(name)) return figures[name].template get<decltype(compute())>();
    } catch (const nlohmann::json::exception&) {  // damaged: computed again
    }
    auto value = compute();
    figures[name] = value;
    write_file_atomically(path_, json_.dump() + "\n");
    return value;
  }

 private:
  std::string path_;
  nlohmann::json json_;
};

}  // namespace chronotope::cli
