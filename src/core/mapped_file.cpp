#include "core/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

std::string errno_text() { return std::error_code(errno, std::generic_category()).message(); }

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  int descriptor;
  do descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) throw FileError(path + ": cannot be opened: " + errno_text());
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) size_ = static_cast<std::size_t>(status.st_size);
  void* const at = size_ > 0 ? ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0) : nullptr;
  const std::string reason = at == MAP_FAILED ? errno_text() : "";
  ::close(descriptor);
  if (at == MAP_FAILED) throw FileError(path + ": cannot be mapped into memory: " + reason);
  data_ = static_cast<const std::byte*>(at);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace chronotope
