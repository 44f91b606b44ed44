#pragma once
// A .npy file opened for reading rows out of it.

#include <cstring>
#include <span>
#include <string>

#include "core/mapped_file.hpp"
#include "npy_header.hpp"

namespace chronotope::npy {

class File {
 public:
  /// Errors as read_npy.
  explicit File(const std::string& path) : path_(path), file_(path), header_(parse(file_.bytes(), path)) {}

  std::int64_t rows() const { return static_cast<std::int64_t>(header_.rows); }
  std::int64_t width() const { return static_cast<std::int64_t>(header_.width); }

  /// Row `row` as f4 into `to` [width]. Throws DataError for a finite number that no f4 can hold.
  void read_row(std::int64_t row, float* to) const;

 private:
  std::string path_;
  MappedFile file_;
  Header header_;
};

}  // namespace chronotope::npy
