#pragma once
// Files mapped into memory for reading.

#include <cstddef>
#include <span>
#include <string>

namespace chronotope {

/// A regular file as bytes; what is no regular file has none. The file must not be changed in place while it is mapped.
class MappedFile {
 public:
  /// Throws FileError with the system's reason when it cannot be opened or mapped. O(1): pages come when touched.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace chronotope
