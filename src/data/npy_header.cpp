#include "npy_header.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "chronotope/core/error.hpp"
#include "csv.hpp"

namespace chronotope::npy {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

/// What the dictionary says.
struct Fields {
  std::string type;
  bool fortran_order = false;
  std::vector<std::uint64_t> shape;
};

/// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } and nothing more of Python.
class Dictionary {
 public:
  Dictionary(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  Fields read() {
    expect('{');
    while (!take('}')) {
      read_field();
      if (take(',')) continue;
      expect('}');
      break;
    }
    skip_blanks();
    if (!text_.empty()) fail("text behind its end");
    for (std::size_t i = 0; i < 3; ++i)
      if (!seen_[i]) fail(std::string(names[i]) + " is missing");
    return fields_;
  }

 private:
  static constexpr std::string_view names[] = {"descr", "fortran_order", "shape"};

  [[noreturn]] void fail(const std::string& what) const {
    throw FormatError(path_ + " is not a sound .npy file: its header has a fault: " + what);
  }
  void skip_blanks() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size())); }
  bool take(char c) {
    skip_blanks();
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail("'" + std::string(1, c) + "' expected, found " + shown(text_.substr(0, 12)));
  }

  std::string read_text() {
    skip_blanks();
    const char quote = text_.empty() ? '\0' : text_.front();
    const std::size_t end = text_.find(quote, 1);
    if ((quote != '\'' && quote != '"') || end == text_.npos) fail("a quoted word expected, found " + shown(text_.substr(0, 12)));
    const std::string word(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return word;
  }

  void read_field() {
    const std::string name = read_text();
    const auto* const found = std::find(std::begin(names), std::end(names), name);
    if (found == std::end(names)) fail("unknown key " + shown(name));
    if (std::exchange(seen_[found - names], true)) fail(name + " stands twice");
    expect(':');
    if (name == "descr") read_type();
    else if (name == "fortran_order") fields_.fortran_order = read_bool();
    else read_shape();
  }

  void read_type() {
    skip_blanks();
    if (text_.starts_with('['))
      throw FormatError(path_ + ": its elements are records of several fields; save one field of numbers alone");
    fields_.type = read_text();
  }

  bool read_bool() {
    skip_blanks();
    for (const std::string_view word : {"True", "False"})
      if (text_.starts_with(word)) return text_.remove_prefix(word.size()), word == "True";
    fail("fortran_order is neither True nor False");
  }

  void read_shape() {
    expect('(');
    while (!take(')')) {
      fields_.shape.push_back(read_extent());
      if (take(',')) continue;
      expect(')');
      break;
    }
  }

  std::uint64_t read_extent() {
    skip_blanks();
    std::uint64_t extent = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), extent);
    if (error != std::errc()) fail("an extent of the shape is no whole number: " + shown(text_.substr(0, 24)));
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return extent;
  }

  std::string_view text_;
  const std::string& path_;
  Fields fields_;
  bool seen_[3] = {};
};

/// The dictionary's text; sets `data` to what lies behind it.
std::string_view dictionary_text(std::string_view file, const std::string& path, std::size_t& data) {
  const auto fail = [&](const std::string& what) { throw FormatError(path + " is not a sound .npy file: " + what); };
  if (file.empty()) fail("it is empty, or no regular file");
  if (!file.starts_with(magic)) fail("it does not begin with \\x93NUMPY; write it with numpy.save");
  if (file.size() < 10) fail("it ends within the header");
  const auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(file[at])); };
  const std::size_t version = byte(6);
  if (version < 1 || version > 3 || byte(7) != 0)
    fail("format version " + std::to_string(version) + "." + std::to_string(byte(7)) + "; 1.0, 2.0 and 3.0 are read");
  std::size_t begin = 10, length = byte(8) | byte(9) << 8;
  if (version > 1) {
    if (file.size() < 12) fail("it ends within the header");
    begin = 12, length |= byte(10) << 16 | byte(11) << 24;
  }
  if (length > longest_header || length > file.size() - begin)
    fail("a header of " + std::to_string(length) + " bytes does not fit a file of " + std::to_string(file.size()) +
         " bytes, or is longer than " + std::to_string(longest_header));
  data = begin + length;
  return file.substr(begin, length);
}

Number number_of(const std::string& type, const std::string& path) {
  if (type == "<f2") return Number::f2;
  if (type == "<f4") return Number::f4;
  if (type == "<f8") return Number::f8;
  throw FormatError(path + ": its elements have the type " + shown(type) +
                    "; <f2, <f4 and <f8 are read: save array.astype('<f4')");
}

std::string shape_text(const std::vector<std::uint64_t>& shape) {
  std::string text;
  for (const std::uint64_t extent : shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
  return "(" + text + ")";
}

/// Rows and width that fill `bytes` exactly.
void check_shape(const Header& header, std::uint64_t bytes, const std::string& path) {
  const std::uint64_t most = bytes / size_of(header.number), rest = bytes % size_of(header.number);
  if (header.rows <= most / header.width && header.rows * header.width == most && rest == 0) return;
  throw FormatError(path + " is not a sound .npy file: a shape of " + shape_text({header.rows, header.width}) +
                    " does not fit the " + std::to_string(bytes) +
                    " bytes behind the header; it was cut off, or something was appended");
}

}  // namespace

Header parse(std::span<const std::byte> file, const std::string& path) {
  Header header;
  const std::string_view bytes(reinterpret_cast<const char*>(file.data()), file.size());
  const Fields fields = Dictionary(dictionary_text(bytes, path, header.data), path).read();
  header.number = number_of(fields.type, path);
  if (fields.shape.size() != 2)
    throw FormatError(path + ": its shape is " + shape_text(fields.shape) +
                      "; a matrix of two axes is wanted: save array.reshape(rows, width)");
  header.rows = fields.shape[0], header.width = fields.shape[1];
  if (header.width == 0) throw FormatError(path + ": its shape is " + shape_text(fields.shape) + ": there are no columns");
  if (fields.fortran_order && header.width > 1 && header.rows > 1)
    throw FormatError(path + ": its numbers stand column by column (fortran_order); save numpy.ascontiguousarray(array)");
  check_shape(header, file.size() - header.data, path);
  return header;
}

std::string header_text(std::uint64_t rows, std::uint64_t width) {
  std::string text(magic);
  text += std::string("\x01\x00", 2);
  text += static_cast<char>(written_bytes - 10);
  text += '\0';
  text += "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " + std::to_string(width) + "), }";
  text.resize(written_bytes - 1, ' ');
  return text + '\n';
}

}  // namespace chronotope::npy
