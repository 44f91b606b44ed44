// Every mistake in an action log is named with its row, its column or key, the value and what to do.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "actions.hpp"
#include "gzip.hpp"

using actions::read_error;
using logs::check_has;

namespace {

const std::string header = "user,time,place,latitude,longitude,offset,interest,profile\n", good = "u,1000,p,1,2,,,\n";

// The error for a log with a good row 2 and this row 3.
std::string row_error(const std::string& row) { return read_error(header + good + row + "\n"); }

// The error for JSON lines of a good line 1 and this line 2.
std::string line_error(const std::string& line) {
  return read_error("{\"user\":\"u\",\"time\":1000,\"place\":\"p\"}\n" + line + "\n");
}

// With a field of this value behind the needed ones.
std::string value_error(const std::string& name, const std::string& value) {
  return line_error("{\"user\":\"u\",\"time\":1000,\"place\":\"p\",\"" + name + "\":" + value + "}");
}

}  // namespace

TEST_CASE("action errors: files that cannot be read") {
  const scratch::Folder folder;
  check_has(scratch::error_of([&] { actions::read(folder.file("none")); }), "none: cannot be opened: No such file");
  check_has(scratch::error_of([&] { actions::read(folder.file("")); }), "cannot be read: Is a directory");
  REQUIRE(mkfifo(folder.file("pipe").c_str(), 0600) == 0);
  check_has(scratch::error_of([&] { actions::read(folder.file("pipe")); }), "pipe: cannot be read: it is no file");
}

TEST_CASE("action errors: logs without actions") {
  CHECK(read_error("") == "FormatError: log: the file is empty; its first line must name the columns");
  CHECK(read_error("\xEF\xBB\xBF") == read_error(""));
  CHECK(read_error(header) == "DataError: log: no actions: there is only a header; add at least one");
  CHECK(read_error(" \n\n").starts_with("FormatError: log: row 1, column 1 ( ): an action log has no ' '"));
}

TEST_CASE("action errors: unknown, missing and doubled columns") {
  check_has(read_error("user,time,place,lattitude\n"),
            "FormatError: log: row 1, column 4 (lattitude): an action log has no 'lattitude'; did you mean 'latitude'? "
            "It has user time");
  check_has(read_error("user_id,time,place\n"),
            "row 1, column 1 (user_id): an action log has no 'user_id'; did you mean 'user'?");
  check_has(read_error("User,time,place\n"), "no 'User'");
  check_has(read_error("user,time,place,\n"), "column 4 (): an action log has no ''");
  for (const std::string name : {"user", "time", "place"}) {
    std::string text = header;
    text.replace(text.find(name), name.size(), "type");
    check_has(read_error(text), "FormatError: log: row 1: the column " + name + " is missing");
  }
  check_has(read_error("place," + header),
            "FormatError: log: row 1, column 4 (place): the column is named twice, first as column 1");
  check_has(read_error("user,time,place," + std::string(100000, 'x') + "\n"), "did you mean");  // and in no time
}

TEST_CASE("action errors: rows of CSV") {
  CHECK(row_error("u,1000,p,1,2,,,") == "");
  check_has(row_error("u,1000,p,1,2,,"), "FormatError: log: row 3: has 7 field(s) where the header has 8");
  check_has(row_error("u,1000,p,1,2,,,,"), "row 3: has 9 field(s)");
  CHECK(row_error(",1000,p,1,2,,,") ==
        "DataError: log: row 3, column 1 (user): the value is empty; every row needs one");
  check_has(row_error("u,,p,1,2,,,"), "row 3, column 2 (time): the value is empty");
  check_has(row_error("u,1000,,1,2,,,"), "row 3, column 3 (place): the value is empty");
  check_has(row_error("u\xFF,1000,p,1,2,,,"), "FormatError: log: row 3, column 1 (user): 'u?' is not UTF-8");
  check_has(row_error(std::string("u,1000,p\0,1,2,,,", 16)), "row 3, column 3 (place): holds a zero byte");
  check_has(row_error("u,1000,\"p,1,2,,,"), "a quoted value is not closed");
  check_has(row_error("u,1000,p,1,,,,"),
            "DataError: log: row 3: has one of latitude and longitude; write both or none");
  check_has(read_error("user,time,place,user_latitude\nu,1000,p,1\n"),
            "row 2: has one of user_latitude and user_longitude");
}

TEST_CASE("action errors: values of CSV") {
  for (const std::string value : {"noon", "2012-04-03T18:00", "1000.5", "1e3", " 1000", "+1000"})
    check_has(row_error("u," + value + ",p,1,2,,,"),
              "DataError: log: row 3, column 2 (time): '" + value + "' is not a whole number; write seconds");
  for (const std::string value : {"0", "-5", "7258118400", "1709805845148", "99999999999999999999"})
    check_has(row_error("u," + value + ",p,1,2,,,"), "(time): '" + value + "' is out of range: seconds since 1970");
  for (const std::string value : {"north", "nan", "inf", "0x10", "1 ", "+1"})
    check_has(row_error("u,1000,p," + value + ",2,,,"),
              "row 3, column 4 (latitude): '" + value + "' is not a number; write degrees");
  for (const std::string value : {"90.001", "-91", "1e999", "-1e999"})
    check_has(row_error("u,1000,p," + value + ",2,,,"),
              "(latitude): '" + value + "' is out of range: degrees lie between -90 and 90");
  check_has(row_error("u,1000,p,1,180.5,,,"),
            "column 5 (longitude): '180.5' is out of range: degrees lie between -180 and 180");
  CHECK(row_error("u,7258118399,p,-90,180,-1440,0,") == "");
  check_has(row_error("u,1000,p,1,2,1h,,"), "column 6 (offset): '1h' is not a whole number");
  check_has(row_error("u,1000,p,1,2,1441,,"),
            "(offset): '1441' is out of range: the minutes lie between -1440 and 1440");
  for (const std::string value : {"2", "-1", "yes", "true", "0.5", "99999999999999999999"})
    check_has(row_error("u,1000,p,1,2,," + value + ","), "column 7 (interest): '" + value + "' is neither 0 nor 1");
  for (const std::string value : {"thirty", ": 30", "age: 30; thirty", " ; : x"})
    check_has(row_error("u,1000,p,1,2,,," + value), "column 8 (profile): '" + value + "' is no profile");
  for (const std::string value : {"age:", ";;", " ", "age: 30;", "a:b:c"})
    CHECK(row_error("u,1000,p,1,2,,," + value) == "");
}

TEST_CASE("action errors: lines that are no JSON object") {
  check_has(line_error("{\"user\":\"u\","), "FormatError: log: line 2, byte ");
  check_has(line_error("{\"user\":\"u\","), "cannot be read as JSON");
  check_has(line_error("{} {}"), "line 2, byte 4: cannot be read as JSON");
  check_has(line_error("{\"user\":\"u\",}"), "cannot be read as JSON");
  check_has(line_error("{\"user\":\"\\ud800\"}"), "cannot be read as JSON");
  check_has(line_error("{\"latitude\":1e999}"), "cannot be read as JSON at '1e999'");
  check_has(line_error("// nothing"), "cannot be read as JSON");
  check_has(line_error("{\"user\":\"\xFF\"}"), "FormatError: log: line 2: is not UTF-8");
  for (const std::string line : {"[]", "3", "-3", "3.5", "\"text\"", "null", "true", "false"}) {
    CAPTURE(line);
    check_has(line_error(line), "FormatError: log: line 2: is ");
    check_has(line_error(line), ", not an object; write one object a line");
  }
  CHECK(line_error("{}") == "DataError: log: line 2: lacks user, time or place; every action needs all three");
  check_has(line_error(std::string(500000, '[')), "is a list, not an object");
  check_has(line_error("{\"user\":" + std::string(500000, '[')), "line 2, key user: a list is not a text");
}

TEST_CASE("action errors: keys and values of JSON") {
  check_has(value_error("lattitude", "1"),
            "FormatError: log: line 2: an action log has no 'lattitude'; did you mean 'latitude'?");
  check_has(value_error("user", "\"v\""), "FormatError: log: line 2, key user: the key stands twice");
  check_has(line_error("{\"user\":7,\"time\":1000,\"place\":\"p\"}"),
            "DataError: log: line 2, key user: 7 is not a text; write it in double quotes");
  check_has(line_error("{\"user\":null,\"time\":1000,\"place\":\"p\"}"), "line 2: lacks user, time or place");
  check_has(line_error("{\"user\":\"\",\"time\":1000,\"place\":\"p\"}"), "key user: '' is empty");
  check_has(line_error("{\"user\":\"u\",\"time\":\"1000\",\"place\":\"p\"}"),
            "key time: '1000' in quotes is not a whole number");
  check_has(line_error("{\"user\":\"u\",\"time\":1000.0,\"place\":\"p\"}"), "key time: '1000.0' is not a whole number");
  check_has(line_error("{\"user\":\"u\",\"time\":18446744073709551615}"),
            "key time: 18446744073709551615 is out of range");
  check_has(line_error("{\"user\":\"u\",\"time\":-9223372036854775808}"),
            "key time: -9223372036854775808 is out of range");
  check_has(value_error("latitude", "91"),
            "DataError: log: line 2, key latitude: 91 is out of range: degrees lie between -90 and 90");
  check_has(value_error("longitude", "-180.5"), "key longitude: '-180.5' is out of range");
  check_has(value_error("latitude", "\"1\""), "key latitude: '1' in quotes is not a number");
  check_has(value_error("latitude", "1"), "line 2: has one of latitude and longitude");
  check_has(value_error("interest", "true"), "key interest: true is neither 0 nor 1");
  check_has(value_error("interest", "2"), "key interest: 2 is neither 0 nor 1");
  check_has(value_error("offset", "[60]"), "key offset: a list is not a whole number");
  check_has(value_error("profile", "{\"age\": 30}"), "key profile: an object is not a text");
  check_has(value_error("profile", "\"thirty\""), "key profile: 'thirty' is no profile");
  check_has(value_error("category", "\"a\\u0000\""), "key category: 'a?' holds a zero byte");
  CHECK(value_error("category", "\"\"") == "");
  const std::string longest(1024, 'x');
  CHECK(value_error("category", "\"" + longest + "\"") == "");
  check_has(value_error("category", "\"x" + longest + "\""), "...' is longer than 1,024 bytes");
}

TEST_CASE("action errors: rows without end are refused in bounded memory") {
  const scratch::Folder folder;
  const std::string endless(100u << 20, 'x'), start = "{\"user\":\"u\",\"time\":1000,\"place\":\"p\"}\n";
  for (const std::string& text : {header + "u,", start + "{\"user\":\""}) {
    const std::string path = folder.put("bomb.gz", scratch::packed(folder, text + endless));
    check_has(scratch::error_of([&] { actions::read(path); }), ": is longer than 1048576 bytes");
  }
  // The longest line that may be, and one byte more.
  const std::string open = "{\"user\":\"u\",\"time\":1000,\"place\":\"p\",\"profile\":\"x:", close = "\"}";
  const auto line = [&](std::size_t bytes) {
    return open + std::string(bytes - open.size() - close.size(), 'x') + close;
  };
  for (const std::string& end : {std::string("\n"), std::string(), "\n" + start}) {
    CHECK(read_error(start + line(1u << 20) + end) == "");
    check_has(read_error(start + line((1u << 20) + 1) + end), "line 2: is longer than");
  }
}

TEST_CASE("action errors: gzip cut off or damaged") {
  const scratch::Folder folder;
  std::vector<actions::LoggedAction> all;
  for (int i = 0; i < 300; ++i) all.push_back(actions::action("u" + std::to_string(i * i), "p" + std::to_string(i)));
  for (const std::string name : {"a.csv.gz", "a.jsonl.gz"}) {
    actions::write(folder.file(name), all);
    const std::string bytes = scratch::bytes_of(folder.file(name));
    for (const std::size_t length :
         {bytes.size() - 1, bytes.size() - 8, bytes.size() / 2, std::size_t{12}, std::size_t{2}}) {
      CAPTURE(length);
      check_has(read_error(bytes.substr(0, length)), "FormatError: log: the gzip data is cut off before its end");
    }
    std::string damaged = bytes;
    damaged[bytes.size() - 6] ^= 1;
    check_has(read_error(damaged), "the gzip data is damaged");
  }
}

TEST_CASE("action errors: mutated logs give actions that can be written, or a chronotope::Error") {
  const std::string csv =
      "user,time,place,latitude,longitude,category,interest\nu,1000,p,1.5,2,\"a,b\",1\nv,2000,q,,,Caf\xC3\xA9,\n";
  const std::string json =
      "{\"user\":\"u\",\"time\":1000,\"place\":\"p\",\"latitude\":1.5,\"longitude\":2}\n"
      "{\"user\":\"v\",\"time\":2000,\"place\":\"\\u00e9\",\"interest\":null}\n";
  logs::check_mutations({csv, json}, actions::read, actions::write);
}
