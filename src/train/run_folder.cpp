#include "train/run_folder.hpp"

namespace chronotope {

double values_of(const Checkpoint& checkpoint) {
  double values = 0;
  for (const auto& [name, tensor] : checkpoint.tensors)
    if (name.rfind("model.", 0) == 0) values += static_cast<double>(tensor.shape.elements());
  return values;
}

namespace detail {

void make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw FileError("cannot create the folder " + folder + ": " + error.message());
}

void check_same_data(const Checkpoint& from, const std::string& folder, const std::string& vocabulary, std::uint64_t fingerprint) {
  if (from.vocabulary != vocabulary)
    throw DataError("the data is not what " + folder + " was trained on: its vocabulary differs; resume with the same file");
  if (from.state.data != 0 && from.state.data != fingerprint)
    throw DataError("the data is not what " + folder + " was trained on: its rows differ; resume with the same file");
}

std::optional<Checkpoint> starting_point(const std::string& folder, bool resume, bool writes, std::optional<FolderLock>& lock) {
  if (!resume) {
    if (writes && has_checkpoint(folder, last_checkpoint))
      throw ConfigError(folder + " already holds a checkpoint; go on with --resume or choose another --out");
    return {};
  }
  if (!std::filesystem::is_directory(folder)) throw FileError(folder + ": there is no such folder to resume from");
  if (writes) lock.emplace(folder);
  return read_checkpoint(folder, last_checkpoint);
}

}  // namespace detail
}  // namespace chronotope
