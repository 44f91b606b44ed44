#pragma once
// Gzip'ed content for tests.

#include <zlib.h>

#include "scratch.hpp"

namespace scratch {

inline std::string packed(const Folder& folder, const std::string& text) {
  const std::string path = folder.file("packed");
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  return bytes_of(path);
}

}  // namespace scratch
