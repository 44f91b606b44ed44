#pragma once
// How far two words are apart: for "did you mean".

#include <cstddef>
#include <string_view>

namespace chronotope {

/// Edits to get from one word to the other (Levenshtein 1966). O(|a| |b|).
std::size_t word_distance(std::string_view a, std::string_view b);

}  // namespace chronotope
