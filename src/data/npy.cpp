#include "chronotope/data/npy.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"
#include "npy_file.hpp"

namespace chronotope {
namespace npy {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are read and written as they lie in memory");

float from_half(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const auto fraction = static_cast<float>(bits & 1023);
  const float size = exponent == 0    ? std::ldexp(fraction, -24)
                     : exponent == 31 ? (fraction == 0 ? std::numeric_limits<float>::infinity() : NAN)
                                      : std::ldexp(1024 + fraction, exponent - 25);
  return bits & 0x8000 ? -size : size;
}

template <class T> T number_at(const std::byte* from) {
  T value;  // numbers behind a header of any length need not be aligned
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace

void File::read_row(std::int64_t row, float* to) const {
  const std::size_t size = size_of(header_.number), width = header_.width;
  const std::byte* from = file_.bytes().data() + header_.data + static_cast<std::size_t>(row) * width * size;
  if (header_.number == Number::f4) {
    std::memcpy(to, from, width * size);
    return;
  }
  for (std::size_t i = 0; i < width; ++i, from += size) {
    if (header_.number == Number::f2) {
      to[i] = from_half(number_at<std::uint16_t>(from));
      continue;
    }
    const double value = number_at<double>(from);
    if (std::isfinite(value) && std::abs(value) > std::numeric_limits<float>::max())
      throw DataError(path_ + ": row " + std::to_string(row) + ", column " + std::to_string(i) + " (both from 0): " +
                      std::to_string(value) + " is beyond what an f4 can hold; scale the numbers");
    to[i] = static_cast<float>(value);
  }
}

}  // namespace npy

Matrix read_npy(const std::string& path) {
  const npy::File file(path);
  Matrix matrix{file.rows(), file.width(), {}};
  matrix.values.resize(static_cast<std::size_t>(matrix.rows * matrix.width));
  for (std::int64_t row = 0; row < matrix.rows; ++row) file.read_row(row, matrix.values.data() + row * matrix.width);
  return matrix;
}

class NpyWriter::State {
 public:
  State(const std::string& path, std::int64_t width) : path_(path), width_(checked(path, width)), file_(path) {
    file_.write(npy::header_text(0, width_));
  }

  void write(std::span<const float> row) {
    if (row.size() != width_)
      throw ShapeError(path_ + ": a row of " + std::to_string(row.size()) + " numbers for a matrix of width " +
                       std::to_string(width_));
    pending_.insert(pending_.end(), row.begin(), row.end());
    ++rows_;
    if (pending_.size() >= flushed_at) flush();
  }

  void finish() {
    flush();
    file_.rewrite(0, npy::header_text(rows_, width_));
    file_.commit();
  }

 private:
  static constexpr std::size_t flushed_at = std::size_t{1} << 16;  // numbers

  static std::size_t checked(const std::string& path, std::int64_t width) {
    if (width < 1) throw ConfigError(path + ": a matrix of width " + std::to_string(width) + "; at least 1 is needed");
    return static_cast<std::size_t>(width);
  }
  void flush() {
    if (!pending_.empty()) file_.write(pending_.data(), pending_.size() * sizeof(float));
    pending_.clear();
  }

  std::string path_;
  std::size_t width_ = 0, rows_ = 0;
  AtomicFile file_;
  std::vector<float> pending_;
};

NpyWriter::NpyWriter(const std::string& path, std::int64_t width) : state_(std::make_unique<State>(path, width)) {}
NpyWriter::~NpyWriter() = default;
NpyWriter::NpyWriter(NpyWriter&&) noexcept = default;
NpyWriter& NpyWriter::operator=(NpyWriter&&) noexcept = default;
void NpyWriter::write(std::span<const float> row) { state_->write(row); }
void NpyWriter::finish() { state_->finish(); }

void write_npy(const std::string& path, const Matrix& matrix) {
  if (matrix.rows < 0 || matrix.width < 1 || matrix.values.size() != static_cast<std::size_t>(matrix.rows * matrix.width))
    throw ShapeError(path + ": " + std::to_string(matrix.values.size()) + " numbers for a matrix of " +
                     std::to_string(matrix.rows) + " x " + std::to_string(matrix.width));
  NpyWriter writer(path, matrix.width);
  for (std::int64_t row = 0; row < matrix.rows; ++row) writer.write(matrix.row(row));
  writer.finish();
}

}  // namespace chronotope
