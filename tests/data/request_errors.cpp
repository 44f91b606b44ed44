// Every mistake in a request log is named with its row, its column or key, the value and what to do.
#include <doctest/doctest.h>

#include "gzip.hpp"
#include "requests.hpp"

using logs::check_has;
using requests::read_error;

namespace {

const std::string header = "request,user,time,place,clicked,latitude,longitude,offset,profile\n",
                  good = "1,u,1000,p,0,1,2,,a: 1\n";

// The error for a log with a good row 2 and this row 3.
std::string row_error(const std::string& row) { return read_error(header + good + row + "\n"); }

const std::string good_line = "{\"user\":\"u\",\"time\":1000,\"shown\":[{\"place\":\"p\",\"clicked\":1}]}\n";

// The error for JSON lines of a good line 1 and this line 2.
std::string line_error(const std::string& line) { return read_error(good_line + line + "\n"); }

// With these values of `shown`.
std::string shown_error(const std::string& list) {
  return line_error("{\"user\":\"u\",\"shown\":" + list + ",\"time\":1000}");
}

}  // namespace

TEST_CASE("request errors: logs without requests, and columns") {
  check_has(read_error(""), "FormatError: log: the file is empty");
  CHECK(read_error(header) == "DataError: log: no requests: there is only a header; add at least one");
  check_has(read_error("request,user,time,place,cliked\n"),
            "FormatError: log: row 1, column 5 (cliked): a request log has no 'cliked'; did you mean 'clicked'?");
  check_has(read_error("request,user,time,place,clicked,interest\n"), "a request log has no 'interest'");
  check_has(read_error("request," + header), "the column is named twice, first as column 1");
  for (const std::string name : {"request", "user", "time", "place", "clicked"}) {
    std::string text = header;
    text.replace(text.find(name), name.size(), "category");
    check_has(read_error(text), "row 1: the column " + name + " is missing; a request log needs request, user");
  }
}

TEST_CASE("request errors: rows of CSV") {
  CHECK(row_error("1,u,1000,q,1,1,2,,a: 1") == "");
  CHECK(row_error("2,v,1000,p,1,1,2,,") == "");
  check_has(row_error("1,u,1000,q"), "FormatError: log: row 3: has 4 field(s) where the header has 9");
  check_has(row_error(",u,1000,q,1,,,,"), "DataError: log: row 3, column 1 (request): the value is empty");
  check_has(row_error("2,u,1000,q,,,,,"), "row 3, column 5 (clicked): the value is empty");
  for (const std::string value : {"2", "-1", "yes", "0.5"})
    check_has(row_error("2,u,1000,q," + value + ",,,,"),
              "DataError: log: row 3, column 5 (clicked): '" + value + "' is neither 0 nor 1; write 1 for a click");
  check_has(row_error("2,u,0,q,1,,,,"), "column 3 (time): '0' is out of range");
  check_has(row_error("2,u,1000,q,1,1,,,"), "row 3: has one of latitude and longitude");
  check_has(row_error("2,u,1000,q,1,,,,thirty"), "'thirty' is no profile");
}

TEST_CASE("request errors: rows that do not make a request") {
  for (const std::string row :
       {"1,v,1000,q,1,,,,a: 1", "1,u,1001,q,1,,,,a: 1", "1,u,1000,q,1,,,60,a: 1", "1,u,1000,q,1,,,,a: 2"})
    check_has(row_error(row), "DataError: log: row 3: request '1' has another user, time, offset, position or profile");
  check_has(row_error("1,u,1000,p,1,,,,a: 1"), "DataError: log: row 3: request '1' shows a place twice");
  check_has(row_error("2,u,1000,p,1,,,,\n1,u,1000,q,1,1,2,,a: 1"), "row 4: request '1' was there before");
  check_has(row_error("2,u,1000,p,1,,,,\n3,u,1000,p,1,,,,\n2,u,1000,q,1,,,,"), "row 5: request '2' was there before");
  std::string many = header;
  for (std::size_t i = 0; i <= chronotope::most_shown; ++i) many += "1,u,1000,p" + std::to_string(i) + ",0,,,,\n";
  check_has(read_error(many), "row 4098: request '1' shows more than 4,096 places");
}

TEST_CASE("request errors: lines that are no JSON object") {
  check_has(line_error("{\"user\":\"u\","), "FormatError: log: line 2, byte ");
  check_has(line_error("{\"user\":\"u\","), "\"shown\": [{\"place\": \"123\", \"clicked\": 1}]}");
  for (const std::string line : {"[]", "3", "3.5", "\"text\"", "null", "true"}) {
    CAPTURE(line);
    check_has(line_error(line), ", not an object; write one object a line");
  }
  check_has(line_error(std::string(500000, '[')), "is a list, not an object");
  check_has(line_error("{\"user\":" + std::string(500000, '[')), "line 2, key user: a list is not a text");
  CHECK(line_error("{}") == "DataError: log: line 2: lacks user or time; every request needs both");
  CHECK(line_error("{\"user\":\"u\",\"time\":1000}") ==
        "DataError: log: line 2: shows no place; leave out requests without places");
  check_has(line_error("{\"place\":\"p\"}"), "FormatError: log: line 2: a request has no 'place'");
  check_has(line_error("{\"user\":\"u\",\"user\":\"u\"}"), "key user: the key stands twice");
}

TEST_CASE("request errors: what is shown in JSON") {
  const std::string item = "{\"place\":\"p\",\"clicked\":0}";
  CHECK(shown_error("[" + item + "]") == "");
  check_has(shown_error("[]"), "DataError: log: line 2: shows no place");
  check_has(shown_error("null"), "line 2: shows no place");
  for (const std::string value : {"3", "\"p\"", "{}", "1.5", "true"})
    check_has(shown_error(value), " is no list; write the places shown in brackets");
  for (const std::string value : {"3", "\"p\"", "[]", "1.5", "true", "null"}) {
    CAPTURE(value);
    check_has(shown_error("[" + value + "]"), "FormatError: log: line 2: is ");
    check_has(shown_error("[" + item + "," + value + "]"), "not an object; everything in shown is an object");
  }
  check_has(shown_error("[{\"place\":{\"a\":1}}]"), "line 2, key place: an object is not a text");
  check_has(shown_error("[{\"place\":[1]}]"), "line 2, key place: a list is not a text");
  check_has(shown_error("[{\"place\":\"p\"}]"), "line 2, shown place 1: lacks place or clicked");
  check_has(shown_error("[" + item + ",{\"clicked\":1}]"), "line 2, shown place 2: lacks place or clicked");
  check_has(shown_error("[" + item + "," + item + "]"), "DataError: log: line 2, shown place 2: shows a place twice");
  check_has(shown_error("[{\"place\":\"p\",\"clicked\":true}]"), "key clicked: true is neither 0 nor 1");
  check_has(shown_error("[{\"place\":\"p\",\"clicked\":2}]"), "key clicked: 2 is neither 0 nor 1");
  check_has(shown_error("[{\"place\":\"p\",\"clicked\":1,\"latitude\":1}]"), "has one of latitude and longitude");
  check_has(shown_error("[{\"place\":\"p\",\"place\":\"q\"}]"), "key place: the key stands twice");
  check_has(shown_error("[{\"user\":\"p\"}]"), "FormatError: log: line 2: a request has no 'user'");
  check_has(shown_error("[{\"shown\":[]}]"), "a request has no 'shown'");
  check_has(shown_error("[" + item + "],\"shown\":[" + item + "]"), "key shown: the key stands twice");
  check_has(shown_error("[" + item + "],\"user\":\"v\""), "key user: the key stands twice");
}

TEST_CASE("request errors: gzip cut off") {
  const scratch::Folder folder;
  std::vector<requests::LoggedRequest> all;
  for (int i = 0; i < 300; ++i) all.push_back(requests::request("u" + std::to_string(i * i), {"p", "q"}));
  for (const std::string name : {"a.csv.gz", "a.jsonl.gz"}) {
    requests::write(folder.file(name), all);
    const std::string bytes = scratch::bytes_of(folder.file(name));
    for (const std::size_t length : {bytes.size() - 1, bytes.size() / 2, std::size_t{12}})
      check_has(read_error(bytes.substr(0, length)), "FormatError: log: the gzip data is cut off before its end");
  }
}

TEST_CASE("request errors: mutated logs give requests that can be written, or a chronotope::Error") {
  const std::string csv = header + good + "1,u,1000,q,1,,,,a: 1\n2,v,2000,\"a,b\",1,,,,\n";
  const std::string json = good_line +
                           "{\"shown\":[{\"place\":\"\\u00e9\",\"clicked\":0,\"latitude\":1.5,\"longitude\":2},"
                           "{\"place\":\"q\",\"clicked\":1}],\"user\":\"v\",\"time\":2000}\n";
  logs::check_mutations({csv, json}, requests::read, requests::write);
}
