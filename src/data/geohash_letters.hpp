#pragma once
// The 32 letters of geohashes.

#include <array>
#include <cstdint>
#include <string_view>

namespace chronotope {

inline constexpr std::string_view geohash_letters = "0123456789bcdefghjkmnpqrstuvwxyz";

/// The number of a letter of either case; -1 for what geohashes do not have.
inline constexpr auto geohash_values = [] {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < geohash_letters.size(); ++i) {
    const char letter = geohash_letters[i];
    table[static_cast<unsigned char>(letter)] = static_cast<std::int8_t>(i);
    if (letter >= 'a') table[static_cast<unsigned char>(letter - 'a' + 'A')] = static_cast<std::int8_t>(i);
  }
  return table;
}();

}  // namespace chronotope
