#pragma once
// A folder that is gone when the benchmark ends.

#include <cstdlib>
#include <filesystem>
#include <string>

#include "chronotope/core/error.hpp"

namespace chronotope::bench {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    if (!mkdtemp(path_.data())) throw FileError(path_ + ": cannot be made");
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = std::filesystem::temp_directory_path() / "chronotope_bench_XXXXXX";
};

}  // namespace chronotope::bench
