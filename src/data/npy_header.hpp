#pragma once
// The header of a .npy file: a Python dictionary that says what the bytes behind it are.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace chronotope::npy {

enum class Number : std::uint8_t { f2, f4, f8 };

constexpr std::size_t size_of(Number n) { return n == Number::f2 ? 2 : n == Number::f4 ? 4 : 8; }

struct Header {
  Number number = Number::f4;
  std::uint64_t rows = 0, width = 0;
  std::size_t data = 0;  // where the numbers begin
};

inline constexpr std::size_t written_bytes = 128;     // of every header written here
inline constexpr std::size_t longest_header = 65535;  // what version 1.0 can say; a matrix needs about 100

/// Reads and checks the header of a whole file; rows x width numbers then lie between `data` and the end. Errors as
/// read_npy.
Header parse(std::span<const std::byte> file, const std::string& path);

/// Version 1.0, f4, C order, as numpy writes it.
std::string header_text(std::uint64_t rows, std::uint64_t width);

}  // namespace chronotope::npy
