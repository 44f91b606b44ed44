// Every mistake in a check-in file is named with its row, its column, the value and what to do.
#include <doctest/doctest.h>

#include "scratch.hpp"

using scratch::read_error;
using scratch::small_header;

namespace {

// The error for a file with a good row 2 and this row 3.
std::string row_error(const std::string& row) { return read_error(small_header + "u,p,1,2,1000,train\n" + row + "\n"); }

void check_has(const std::string& text, const std::string& part) {
  INFO("message: ", text);
  CHECK(text.find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("data: a file that cannot be opened or read") {
  const scratch::Folder folder;
  const std::string missing = scratch::error_of([&] { chronotope::read_checkins(folder.file("none.csv")); });
  check_has(missing, "FileError: ");
  check_has(missing, "none.csv: cannot be opened: No such file or directory");
  check_has(scratch::error_of([&] { chronotope::read_checkins(folder.file("")); }), "cannot be read: Is a directory");
}

TEST_CASE("data: files without rows") {
  CHECK(read_error("") == "FormatError: in.csv: the file is empty; its first line must name the columns");
  CHECK(read_error("\xEF\xBB\xBF") == read_error(""));
  const std::string no_rows = "DataError: in.csv: no rows: there is only a header; add at least one check-in";
  CHECK(read_error(small_header) == no_rows);
  CHECK(read_error(small_header.substr(0, small_header.size() - 1)) == no_rows);
}

TEST_CASE("data: missing and doubled columns") {
  for (const std::string name : {"user_id", "poi_id", "latitude", "longitude", "utc_timestamp", "split"}) {
    std::string header = small_header;
    header.replace(header.find(name), name.size(), "other");
    check_has(read_error(header),
              "FormatError: in.csv: row 1: the column " + name + " is missing; a check-in file needs");
  }
  CHECK(read_error("split," + small_header) ==
        "FormatError: in.csv: row 1, column 7 (split): the column is named twice, first as column 1; rename or remove "
        "one of them");
  check_has(read_error("target,target," + small_header), "row 1, column 2 (target): the column is named twice");
}

TEST_CASE("data: wrong number of fields") {
  CHECK(
      row_error("u,p,1,2,1000") ==
      "FormatError: in.csv: row 3: has 5 field(s) where the header has 6; fill in or remove the row, and quote values "
      "that hold commas");
  check_has(row_error("u,p,1,2,1000,train,"), "row 3: has 7 field(s)");
  check_has(row_error(""), "row 3: has 1 field(s)");
}

TEST_CASE("data: empty required fields") {
  CHECK(row_error(",p,1,2,1000,train") ==
        "DataError: in.csv: row 3, column 1 (user_id): the value is empty; every row needs one");
  check_has(row_error("u,\"\",1,2,1000,train"), "row 3, column 2 (poi_id): the value is empty");
  check_has(row_error("u,p,,2,1000,train"), "row 3, column 3 (latitude): the value is empty");
  check_has(row_error("u,p,1,,1000,train"), "row 3, column 4 (longitude): the value is empty");
  check_has(row_error("u,p,1,2,,train"), "row 3, column 5 (utc_timestamp): the value is empty");
  check_has(row_error("u,p,1,2,1000,"), "row 3, column 6 (split): the value is empty");
}

TEST_CASE("data: positions that are no positions") {
  CHECK(row_error("u,p,north,2,1000,train") ==
        "DataError: in.csv: row 3, column 3 (latitude): 'north' is not a number; write degrees such as 40.7127");
  for (const std::string value : {"nan", "inf", "-inf", " 1", "1 ", "1;5", "+1", "0x10", "1e", "--1"})
    check_has(row_error("u,p," + value + ",2,1000,train"), "(latitude): '" + value + "' is not a number");
  CHECK(row_error("u,p,90.001,2,1000,train") ==
        "DataError: in.csv: row 3, column 3 (latitude): '90.001' is out of range: degrees lie between -90 and 90");
  check_has(row_error("u,p,1,-180.5,1000,train"),
            "row 3, column 4 (longitude): '-180.5' is out of range: degrees lie between -180 and 180");
  check_has(row_error("u,p,1,1e999,1000,train"), "'1e999' is out of range");
  CHECK(row_error("u,p,-90,180,1000,train") == "");
}

TEST_CASE("data: times that are no times") {
  CHECK(row_error("u,p,1,2,noon,train") ==
        "DataError: in.csv: row 3, column 5 (utc_timestamp): 'noon' is not a whole number; write seconds since "
        "1970-01-01 UTC");
  check_has(row_error("u,p,1,2,1000.5,train"), "'1000.5' is not a whole number");
  for (const std::string value : {"0", "-5", "7258118400", "1334365880000", "99999999999999999999"})
    check_has(row_error("u,p,1,2," + value + ",train"), "(utc_timestamp): '" + value + "' is out of range: seconds");
  CHECK(row_error("u,p,1,2,7258118399,train") == "");
}

TEST_CASE("data: a user's rows that go back in time") {
  CHECK(
      row_error("u,p,1,2,999,train") ==
      "DataError: in.csv: row 3, column 5 (utc_timestamp): '999' lies before 1000 of row 2 of the same user 'u'; sort "
      "the rows of a user by time");
  CHECK(row_error("u,p,1,2,1000,train") == "");
  CHECK(row_error("v,p,1,2,999,train") == "");
  check_has(row_error("v,p,1,2,999,train\nu,p,1,2,5,test"),
            "row 4, column 5 (utc_timestamp): '5' lies before 1000 of row 2");
}

TEST_CASE("data: words of split and target") {
  CHECK(row_error("u,p,1,2,1000,Train") ==
        "DataError: in.csv: row 3, column 6 (split): 'Train' is not a split; write train, validation or test");
  const std::string header = "target," + small_header;
  check_has(read_error(header + "yes,u,p,1,2,1000,train\n"), "row 2, column 1 (target): 'yes' is neither 0 nor 1");
  check_has(read_error(header + ",u,p,1,2,1000,train\n"), "row 2, column 1 (target): the value is empty");
}

TEST_CASE("data: wall clocks, offsets and trajectories") {
  const auto with = [](const std::string& column, const std::string& value) {
    return read_error(column + "," + small_header + value + ",u,p,1,2,100000,train\n");
  };
  check_has(with("local_timestamp", "x"), "row 2, column 1 (local_timestamp): 'x' is not a whole number");
  check_has(with("local_timestamp", "186401"),
            "'186401' is out of range: the wall clock is within 24 h of utc_timestamp 100000");
  CHECK(with("local_timestamp", "186400") == "");
  check_has(with("timezone_offset_minutes", "1h"), "(timezone_offset_minutes): '1h' is not a whole number");
  check_has(with("timezone_offset_minutes", "-1441"),
            "'-1441' is out of range: the minutes lie between -1440 and 1440");
  check_has(with("trajectory_id", ""), "row 2, column 1 (trajectory_id): the value is empty");
}

TEST_CASE("data: quoting mistakes") {
  check_has(row_error("u,\"p\"x,1,2,1000,train"),
            "FormatError: in.csv: row 3, column 2 (poi_id): text follows a closing quote");
  check_has(row_error("u,p\"x,1,2,1000,train"), "row 3, column 2 (poi_id): a quote stands inside an unquoted value");
  check_has(row_error("u,\"p,1,2,1000,train"), "row 3, column 2 (poi_id): a quoted value is not closed before the end");
  check_has(row_error("u,p\r,1,2,1000,train"), "row 3, column 2 (poi_id): a carriage return without a line feed");
  check_has(read_error("user_id,\"poi_id"), "in.csv: row 1, column 2: a quoted value is not closed");
}

TEST_CASE("data: bytes that are no text") {
  for (const std::string bad : {"\xFF", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "a\x80", "\xC3"})
    check_has(row_error("u,p" + bad + ",1,2,1000,train"), "row 3, column 2 (poi_id): 'p");
  check_has(row_error("u,\xFF,1,2,1000,train"), "'?' is not UTF-8; convert the file to UTF-8");
  check_has(row_error(std::string("u,p\0,1,2,1000,train", 20)), "row 3, column 2 (poi_id): holds a zero byte");
  check_has(row_error(std::string("u,\"p\0\",1,2,1000,train", 22)), "row 3, column 2 (poi_id): holds a zero byte");
}

TEST_CASE("data: long values are shortened, endless rows are refused") {
  const std::string error = row_error("u,p,1,2,1000," + std::string(500, 'x'));
  check_has(error, "(split): '" + std::string(40, 'x') + "...' is not a split");
  check_has(row_error("u,p,1,2,1000,\xC3\xA9\n"), "'\xC3\xA9' is not a split");
  check_has(row_error("u,p,1,2,1000,\"a\nb\""), "'a?b' is not a split");
  const std::string endless = row_error("u,\"" + std::string(3u << 20, 'x'));
  check_has(endless, "row 3: is longer than 1048576 bytes; look for a quote that is never closed");
  check_has(row_error(std::string(3u << 20, ',')), "row 3: is longer than 1048576 bytes");
}

TEST_CASE("data: a training row after a row of another split of the same user") {
  const std::string rows = "u,p,1,2,1000,train\nu,p,1,2,1001,validation\nv,p,1,2,900,train\nu,p,1,2,1002,train\n";
  CHECK(read_error(small_header + rows) ==
        "DataError: in.csv: row 5, column 6 (split): 'train' comes after row 3 of the same user 'u', which is no "
        "training row: splits are cut by time, with training rows first");
}
