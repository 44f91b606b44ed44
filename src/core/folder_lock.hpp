#pragma once
// One writer a folder.

#include <string>

namespace chronotope {

/// Holds a folder for this process: two that write the same files would destroy each other's work. The lock is
/// on the folder itself, leaves no file, and goes with the process, however it ends.
class FolderLock {
 public:
  /// Throws FileError when another process holds the folder or it cannot be opened.
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace chronotope
