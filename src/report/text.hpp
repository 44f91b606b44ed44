#pragma once
// Texts and numbers as they may stand in HTML.

#include <cstdint>
#include <string>
#include <string_view>

namespace chronotope::report {

/// Valid UTF-8: what is not, control characters but tab and newline, and characters that turn the direction of the text
/// around them become U+FFFD.
std::string clean(std::string_view text);

/// clean(), with & < > " ' as entities: safe as text and inside either kind of quotes.
std::string escape(std::string_view text);

/// At most `most` code points of clean(text), the last of them an ellipsis when something was left out.
std::string shorten(std::string_view text, std::size_t most);

/// Locale-free. A dash where the value is not finite; scientific from 1e9 on.
std::string fixed(double value, int digits);
std::string with_sign(double value, int digits);  ///< fixed(), with + or a minus sign (U+2212)
std::string scientific(double value);             ///< three digits at most, "5e-5"
std::string whole(std::int64_t value);            ///< groups of three, "12,345"
std::string seconds_text(double seconds);         ///< "48 s", "3 min 20 s", "2 h 05 min"
std::string kilometres(double km);                ///< "350 m", "4.2 km", "10,873 km"
std::string counted(std::size_t n, std::string_view one, std::string_view many);  ///< "1 visit", "2 visits"

/// Whether `word` (lower case letters) occurs in `text` as a word, in whatever case.
bool contains_word(std::string_view text, std::string_view word);

}  // namespace chronotope::report
