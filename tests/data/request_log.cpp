// Request logs that are well formed, and writing.
#include "chronotope/data/request_log.hpp"

#include <doctest/doctest.h>

#include "gzip.hpp"
#include "requests.hpp"

using namespace chronotope;
using logs::check_has;
using requests::request;
using scratch::error_of;
using scratch::Folder;

namespace {

// Everything there, with what each format must quote or escape.
LoggedRequest full() {
  LoggedRequest r = request("user, \"7\"", {"p\n1", "q"});
  r.time = 1709805845;
  r.offset = -300;
  r.user_position = {24.6001, 118.2252};
  r.profile = "age: 30; likes: tea: \xE2\x98\x95 \\ \x01;";
  r.shown[0].position = {-0.1, 179.99999999999997};
  r.shown[0].category = "Caf\xC3\xA9";
  r.shown[0].clicked = true;
  return r;
}

std::vector<LoggedRequest> varied() {
  std::vector<LoggedRequest> all{full(), request("u", {"p"}), request("u", {"p"}), request("0", {"c", "b", "a"})};
  all[2].shown[0].clicked = true;
  all[3].time = 7258118399;
  all[3].offset = 1440;
  all[3].user_position = {-90, 180};
  all[3].shown[1].position = {90, -180};
  return all;
}

}  // namespace

TEST_CASE("requests: a log is read back as it was written, in every format") {
  const Folder folder;
  for (const std::string name : {"a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.gz", "a.columns", "a.columns.gz"}) {
    CAPTURE(name);
    requests::write(folder.file(name), varied());
    CHECK(requests::read(folder.file(name)) == varied());
    const bool packed = scratch::bytes_of(folder.file(name)).substr(0, 2) == "\x1f\x8b";
    CHECK(packed == name.ends_with(".gz"));
  }
  CHECK(folder.entries() == 6);
}

TEST_CASE("requests: what is written, to the letter") {
  const Folder folder;
  LoggedRequest r = request("u", {"p,1", "q"});
  r.profile = "age: 3";
  r.shown[0].position = {1.5, -2};
  r.shown[1].category = "Bar";
  r.shown[1].clicked = true;
  requests::write(folder.file("a.csv"), {r, request("v", {"p"})});
  CHECK(scratch::bytes_of(folder.file("a.csv")) ==
        "request,user,time,offset,user_latitude,user_longitude,profile,place,latitude,longitude,category,clicked\n"
        "1,u,1000,,,,age: 3,\"p,1\",1.5,-2,,0\n1,u,1000,,,,age: 3,q,,,Bar,1\n2,v,1000,,,,,p,,,,0\n");
  requests::write(folder.file("a.jsonl"), {r});
  CHECK(
      scratch::bytes_of(folder.file("a.jsonl")) ==
      "{\"user\": \"u\", \"time\": 1000, \"profile\": \"age: 3\", \"shown\": [{\"place\": \"p,1\", \"latitude\": 1.5, "
      "\"longitude\": -2, \"clicked\": 0}, {\"place\": \"q\", \"category\": \"Bar\", \"clicked\": 1}]}\n");
}

TEST_CASE("requests: columns in any order, any text as number of a request") {
  const auto all = requests::read_text(
      "clicked,place,request,time,user\r\n1,p,x y,1000,u\r\n0,q,x y,1000,u\r\n0,p,\"a,\",1000,u\r\n");
  LoggedRequest first = request("u", {"p", "q"});
  first.shown[0].clicked = true;
  CHECK(all == std::vector{first, request("u", {"p"})});  // the same user and time, another request
}

TEST_CASE("requests: JSON keys in any order, also behind what was shown") {
  const auto all = requests::read_text(
      "\xEF\xBB\xBF \n{\"shown\":[{\"clicked\":1,\"category\":null,\"place\":\"p\"},{\"latitude\":3,\"longitude\":-4e1,"
      "\"place\":\"q\",\"clicked\":0}],\"user\":\"u\",\"offset\":null,\"time\":1000}\r\n \t\r\n"
      "{\"user\":\"v\",\"shown\":[{\"place\":\"p\",\"clicked\":0}],\"time\":1000}");
  LoggedRequest first = request("u", {"p", "q"});
  first.shown[0].clicked = true;
  first.shown[1].position = {3, -40};
  CHECK(all == std::vector{first, request("v", {"p"})});  // nothing of the line before is left
}

TEST_CASE("requests: as many places as may be") {
  const Folder folder;
  std::vector<std::string> places;
  for (std::size_t i = 0; i < most_shown; ++i) places.push_back("p" + std::to_string(i));
  for (const std::string name : {"a.csv", "a.jsonl", "a.columns"}) {
    CAPTURE(name);
    const LoggedRequest most = request("u", places);
    requests::write(folder.file(name), {most});
    CHECK(requests::read(folder.file(name)) == std::vector{most});
    LoggedRequest more = most;
    more.shown.push_back({"one more", {}, "", false});
    RequestWriter writer(folder.file(name));
    check_has(error_of([&] { writer.write(more); }), "request 1 cannot be written: it shows more than 4,096 places");
  }
}

TEST_CASE("requests: a reader moves with its place in the log") {
  const Folder folder;
  for (const std::string name : {"a.csv", "a.jsonl", "a.columns"}) {
    requests::write(folder.file(name), varied());
    RequestReader first(folder.file(name));
    LoggedRequest r;
    REQUIRE(first.next(r));
    RequestReader second = std::move(first);
    for (std::size_t i = 1; i < varied().size(); ++i) {
      REQUIRE(second.next(r));
      CHECK(r == varied()[i]);
    }
    CHECK(!second.next(r));
    CHECK(!second.next(r));
  }
}

TEST_CASE("requests: without finish, or after an error, the folder is as it was") {
  const Folder folder;
  folder.put("a.csv", "older");
  {
    RequestWriter writer(folder.file("a.csv"));
    for (int i = 0; i < 20000; ++i) writer.write(full());
  }
  check_has(error_of([&] { RequestWriter(folder.file("a.csv")).finish(); }), "DataError: ");
  CHECK(scratch::bytes_of(folder.file("a.csv")) == "older");
  check_has(error_of([&] { RequestWriter(folder.file("a.txt")); }), "let it end in .csv");
  check_has(error_of([&] { RequestWriter(folder.file("none/a.csv")); }), "FileError: ");
  CHECK(folder.entries() == 1);
}

TEST_CASE("requests: a writer refuses what could not be read, and goes on") {
  const Folder folder;
  for (const std::string name : {"a.csv", "a.jsonl", "a.columns"}) {
    CAPTURE(name);
    RequestWriter writer(folder.file(name));
    writer.write(full());
    const auto refused = [&](auto change, const std::string& words) {
      LoggedRequest r = full();
      change(r);
      const std::string error = error_of([&] { writer.write(r); });
      check_has(error, "DataError: ");
      check_has(error, "request 2 cannot be written: " + words);
    };
    refused([](auto& r) { r.user.clear(); }, "user '' is empty");
    refused([](auto& r) { r.time = 0; }, "time 0 is out of range");
    refused([](auto& r) { r.offset = 1441; }, "offset 1441 is out of range");
    refused([](auto& r) { r.user_position->longitude = -180.5; }, "user_longitude -180.5");
    refused([](auto& r) { r.profile = "thirty"; }, "profile 'thirty' is no profile");
    refused([](auto& r) { r.profile = "a:" + std::string(1 << 20, 'x'); }, "a line of it would be longer than 1 MiB");
    refused([](auto& r) { r.shown.clear(); }, "it shows no place");
    refused([](auto& r) { r.shown[1].place = r.shown[0].place; }, "it shows a place twice");
    refused([](auto& r) { r.shown[1].place.clear(); }, "place '' is empty");
    refused([](auto& r) { r.shown[1].category = "\xFF"; }, "category '?' is not UTF-8");
    refused([](auto& r) { r.shown[0].position->latitude = 91; }, "latitude 91");
    writer.write(request("u", {"p"}));
    writer.finish();
    CHECK(requests::read(folder.file(name)) == std::vector{full(), request("u", {"p"})});
    check_has(error_of([&] { writer.write(full()); }), "already finished");
  }
}
