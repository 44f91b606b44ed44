#pragma once
// What every page must be: balanced, properly quoted, escaped, and free of numbers that are none.

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace page_check {

inline bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == ':'; }

struct Scanner {
  std::string_view text;
  std::size_t at = 0;
  std::vector<std::string> open;
  std::string problem;

  bool fail(const std::string& what) {
    problem = what + " at byte " + std::to_string(at) + ": " + std::string(text.substr(at > 60 ? at - 60 : 0, 120));
    return false;
  }
  std::string name() {
    const std::size_t begin = at;
    while (at < text.size() && is_name(text[at])) ++at;
    return std::string(text.substr(begin, at - begin));
  }
  bool entity() {  // only those that the page uses
    for (const std::string_view e : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"})
      if (text.substr(at).starts_with(e)) return at += e.size(), true;
    return fail("bare ampersand");
  }
  bool attribute() {
    if (name().empty() || text.substr(at, 2) != "=\"") return fail("attribute without quotes");
    for (at += 2; at < text.size() && text[at] != '"';) {
      if (text[at] == '<' || text[at] == '>') return fail("angle bracket in an attribute");
      if (text[at] != '&') ++at;
      else if (!entity()) return false;
    }
    return at++ < text.size() || fail("attribute without an end");
  }
  bool closing() {
    at += 2;
    const std::string tag = name();
    if (open.empty() || open.back() != tag) return fail("</" + tag + "> closes nothing");
    open.pop_back();
    return text[at] == '>' ? (++at, true) : fail("odd closing tag");
  }
  bool opening() {
    ++at;
    const std::string tag = name();
    if (tag.empty()) return fail("bare <");
    while (at < text.size() && text[at] == ' ') {
      ++at;
      if (!attribute()) return false;
    }
    if (text.substr(at).starts_with("/>")) return at += 2, true;
    if (at >= text.size() || text[at] != '>') return fail("tag without an end");
    ++at;
    open.push_back(tag);
    if (tag == "style") at = std::min(text.find("</style>", at), text.size());  // CSS is no markup
    return true;
  }
  bool step() {
    if (text.substr(at).starts_with("</")) return closing();
    if (text[at] == '<') return opening();
    if (text[at] == '&') return entity();
    if (text[at] == '>') return fail("bare >");
    ++at;
    return true;
  }
};

/// Empty when the page is balanced, else what is wrong first.
inline std::string markup_problem(std::string_view page) {
  constexpr std::string_view doctype = "<!DOCTYPE html>";
  if (!page.starts_with(doctype)) return "no doctype";
  Scanner s{page.substr(doctype.size()), 0, {}, {}};
  while (s.at < s.text.size())
    if (!s.step()) return s.problem;
  return s.open.empty() ? "" : "not closed: " + s.open.back();
}

/// The first word that C and C++ print for numbers that are none, empty when there is none. Style sheet left out.
inline std::string odd_number(std::string_view page) {
  std::string word;
  for (const char c : page.substr(std::min(page.find("</style>"), page.size()))) {
    if (std::isalpha(static_cast<unsigned char>(c))) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      continue;
    }
    if (word == "nan" || word == "inf" || word == "infinity") return word;
    word.clear();
  }
  return {};
}

inline std::size_t count(std::string_view page, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = page.find(part); at != page.npos; at = page.find(part, at + part.size())) ++n;
  return n;
}

inline bool has(std::string_view page, std::string_view part) { return page.find(part) != page.npos; }

}  // namespace page_check
