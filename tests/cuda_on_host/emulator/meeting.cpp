#include "emulator/meeting.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "emulator/control.hpp"

namespace cuda_on_host {

std::string Meeting::make() {
  std::string name = (std::filesystem::temp_directory_path() / "nccl_on_host.XXXXXX").string();
  if (!mkdtemp(name.data())) throw Fault("NCCL: there can be no folder " + name);
  return name;
}

bool Meeting::is_free() const { return std::filesystem::is_directory(folder_) && !brought(rank_, "hello"); }

void Meeting::bring(const std::string& step, const std::string& bytes) {
  const std::string unfinished = file(rank_, step) + "~";
  std::ofstream(unfinished, std::ios::binary) << bytes;
  std::filesystem::rename(unfinished, file(rank_, step));  // whole when it is seen
}

bool Meeting::brought(int rank, const std::string& step) const { return std::filesystem::exists(file(rank, step)); }

bool Meeting::any(const std::string& step) const {
  for (int rank = 0; rank < size_; ++rank)
    if (brought(rank, step)) return true;
  return false;
}

bool Meeting::all(const std::string& step) const {
  for (int rank = 0; rank < size_; ++rank)
    if (!brought(rank, step)) return false;
  return true;
}

std::string Meeting::read(int rank, const std::string& step) const {
  std::ostringstream bytes;
  bytes << std::ifstream(file(rank, step), std::ios::binary).rdbuf();
  return bytes.str();
}

void Meeting::forget(const std::string& step) const {
  std::error_code gone;
  std::filesystem::remove(file(rank_, step), gone);
}

void Meeting::leave() {
  bring("left", "");
  std::error_code gone;
  if (all("left")) std::filesystem::remove_all(folder_, gone);
}

}  // namespace cuda_on_host
