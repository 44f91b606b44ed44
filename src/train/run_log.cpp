#include "train/run_log.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

using Json = nlohmann::ordered_json;

/// Whether a line tells of something that `state` has behind it. A line cut by a kill does not.
bool is_past(const std::string& line, const TrainingState& state) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("epoch") || !json["epoch"].is_number_integer()) return false;
  if (!json.contains("step")) return json["epoch"] <= state.epoch;  // epochs count from 1 here, from 0 there
  return json["step"].is_number_integer() && json["step"] <= state.steps;
}

void drop_future(const std::string& path, const TrainingState& state) {
  std::ifstream in(path);
  std::string kept, line;
  while (std::getline(in, line))
    if (is_past(line, state)) kept += line + '\n';
  write_file_atomically(path, kept);
}

}  // namespace

RunLog::RunLog(const std::string& folder, const TrainingState* resumed) : path_((std::filesystem::path(folder) / "log.jsonl").string()) {
  if (resumed) drop_future(path_, *resumed);
  file_.open(path_, resumed ? std::ios::app : std::ios::trunc);
  check();
}

void RunLog::step(const StepReport& r) {
  Json json{{"step", r.steps}, {"epoch", r.epoch + 1}, {"loss", r.loss}, {"learning_rate", r.rate}, {"gradient_norm", r.norm},
            {"inputs", r.inputs}, {"targets", r.targets}, {"seconds", r.seconds}};
  for (const auto& [name, value] : r.measures) json[name] = value;
  file_ << json.dump() << '\n';
  check();
}

void RunLog::epoch(const EpochReport& r) {
  Json json{{"epoch", r.epoch + 1}, {"loss", r.loss}, {"best", r.best}, {"seconds", r.seconds}};
  if (r.validation) {
    json["validation"] = {{"score", r.validation->score}};
    for (const auto& [name, value] : r.validation->measures) json["validation"][name] = value;
  }
  file_ << json.dump() << '\n';
  flush();
}

void RunLog::flush() {
  file_.flush();
  check();
}

void RunLog::check() const {
  if (!file_) throw FileError(path_ + ": cannot be written; is the disk full or the folder read-only?");
}

}  // namespace chronotope
