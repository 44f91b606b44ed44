#pragma once
// One writer a folder.

#include <string>

namespace chronotope {

/// Holds a folder for this process: two trainings that write the same checkpoints would destroy each other's. The lock is
/// on the folder itself, leaves no file, and goes with the process, however it ends.
class FolderLock {
 public:
  /// Throws ConfigError when another process holds the folder, FileError when the folder cannot be opened.
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace chronotope
