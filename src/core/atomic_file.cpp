#include "chronotope/core/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

// Unique within the process by a counter, between processes by the process id, and against leftovers by O_EXCL.
std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return path + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
}

int open_retrying(const char* path, int flags) {
  int descriptor;
  do descriptor = ::open(path, flags | O_CLOEXEC, 0666);
  while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

int sync_retrying(int descriptor) {
  int result;
  do result = ::fsync(descriptor);
  while (result != 0 && errno == EINTR);
  return result;
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  for (int attempt = 0; attempt < 100 && descriptor_ < 0; ++attempt) {
    temporary_ = temporary_name(path_);
    descriptor_ = open_retrying(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL);
    if (descriptor_ < 0 && errno != EEXIST) break;
  }
  if (descriptor_ < 0) fail("a temporary file beside it cannot be created");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t size) {
  if (descriptor_ < 0) throw FileError(path_ + ": cannot be written: the file is already committed");
  const char* next = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(descriptor_, next, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("writing failed");
    next += written;
    size -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::rewrite(std::size_t at, std::string_view text) {
  if (descriptor_ < 0) throw FileError(path_ + ": cannot be written: the file is already committed");
  while (!text.empty()) {
    const ssize_t written = ::pwrite(descriptor_, text.data(), text.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("writing failed");
    at += static_cast<std::size_t>(written);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void AtomicFile::commit() {
  if (descriptor_ < 0) throw FileError(path_ + ": cannot be written: the file is already committed");
  if (sync_retrying(descriptor_) != 0) fail("flushing to the disk failed");
  // Linux releases the descriptor even when close reports an error, so it is never closed twice.
  const int closed = ::close(std::exchange(descriptor_, -1));
  if (closed != 0 && errno != EINTR) fail("closing failed");
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail("renaming the temporary file failed");
  temporary_.clear();
  sync_folder();
}

// The rename is only durable once the folder is; file systems that cannot sync a folder say EINVAL.
void AtomicFile::sync_folder() const {
  const std::size_t slash = path_.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
  const int descriptor = open_retrying(folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return;  // a folder that may be written but not read: nothing more can be done
  const int synced = sync_retrying(descriptor), reason = errno;
  ::close(descriptor);
  errno = reason;
  if (synced != 0 && errno != EINVAL && errno != EROFS) fail("flushing its folder to the disk failed");
}

void AtomicFile::fail(const char* step) const {
  const std::string reason = std::error_code(errno, std::generic_category()).message();
  throw FileError(path_ + ": cannot be written: " + step + ": " + reason);
}

void write_file_atomically(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace chronotope
