#include "chronotope/train/checkpoint.hpp"

#include <bit>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
constexpr const char* format = "chronotope checkpoint 1";

/// Doubles travel as their bits: resuming must not depend on printing.
Json bits(double x) { return std::bit_cast<std::uint64_t>(x); }
double from_bits(const Json& json) { return std::bit_cast<double>(json.get<std::uint64_t>()); }

std::string dump(const TrainingState& s) {
  return Json{{"epoch", s.epoch}, {"step", s.step}, {"steps", s.steps}, {"random_counter", s.random_counter},
              {"loss_sum", bits(s.loss_sum)}, {"loss_count", s.loss_count}, {"best_score", bits(s.best_score)},
              {"best_epoch", s.best_epoch}, {"finished", s.finished}, {"data", s.data}, {"ranks", s.ranks}}.dump();
}

TrainingState parse_state(const std::string& text) {
  const Json j = Json::parse(text);
  TrainingState s;
  j.at("epoch").get_to(s.epoch), j.at("step").get_to(s.step), j.at("steps").get_to(s.steps);
  j.at("random_counter").get_to(s.random_counter), j.at("loss_count").get_to(s.loss_count);
  j.at("best_epoch").get_to(s.best_epoch), j.at("finished").get_to(s.finished);
  s.loss_sum = from_bits(j.at("loss_sum")), s.best_score = from_bits(j.at("best_score"));
  s.data = j.value("data", std::uint64_t{0});
  s.ranks = j.value("ranks", std::int64_t{1});
  if (s.epoch < 0 || s.step < 0 || s.steps < 0 || s.loss_count < 0 || s.best_epoch < -1 || !std::isfinite(s.loss_sum))
    throw FormatError("the training state is damaged: " + text);
  return s;
}

}  // namespace

void write_checkpoint(const std::string& folder, const std::string& name, const Checkpoint& checkpoint) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw FileError("cannot create the folder " + folder + ": " + error.message());
  Safetensors file;
  file.tensors = checkpoint.tensors;
  file.metadata = {{"format", format}, {"config", to_json(checkpoint.config)}, {"vocabulary", checkpoint.vocabulary}, {"state", dump(checkpoint.state)}};
  write_safetensors((fs::path(folder) / name).string(), file);
}

namespace {

/// A file of the folder that is one of this program's checkpoints, read by `read`.
template <class R> Safetensors checkpoint_file(const std::string& folder, const std::string& path, R read) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) throw FileError("there is no checkpoint " + path + "; train one with: chronotope train --out " + folder);
  Safetensors file = read(path);
  if (file.metadata["format"] != format) throw FormatError(path + " is a safetensors file but not a checkpoint of this program");
  return file;
}

}  // namespace

Checkpoint read_checkpoint(const std::string& folder, const std::string& name) {
  const std::string path = (fs::path(folder) / name).string();
  Safetensors file = checkpoint_file(folder, path, read_safetensors);
  try {
    return {parse_config(file.metadata["config"], "config"), std::move(file.metadata["vocabulary"]),
            parse_state(file.metadata["state"]), std::move(file.tensors), path};
  } catch (const Json::exception& e) {
    throw FormatError(path + ": the training state is damaged: " + e.what());
  } catch (const Error& e) {
    throw FormatError(path + ": " + e.what());
  }
}

Config read_checkpoint_config(const std::string& folder, const std::string& name) {
  const std::string path = (fs::path(folder) / name).string();
  Safetensors file = checkpoint_file(folder, path, read_safetensors_head);
  try {
    return parse_config(file.metadata["config"], "config");
  } catch (const Error& e) {
    throw FormatError(path + ": " + e.what());
  }
}

void remove_leftovers(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    for (const char* checkpoint : {last_checkpoint, best_checkpoint})
      if (name.rfind(std::string(checkpoint) + ".tmp-", 0) == 0) fs::remove(entry.path(), error);
  }
}

Checkpoint read_trained(const std::string& folder) {
  return read_checkpoint(folder, has_checkpoint(folder, best_checkpoint) ? best_checkpoint : last_checkpoint);
}

bool has_checkpoint(const std::string& folder, const std::string& name) {
  std::error_code error;
  return fs::is_regular_file(fs::path(folder) / name, error);
}

}  // namespace chronotope
