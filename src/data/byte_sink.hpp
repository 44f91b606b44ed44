#pragma once
// A plain or gzip'ed file written whole or not at all.

#include <memory>
#include <string>
#include <string_view>

#include "chronotope/core/atomic_file.hpp"

namespace chronotope {

/// Gathers text, packs it if the name ends in ".gz", and writes it through an AtomicFile.
class ByteSink {
 public:
  explicit ByteSink(const std::string& path);
  ~ByteSink();
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;

  void write(std::string_view text);
  /// Without it nothing remains of the file.
  void commit();

 private:
  struct Deflater;
  void flush(bool last);

  AtomicFile file_;
  std::string pending_;
  std::unique_ptr<Deflater> deflater_;  // null for a plain file
};

}  // namespace chronotope
