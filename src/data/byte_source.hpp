#pragma once
// Bytes of a plain or gzip'ed file, a piece at a time.

#include <cstddef>
#include <memory>
#include <string>

namespace chronotope {

/// Reads a file in order. Gzip is recognised by its first two bytes; several gzip members in a row read as one stream.
/// Memory is bounded whatever the file holds.
class ByteSource {
 public:
  /// Throws FileError if the file cannot be opened.
  explicit ByteSource(std::string path);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// Fills up to `size` bytes and returns their number; fewer than `size` only at the end of the file.
  /// Throws FileError (the system refuses) and FormatError (the gzip data is damaged or cut off).
  std::size_t read(char* out, std::size_t size);

  const std::string& path() const { return path_; }

 private:
  struct Inflater;

  std::size_t read_raw(char* out, std::size_t size);
  std::size_t read_plain(char* out, std::size_t size);
  std::size_t read_gzip(char* out, std::size_t size);
  bool refill();
  bool begin_next_member();
  void recognise();

  std::string path_;
  int descriptor_ = -1;
  bool recognised_ = false;
  std::unique_ptr<char[]> buffer_;
  std::size_t next_ = 0, end_ = 0;      // unread part of buffer_
  std::unique_ptr<Inflater> inflater_;  // null for a plain file
};

}  // namespace chronotope
