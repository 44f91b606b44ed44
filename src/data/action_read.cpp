#include <filesystem>
#include <string_view>

#include "action_rows.hpp"
#include "byte_source.hpp"
#include "chronotope/core/error.hpp"

namespace chronotope {

bool is_json_lines(const std::string& path) {
  std::error_code ignored;  // what cannot be asked cannot be opened either, and says why then
  const auto kind = std::filesystem::status(path, ignored).type();
  if (kind == std::filesystem::file_type::fifo || kind == std::filesystem::file_type::socket ||
      kind == std::filesystem::file_type::character)
    throw FileError(path +
                    ": cannot be read: it is no file; logs are read more than once, so write it to a file first");
  ByteSource source(path);
  char bytes[4096];
  for (bool first = true;; first = false) {
    std::string_view piece(bytes, source.read(bytes, sizeof bytes));
    if (piece.empty()) return false;
    if (first && piece.starts_with("\xEF\xBB\xBF")) piece.remove_prefix(3);
    const std::size_t at = piece.find_first_not_of(" \t\r\n");
    if (at != piece.npos) return piece[at] == '{';
  }
}

ActionReader::ActionReader(const std::string& path)
    : rows_(is_json_lines(path) ? json_actions(path) : csv_actions(path)), path_(path) {}
ActionReader::~ActionReader() = default;
ActionReader::ActionReader(ActionReader&&) noexcept = default;
ActionReader& ActionReader::operator=(ActionReader&&) noexcept = default;

bool ActionReader::next(LoggedAction& action) {
  const bool found = rows_->next(action);
  if (!found && !any_) throw DataError(path_ + ": no actions: there is only a header; add at least one");
  any_ = true;
  return found;
}

}  // namespace chronotope
