#include "csv.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

constexpr std::size_t first_buffer_bytes = std::size_t{1} << 18;

// Bytes at which the scan of an unquoted field must look closer.
constexpr auto special = [] {
  std::array<bool, 256> table{};
  for (const unsigned char byte : {',', '"', '\r', '\n', '\0'}) table[byte] = true;
  return table;
}();

unsigned char byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

// Length of the well-formed UTF-8 sequence at `at`, 0 if there is none (Unicode 15, table 3-7).
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const unsigned char lead = byte_at(text, at);
  if (lead < 0x80) return 1;
  const std::size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (length == 0 || at + length > text.size()) return 0;
  const unsigned char lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte_at(text, at + 1) < lowest || byte_at(text, at + 1) > highest) return 0;
  for (std::size_t i = 2; i < length; ++i)
    if ((byte_at(text, at + i) & 0xC0) != 0x80) return 0;
  return length;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string shown(std::string_view value) {
  constexpr std::size_t most = 40;
  std::string out = "'";
  std::size_t at = 0;
  while (at < value.size()) {
    const std::size_t length = utf8_length(value, at);
    if (at + std::max<std::size_t>(length, 1) > most) break;
    if (length == 0 || (length == 1 && (byte_at(value, at) < 0x20 || value[at] == 0x7F))) out += '?';
    else out += value.substr(at, length);
    at += std::max<std::size_t>(length, 1);
  }
  return out + (at < value.size() ? "...'" : "'");
}

bool is_csv_text(std::string_view value) {
  return value.size() <= CsvReader::max_row_bytes / 8 && value.find('\0') == value.npos && is_utf8(value);
}

CsvReader::CsvReader(std::string path) : source_(std::move(path)), buffer_(first_buffer_bytes, '\0') {
  load_more();
  skip_byte_order_mark();
  if (!read_row()) throw FormatError(source_.path() + ": the file is empty; its first line must name the columns");
  header_.assign(fields_.begin(), fields_.end());
}

bool CsvReader::next() {
  if (!read_row()) return false;
  if (fields_.size() == header_.size()) return true;
  throw FormatError(place() + "has " + std::to_string(fields_.size()) + " field(s) where the header has " +
                    std::to_string(header_.size()) + "; fill in or remove the row, and quote values that hold commas");
}

std::string CsvReader::place() const { return source_.path() + ": row " + std::to_string(row_) + ": "; }

std::string CsvReader::place(std::size_t column) const {
  std::string text = source_.path() + ": row " + std::to_string(row_) + ", column " + std::to_string(column + 1);
  if (column < header_.size()) {
    const std::string name = shown(header_[column]);
    text += " (" + name.substr(1, name.size() - 2) + ")";
  }
  return text + ": ";
}

void CsvReader::fail(const std::string& rule) const { throw FormatError(place(marks_.size()) + rule); }

void CsvReader::skip_byte_order_mark() {
  if (end_ >= 3 && std::memcmp(buffer_.data(), "\xEF\xBB\xBF", 3) == 0) next_ = 3;
}

// Moves the unread part to the front and fills the rest; a row that already fills the buffer doubles it.
void CsvReader::load_more() {
  std::memmove(buffer_.data(), buffer_.data() + next_, end_ - next_);
  end_ -= std::exchange(next_, 0);
  if (end_ == buffer_.size()) buffer_.resize(2 * buffer_.size());
  const std::size_t wanted = buffer_.size() - end_, got = source_.read(buffer_.data() + end_, wanted);
  end_ += got;
  at_end_ = got < wanted;
}

bool CsvReader::read_row() {
  if (next_ == end_ && !at_end_) load_more();
  if (next_ == end_) return false;
  ++row_;
  while (!scan_row()) {
    if (end_ - next_ > max_row_bytes)
      throw FormatError(place() + "is longer than " + std::to_string(max_row_bytes) +
                        " bytes; look for a quote that is never closed");
    load_more();
  }
  finish_fields();
  return true;
}

// Finds the fields of one row; false if the buffer ends before the row does. Nothing is changed in the buffer until
// the row is complete, so that the scan can be repeated.
bool CsvReader::scan_row() {
  marks_.clear();
  high_bytes_ = false;
  std::size_t at = next_;
  for (;;) {
    switch (scan_field(at)) {
      case Scan::field_ended: break;
      case Scan::needs_more: return false;
      case Scan::row_ended: scanned_ = at; return true;
    }
  }
}

CsvReader::Scan CsvReader::scan_field(std::size_t& at) {
  if (at == end_ && !at_end_) return Scan::needs_more;
  Mark mark;
  const bool quoted = at < end_ && buffer_[at] == '"';
  const Scan result = quoted ? scan_quoted(at, mark) : scan_plain(at, mark);
  if (result != Scan::needs_more) marks_.push_back(mark);
  return result;
}

CsvReader::Scan CsvReader::scan_plain(std::size_t& at, Mark& mark) {
  const char* const text = buffer_.data();
  mark.begin = at;
  unsigned char seen = 0;
  std::size_t i = at;
  for (; i < end_; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (special[byte]) break;
    seen |= byte;
  }
  high_bytes_ |= seen >= 0x80;
  mark.end = at = i;
  return scan_delimiter(at);
}

CsvReader::Scan CsvReader::scan_quoted(std::size_t& at, Mark& mark) {
  mark.begin = ++at;
  for (;; ++at) {
    if (at == end_) {
      if (!at_end_) return Scan::needs_more;
      fail("a quoted value is not closed before the end of the file; add the missing quote");
    }
    const auto byte = static_cast<unsigned char>(buffer_[at]);
    if (byte == 0) fail("holds a zero byte; the file must be UTF-8 text");
    high_bytes_ |= byte >= 0x80;
    if (byte != '"') continue;
    if (at + 1 == end_ && !at_end_) return Scan::needs_more;
    if (at + 1 == end_ || buffer_[at + 1] != '"') break;
    mark.doubled_quotes = true;
    ++at;
  }
  mark.end = at++;
  const bool delimited = at == end_ || buffer_[at] == ',' || buffer_[at] == '\r' || buffer_[at] == '\n';
  if (!delimited) fail("text follows a closing quote; double the quotes inside a quoted value");
  return scan_delimiter(at);
}

// `at` is at the first byte after a field.
CsvReader::Scan CsvReader::scan_delimiter(std::size_t& at) {
  if (at == end_) return at_end_ ? Scan::row_ended : Scan::needs_more;
  const char byte = buffer_[at++];
  if (byte == ',') return Scan::field_ended;
  if (byte == '\n') return Scan::row_ended;
  if (byte == '"') fail("a quote stands inside an unquoted value; quote the whole value and double the quotes in it");
  if (byte == '\0') fail("holds a zero byte; the file must be UTF-8 text");
  if (at == end_ && !at_end_) return Scan::needs_more;
  if (at == end_ || buffer_[at] != '\n')
    fail("a carriage return without a line feed; end the lines with \\n or \\r\\n");
  ++at;
  return Scan::row_ended;
}

void CsvReader::finish_fields() {
  fields_.clear();
  for (const Mark& mark : marks_) {
    char* const begin = buffer_.data() + mark.begin;
    char* end = buffer_.data() + mark.end;
    if (mark.doubled_quotes) {
      char* out = begin;
      for (const char* in = begin; in != end; ++in) {
        *out++ = *in;
        if (*in == '"') ++in;
      }
      end = out;
    }
    fields_.emplace_back(begin, static_cast<std::size_t>(end - begin));
    if (high_bytes_ && !is_utf8(fields_.back()))
      throw FormatError(place(fields_.size() - 1) + shown(fields_.back()) + " is not UTF-8; convert the file to UTF-8");
  }
  next_ = scanned_;
}

}  // namespace chronotope
