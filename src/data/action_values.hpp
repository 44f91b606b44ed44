#pragma once
// Values of an action log or a request log as they are written.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "action_fields.hpp"
#include "csv.hpp"
#include "csv_write.hpp"

namespace chronotope {

inline void append_value(std::string& line, std::string_view text, bool json) {
  if (json) line += nlohmann::json(text).dump();
  else append_csv_text(line, text);
}
template <class Number> void append_value(std::string& line, Number value, bool) { append_number(line, value); }

/// For an error message.
inline std::string value_text(std::string_view text) { return shown(text); }
template <class Number> std::string value_text(Number value) { return std::to_string(value); }

}  // namespace chronotope
