#pragma once
// Words of a profile, within which tokens are made.

#include <cstdint>
#include <string_view>

namespace chronotope {

constexpr std::int32_t byte_token(char byte) { return 1 + static_cast<unsigned char>(byte); }

/// Takes the first word off a text that is not empty: ';' or ':', or what lies before the next of them or of the
/// blanks, with one blank in front.
inline std::string_view take_word(std::string_view& text) {
  constexpr std::string_view separators = ";: ";
  const bool alone = text.front() == ';' || text.front() == ':';
  const std::string_view word = text.substr(0, alone ? 1 : text.find_first_of(separators, 1));
  text.remove_prefix(word.size());
  return word;
}

/// Whether two neighbouring pieces of text can lie in one word.
inline bool in_one_word(std::string_view left, std::string_view right) {
  return right.find_first_of(";: ") == right.npos && left.find_first_of(";:") == left.npos;
}

}  // namespace chronotope
