#include "text.hpp"

#include <charconv>
#include <cmath>

namespace chronotope::report {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

struct Decoded {
  std::uint32_t code = 0;
  std::size_t length = 0;  // 0: not valid here
};

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
Decoded decode(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  std::uint32_t code = first & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if (!continues(text[i])) return {};
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return {};
  return {code, length};
}

bool harmless(std::uint32_t code) {
  if (code < 0x20) return code == '\t' || code == '\n';
  if (code >= 0x7F && code < 0xA0) return false;
  if ((code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069)) return false;  // direction
  return (code & 0xFFFE) != 0xFFFE && !(code >= 0xFDD0 && code <= 0xFDEF);                     // no characters
}

std::string_view entity(char c) {
  switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return {};
  }
}

std::string format(double value, std::chars_format form, int digits) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value, form, digits).ptr};
}

std::string two_digits(std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string clean(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Decoded d = decode(text);
    const std::size_t length = d.length ? d.length : 1;
    out += d.length && harmless(d.code) ? text.substr(0, length) : replacement;
    text.remove_prefix(length);
  }
  return out;
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : clean(text)) {
    const std::string_view e = entity(c);
    if (e.empty()) out += c;
    else out += e;
  }
  return out;
}

std::string shorten(std::string_view text, std::size_t most) {
  const std::string valid = clean(text);
  std::size_t points = 0, cut = 0;
  for (std::size_t i = 0; i < valid.size(); ++i) {
    if (continues(valid[i])) continue;
    if (points + 1 == most) cut = i;
    if (++points > most) return valid.substr(0, cut) + "…";
  }
  return valid;
}

std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return "–";
  if (std::abs(value) >= 1e9) return scientific(value);
  if (std::abs(value) < 0.5 * std::pow(10.0, -digits)) value = 0;  // no "-0.00"
  return format(value, std::chars_format::fixed, digits);
}

std::string with_sign(double value, int digits) {
  const std::string size = fixed(std::abs(value), digits);
  if (!std::isfinite(value) || size == fixed(0, digits)) return size;
  return (value < 0 ? "−" : "+") + size;
}

std::string scientific(double value) {
  if (!std::isfinite(value)) return "–";
  if (value == 0) return "0";
  const std::string text = format(value, std::chars_format::scientific, 2);
  const std::size_t e = text.find('e');
  std::string mantissa = text.substr(0, e);
  while (mantissa.back() == '0') mantissa.pop_back();
  if (mantissa.back() == '.') mantissa.pop_back();
  return mantissa + "e" + std::to_string(std::stoi(text.substr(e + 1)));
}

std::string whole(std::int64_t value) {
  std::string text = std::to_string(value);
  const std::size_t sign = value < 0 ? 1 : 0;
  for (std::size_t i = text.size(); i > sign + 3;) text.insert(i -= 3, ",");
  return text;
}

std::string seconds_text(double seconds) {
  if (!std::isfinite(seconds)) return "–";
  if (seconds < 60) return fixed(seconds, seconds < 10 ? 1 : 0) + " s";
  if (seconds >= 1e9) return fixed(seconds, 0) + " s";
  const auto total = static_cast<std::int64_t>(std::llround(seconds));
  if (total < 3600) return std::to_string(total / 60) + " min " + two_digits(total % 60) + " s";
  return whole(total / 3600) + " h " + two_digits(total / 60 % 60) + " min";
}

std::string kilometres(double km) {
  if (!std::isfinite(km) || km >= 1e9) return fixed(km, 0) + " km";
  if (km < 0.9995) return fixed(km * 1000, 0) + " m";
  return (km < 99.95 ? fixed(km, 1) : whole(std::llround(km))) + " km";
}

std::string counted(std::size_t n, std::string_view one, std::string_view many) {
  return whole(static_cast<std::int64_t>(n)) + " " + std::string(n == 1 ? one : many);
}

bool contains_word(std::string_view text, std::string_view word) {
  for (std::size_t i = 0; i + word.size() <= text.size(); ++i) {
    std::size_t n = 0;
    while (n < word.size() && lower(text[i + n]) == word[n]) ++n;
    const bool begins = i == 0 || !is_letter(text[i - 1]);
    const bool ends = i + n == text.size() || !is_letter(text[i + n]);
    if (n == word.size() && begins && ends) return true;
  }
  return false;
}

}  // namespace chronotope::report
