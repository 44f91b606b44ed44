// Logs as binary columns: blocks, damage of every kind, and columns that no writer would write.
#include <doctest/doctest.h>
#include <zlib.h>

#include "actions.hpp"
#include "gzip.hpp"
#include "requests.hpp"

using namespace chronotope;
using actions::action;
using logs::check_has;
using scratch::Folder;

namespace {

std::string number(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(i < 8 ? value >> 8 * i & 255 : 0);
  return text;
}

std::string header(const std::vector<std::string>& columns) {
  std::string text = "ctcols1\n" + number(columns.size(), 1);
  for (const std::string& name : columns) text += number(name.size(), 1) + name;
  return text;
}

/// A block whose checksum fits, whatever it says.
std::string block(std::uint32_t rows, const std::string& columns) {
  return number(rows, 4) + number(columns.size(), 4) + number(crc32(0, reinterpret_cast<const Bytef*>(columns.data()), static_cast<uInt>(columns.size())), 4) + columns;
}

std::string end(std::uint64_t rows) { return number(0, 12) + number(rows, 8); }

/// One text in every one of `rows` rows.
std::string texts(const std::string& text, std::uint32_t rows = 1) {
  std::string column = number(1, 4) + number(text.size(), 4) + text;
  for (std::uint32_t i = 0; i < rows; ++i) column += number(1, 4);
  return column;
}

/// One whole number in a row.
std::string whole(std::int64_t value) { return number(1, 1) + number(static_cast<std::uint64_t>(value), 8) + number(0, 1); }

const std::vector<std::string> least{"user", "place", "time"};

std::string written(const std::vector<LoggedAction>& all) {
  const Folder folder;
  actions::write(folder.file("a.columns"), all);
  return scratch::bytes_of(folder.file("a.columns"));
}

/// Numbers of each width, and rows with and without everything that may be missing.
std::vector<LoggedAction> many(int rows) {
  std::vector<LoggedAction> all;
  for (int i = 0; i < rows; ++i) {
    LoggedAction a = action("u" + std::to_string(i / 100), "p" + std::to_string(i * 7919 % 1000), i % 3 ? "Bar" : "");
    a.time = 1000 + std::int64_t{i} * 40000;
    if (i % 2) a.offset = i % 2880 - 1440;
    if (i % 5) a.user_position = {i * 1e-3 / 9, -i * 1e-3 / 7};
    if (i % 7 == 0) a.profile = "age: " + std::to_string(i % 90) + ";";
    if (i % 4) a.interest = i % 8 == 1;
    all.push_back(a);
  }
  return all;
}

}  // namespace

TEST_CASE("columns: laid out byte by byte as documented") {
  const std::string bytes = header(least) + block(1, texts("u") + texts("p") + whole(1000)) + end(1);
  CHECK(actions::read_text(bytes) == std::vector{action("u", "p")});
  const Folder folder;
  CHECK(actions::read_text(scratch::packed(folder, bytes)) == std::vector{action("u", "p")});
}

TEST_CASE("columns: as many blocks as it takes") {
  const auto all = many(70000);
  const Folder folder;
  actions::write(folder.file("a.columns"), all);
  CHECK(actions::read(folder.file("a.columns")) == all);
  std::vector<LoggedAction> wide;  // blocks that end early, for their texts
  for (int i = 0; i < 24; ++i) {
    wide.push_back(action("u", "p"));
    wide.back().profile = "likes: " + std::string(400000 + static_cast<std::size_t>(i), 'x');
  }
  actions::write(folder.file("b.columns"), wide);
  CHECK(actions::read(folder.file("b.columns")) == wide);
}

TEST_CASE("columns: cut off anywhere, or a byte changed anywhere, is a FormatError") {
  const std::string bytes = written(many(20));
  for (std::size_t size = 9; size < bytes.size(); ++size) {
    CAPTURE(size);
    check_has(actions::read_error(bytes.substr(0, size)), "FormatError: log: ");
  }
  check_has(actions::read_error(bytes + '\0'), "does not end as it says behind row 20");
  const std::size_t columns = header({"user", "time", "offset", "user_latitude", "user_longitude", "place", "latitude", "longitude", "category", "type", "profile", "interest"}).size();
  for (std::size_t at = columns; at < bytes.size(); ++at) {
    CAPTURE(at);
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 16);
    check_has(actions::read_error(changed), "FormatError: log: ");
  }
}

TEST_CASE("columns: blocks whose checksum fits and that say what cannot be") {
  const auto error = [](const std::string& columns, std::uint32_t rows = 1) { return actions::read_error(header(least) + block(rows, columns) + end(rows)); };
  const std::string u = texts("u"), p = texts("p"), t = whole(1000);
  CHECK(error(u + p + t).empty());
  for (const std::string& bad : {
           std::string(),                                         // nothing there
           u + p + t + "x",                                       // more than columns
           number(2, 4) + u.substr(4) + p + t,                    // a dictionary beyond the rows
           number(1, 4) + number(1u << 30, 4) + "u" + p + t,      // a text beyond the block
           u.substr(0, u.size() - 4) + number(2, 4) + p + t,      // a code beyond the dictionary
           u + p + t.substr(0, t.size() - 1) + number(9, 1),      // a number of nine bytes
           u + p + t.substr(0, t.size() - 1) + number(8, 1),      // distances that are not there
       })
    check_has(error(bad), "FormatError: log: the block behind row 0 is damaged");
  check_has(error(u + p + t, 1u << 20), "is damaged");  // more rows than a block has
  check_has(actions::read_error(header(least) + number(1, 4) + number(1u << 30, 4) + number(0, 4)), "is damaged");  // of a gibibyte
}

TEST_CASE("columns: values keep the rules of every log, and errors name row and column") {
  const auto error = [](const std::string& columns) { return actions::read_error(header(least) + block(1, columns) + end(1)); };
  CHECK(error(texts("u") + texts("p") + whole(-5)).starts_with("DataError: log: row 1, column time: -5 is out of range"));
  check_has(error(texts("u") + texts("\xFF") + whole(1000)), "DataError: log: row 1, column place: ");
  check_has(error(texts("u") + texts(std::string(2000, 'x')) + whole(1000)), "is longer than 1,024 bytes");
  check_has(error(texts("u") + number(0, 4) + number(0, 4) + whole(1000)), "column place: '' is empty");
  check_has(error(texts("u") + texts("p") + number(0, 1) + number(0, 8) + number(0, 1)), "row 1: lacks user, time or place");
  check_has(actions::read_error(header(least) + end(0)), "DataError: log: no actions");
  check_has(actions::read_error(header({"user", "plac", "time"})), "has no 'plac'; did you mean 'place'?");
  check_has(actions::read_error(header({"user", "place", "time", "user"})), "has the column user twice");
  check_has(actions::read_error(header({"user", "time"})), "the column place is missing");
  check_has(actions::read_error(written({action("u", "p")}).replace(6, 1, "9")), "Error: log: ");  // another version: no log that is known
}

TEST_CASE("columns: requests too, a row a shown place") {
  LoggedRequest first = requests::request("u", {"p", "q"}), second = requests::request("v", {"q"});
  first.shown[1].clicked = true;
  const Folder folder;
  requests::write(folder.file("r.columns"), {first, second});
  const std::string bytes = scratch::bytes_of(folder.file("r.columns"));
  for (std::size_t size = 9; size < bytes.size(); ++size) check_has(requests::read_error(bytes.substr(0, size)), "FormatError: log: ");
  check_has(actions::read_error(bytes), "an action log has no 'request'");
}
