#pragma once
// Files that appear whole or not at all.

#include <cstddef>
#include <string>
#include <string_view>

namespace chronotope {

/// Writes a file under a temporary name in the folder of `path`; commit() makes it durable and gives it its name.
/// Without commit() (an exception, an early return) the temporary file is removed and `path` is as it was.
/// Every member that fails throws FileError with the path and the system's reason.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends `size` bytes. Unbuffered: hand over large pieces.
  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }

  /// Replaces bytes that were written before, `at` bytes from the beginning: a head that is only known at the end.
  void rewrite(std::size_t at, std::string_view text);

  /// Syncs the file, renames it to `path` (an existing file is replaced) and syncs the folder. At most once.
  void commit();

 private:
  [[noreturn]] void fail(const char* step) const;
  void sync_folder() const;

  std::string path_, temporary_;
  int descriptor_ = -1;
};

/// The whole of `text` as the new content of `path`, by AtomicFile.
void write_file_atomically(const std::string& path, std::string_view text);

}  // namespace chronotope
