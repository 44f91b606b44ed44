#pragma once
// Matrices in files: numpy's .npy (format versions 1.0, 2.0 and 3.0 are read, 1.0 is written).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace chronotope {

/// Rows of numbers in host memory, row-major.
struct Matrix {
  std::int64_t rows = 0, width = 0;
  std::vector<float> values;  ///< [rows, width]

  /// Row 0 … rows - 1 [width].
  std::span<const float> row(std::int64_t r) const {
    return {values.data() + r * width, static_cast<std::size_t>(width)};
  }
};

/// Reads a two-dimensional array of little-endian f2, f4 or f8 in C order. Nothing in the file is trusted: the length
/// of the header and the product of the shape are compared with the size of the file before memory is asked for.
/// O(rows x width) time and memory, the file's bytes are not held twice. Throws FormatError that names the file, what
/// was found and what to do: no .npy, another type, Fortran order, another number of axes, no columns, bytes missing or
/// left over; DataError for a finite f8 that no f4 can hold, with row and column; FileError when it cannot be read.
/// NaN and infinities are read as they are.
Matrix read_npy(const std::string& path);

/// Writes an array of f4 row by row, so that it never has to lie in memory: O(width) memory. Until finish() all goes to
/// a temporary file in the same folder; without finish() `path` is as it was.
class NpyWriter {
 public:
  /// Throws ConfigError for a width below 1, FileError if the temporary file cannot be made.
  NpyWriter(const std::string& path, std::int64_t width);
  ~NpyWriter();
  NpyWriter(NpyWriter&&) noexcept;
  NpyWriter& operator=(NpyWriter&&) noexcept;

  /// Appends a row [width]. Throws ShapeError for another length, FileError.
  void write(std::span<const float> row);

  /// Writes the number of rows into the header, syncs the file and gives it its name; once. Throws FileError.
  void finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// The whole matrix by NpyWriter. Throws also ShapeError where the values are not rows x width.
void write_npy(const std::string& path, const Matrix& matrix);

}  // namespace chronotope
