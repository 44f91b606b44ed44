#pragma once
// The text of single Ele.me fields as numbers and ids. Inline: this is the inner loop of the reader.

#include <charconv>
#include <cstring>
#include <string_view>

#include "chronotope/data/clicks.hpp"
#include "csv.hpp"
#include "eleme_fields.hpp"
#include "eleme_row.hpp"
#include "mix.hpp"

namespace chronotope::eleme {

inline constexpr std::int32_t small_table = 8;  // of gender, is_supervip and time_type

[[noreturn]] inline void fail(std::size_t field, std::string_view value, const char* rule) {
  throw RowFault{field, false, shown(value) + " " + rule};
}

inline bool is_empty(std::string_view text) { return text.empty() || text == "-99"; }

inline std::uint64_t up_to_8(const char* at, std::size_t size) {
  std::uint64_t low = 0, high = 0;
  if (size >= 4) {
    std::memcpy(&low, at, 4);
    std::memcpy(&high, at + size - 4, 4);
  } else if (size > 0) {
    low = static_cast<unsigned char>(at[0]) | static_cast<std::uint64_t>(static_cast<unsigned char>(at[size / 2])) << 8;
    high = static_cast<unsigned char>(at[size - 1]);
  }
  return low | high << 32;
}

/// 8 bytes at a time.
inline std::uint64_t hash(std::string_view text) {
  std::uint64_t state = text.size() * 0x9E3779B97F4A7C15;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left > 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    state = mix(state ^ word);
  }
  return mix(state ^ up_to_8(at, left));
}

inline std::int32_t hashed_id(std::uint64_t hash, std::int32_t rows) {
  return 1 + static_cast<std::int32_t>((hash >> 32) * static_cast<std::uint64_t>(rows - 1) >> 32);
}

template <class Number> Number number(std::size_t field, std::string_view text, const char* rule) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) fail(field, text, rule);
  return value;
}

/// A number that is not negative; empty and -99 say nothing.
inline bool known_number(std::size_t field, std::string_view text, double& value) {
  value = 0;
  if (is_empty(text)) return false;
  value = number<double>(field, text, "is not a number; correct it, or leave it empty");
  if (value == -99) return false;
  if (!(value >= 0 && value <= 1e30)) fail(field, text, "is not between 0 and 1e30 (empty or -99 where not known)");
  return true;
}

inline std::uint32_t geohash_of(std::size_t field, std::string_view text) {
  if (is_empty(text)) return 0;
  const std::uint32_t packed = pack_geohash6(text);
  if (packed == 0) fail(field, text, "is not a geohash of at least six letters; correct it, or leave it empty");
  return packed;
}

inline std::int32_t geohash_id(std::uint32_t packed, std::int32_t rows) { return packed ? hashed_id(mix(packed), rows) : 0; }

/// 1 + the number itself.
inline std::int32_t counted_id(std::size_t field, std::string_view text) {
  if (is_empty(text)) return 0;
  const int value = number<int>(field, text, "is not a whole number; correct it, or leave it empty");
  if (value < 0 || value >= small_table - 1) fail(field, text, "is not between 0 and 6 (empty or -99 where not known)");
  return value + 1;
}

/// 1 to 5 for the known words, 6 for any other.
inline std::int32_t time_type_id(std::string_view text) {
  if (is_empty(text)) return 0;
  std::int32_t id = 1;
  for (const char* word : time_types) {
    if (text == word) return id;
    ++id;
  }
  return id;
}

inline int hour_of(std::size_t field, std::string_view text) {
  const int hour = number<int>(field, text, "is not an hour; hours are whole numbers from 0 to 23");
  if (hour < 0 || hour > 23) fail(field, text, "is not an hour; hours are whole numbers from 0 to 23");
  return hour;
}

inline int weekday_of(std::size_t field, std::string_view text, int monday) {
  const int day = number<int>(field, text, "is not a weekday; weekdays are whole numbers from 0 to 7");
  if (day < 0 || day > 7) fail(field, text, "is not a weekday; weekdays are whole numbers from 0 to 7");
  return (day - monday + 7) % 7;
}

}  // namespace chronotope::eleme
