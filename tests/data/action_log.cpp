// Action logs that are well formed, and writing.
#include "chronotope/data/action_log.hpp"

#include <doctest/doctest.h>

#include "actions.hpp"
#include "chronotope/data/action_source.hpp"
#include "gzip.hpp"

using namespace chronotope;
using actions::action;
using logs::check_has;
using scratch::error_of;
using scratch::Folder;

namespace {

// Everything there, with what each format must quote or escape.
LoggedAction full() {
  LoggedAction a = action("user, \"7\"", "p\n1", "Caf\xC3\xA9", "click");
  a.time = 1709805845;
  a.offset = -300;
  a.user_position = {24.6001, 118.2252};
  a.position = {-0.1, 179.99999999999997};
  a.profile = "age: 30; likes: tea: \xE2\x98\x95 \\ \x01;";
  a.interest = false;
  return a;
}

std::vector<LoggedAction> varied() {
  std::vector<LoggedAction> all{full(), action("u", "p")};
  LoggedAction a = action("u", "p");
  a.interest = true;
  all.push_back(a);
  a.user_position = {-90, 180};
  all.push_back(a);
  a = action("0", "\xF0\x9F\x8F\xA0", "", "search");
  a.time = 7258118399;
  a.offset = 1440;
  a.position = {90, -180};
  all.push_back(a);
  return all;
}

}  // namespace

TEST_CASE("actions: a log is read back as it was written, in every format") {
  const Folder folder;
  for (const std::string name : {"a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.gz", "a.columns", "a.columns.gz"}) {
    CAPTURE(name);
    actions::write(folder.file(name), varied());
    CHECK(actions::read(folder.file(name)) == varied());
    const bool packed = scratch::bytes_of(folder.file(name)).substr(0, 2) == "\x1f\x8b";
    CHECK(packed == name.ends_with(".gz"));
  }
  CHECK(folder.entries() == 6);
}

TEST_CASE("actions: what is written, to the letter") {
  const Folder folder;
  LoggedAction a = action("u", "p,1", "Bar");
  a.position = {1.5, -2};
  a.interest = true;
  actions::write(folder.file("a.csv"), {a});
  CHECK(scratch::bytes_of(folder.file("a.csv")) ==
        "user,time,offset,user_latitude,user_longitude,place,latitude,longitude,category,type,profile,interest\n"
        "u,1000,,,,\"p,1\",1.5,-2,Bar,,,1\n");
  actions::write(folder.file("a.jsonl"), {a});
  CHECK(scratch::bytes_of(folder.file("a.jsonl")) ==
        "{\"user\": \"u\", \"time\": 1000, \"place\": \"p,1\", \"latitude\": 1.5, \"longitude\": -2, "
        "\"category\": \"Bar\", \"interest\": 1}\n");
}

TEST_CASE("actions: columns in any order; what is not there is missing") {
  const auto all =
      actions::read_text("longitude,place,interest,user,latitude,time\r\n2.5,p,1,u,1.5,1000\r\n,q,,v,,2000\r\n");
  REQUIRE(all.size() == 2);
  LoggedAction first = action("u", "p"), second = action("v", "q");
  first.position = {1.5, 2.5};
  first.interest = true;
  second.time = 2000;
  CHECK(all[0] == first);
  CHECK(all[1] == second);  // nothing of the row before is left
}

TEST_CASE("actions: JSON keys in any order; null and absence are the same; blank lines are nothing") {
  const auto all = actions::read_text(
      "\xEF\xBB\xBF "
      "\n{\"place\":\"p\",\"time\":1000,\"user\":\"u\",\"interest\":1,\"latitude\":3,\"longitude\":-4e1}\r\n \t\r\n"
      "{\"user\":\"u\",\"time\":1000,\"place\":\"p\",\"interest\":null,\"category\":null,\"latitude\":null}");
  REQUIRE(all.size() == 2);
  LoggedAction first = action("u", "p");
  first.position = {3, -40};
  first.interest = true;
  CHECK(all[0] == first);
  CHECK(all[1] == action("u", "p"));
}

TEST_CASE("actions: the content says the format, not the name") {
  const Folder folder;
  const std::string json = "{\"user\":\"u\",\"time\":1000,\"place\":\"p\"}\n";
  CHECK(actions::read(folder.put("json.csv", json)).at(0) == action("u", "p"));
  CHECK(actions::read(folder.put("packed.csv", scratch::packed(folder, json))).at(0) == action("u", "p"));
  CHECK(actions::read(folder.put("csv.jsonl", "user,time,place\nu,1000,p\n")).at(0) == action("u", "p"));
  CHECK(actions::read(folder.put("far.jsonl", std::string(10000, '\n') + json)).at(0) == action("u", "p"));
}

TEST_CASE("actions: a reader moves with its place in the log") {
  const Folder folder;
  actions::write(folder.file("a.csv"), varied());
  ActionReader first(folder.file("a.csv"));
  LoggedAction a;
  REQUIRE(first.next(a));
  ActionReader second = std::move(first);
  REQUIRE(second.next(a));
  CHECK(a == varied()[1]);
}

TEST_CASE("actions: a writer takes names that say a format") {
  const Folder folder;
  for (const std::string name : {"a", "a.gz", "a.json", "a.csv.zip", "csv"})
    check_has(error_of([&] { ActionWriter(folder.file(name)); }), "let it end in .csv, .jsonl or .columns");
  CHECK(folder.entries() == 0);
  check_has(error_of([&] { ActionWriter(folder.file("none/a.csv")); }), "FileError: ");
}

TEST_CASE("actions: without finish, or after an error, the folder is as it was") {
  const Folder folder;
  folder.put("a.csv", "older");
  {
    ActionWriter writer(folder.file("a.csv"));
    for (int i = 0; i < 100000; ++i) writer.write(full());
  }
  CHECK(scratch::bytes_of(folder.file("a.csv")) == "older");
  check_has(error_of([&] { ActionWriter(folder.file("a.csv")).finish(); }), "DataError: ");
  CHECK(scratch::bytes_of(folder.file("a.csv")) == "older");
  CHECK(folder.entries() == 1);
}

TEST_CASE("actions: a writer refuses what could not be read, and goes on") {
  const Folder folder;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::string name : {"a.csv", "a.jsonl", "a.columns"}) {
    CAPTURE(name);
    ActionWriter writer(folder.file(name));
    writer.write(full());
    const auto refused = [&](auto change, const std::string& words) {
      LoggedAction a = full();
      change(a);
      const std::string error = error_of([&] { writer.write(a); });
      check_has(error, "DataError: ");
      check_has(error, "action 2 cannot be written: " + words);
    };
    refused([](auto& a) { a.user.clear(); }, "user '' is empty");
    refused([](auto& a) { a.place.clear(); }, "place '' is empty");
    refused([](auto& a) { a.time = 0; }, "time 0 is out of range");
    refused([](auto& a) { a.time = 7258118400; }, "time 7258118400 is out of range");
    refused([](auto& a) { a.offset = 1441; }, "offset 1441 is out of range");
    refused([&](auto& a) { a.position->latitude = nan; }, "latitude nan is not a number");
    refused([](auto& a) { a.user_position->longitude = -180.5; }, "user_longitude -180.5");
    refused([](auto& a) { a.category = "\xFF"; }, "category '?' is not UTF-8");
    refused([](auto& a) { a.place = std::string(1025, 'x'); },
            "place '" + std::string(40, 'x') + "...' is longer than");
    refused([](auto& a) { a.type = std::string(1, '\0'); }, "type '?' holds a zero byte");
    refused([](auto& a) { a.profile = "thirty"; }, "profile 'thirty' is no profile");
    refused([](auto& a) { a.profile = "a:" + std::string(1 << 20, 'x'); }, "it would be longer than 1 MiB");
    writer.write(action("u", "p"));
    writer.finish();
    CHECK(actions::read(folder.file(name)) == std::vector{full(), action("u", "p")});
    check_has(error_of([&] { writer.write(full()); }), "already finished");
    check_has(error_of([&] { writer.finish(); }), "already committed");
  }
}

TEST_CASE("actions: check-ins as actions, as often as asked for") {
  const Folder folder;
  const std::string path =
      folder.put("checkins.csv",
                 "user_id,poi_id,latitude,longitude,utc_timestamp,split,category_name,local_timestamp\n"
                 "v,q,3,4,2000,train,,5600\nu,p,1,2,1000,train,Bar,-17029\nv,p,1,2,3000,test,Bar,3000\n");
  for (const ActionSource& source : {actions_in(path), actions_of(read_checkins(path))})
    for (int pass = 0; pass < 2; ++pass) {
      const ActionPass next = source();
      LoggedAction a = full(), first = action("u", "p", "Bar", "checkin"), second = action("v", "q", "", "checkin");
      first.offset = -300;  // 18029 seconds behind
      first.position = {1, 2};
      second.time = 2000, second.offset = 60, second.position = {3, 4};
      REQUIRE(next(a));
      CHECK(a == first);
      REQUIRE(next(a));
      CHECK(a == second);
      REQUIRE(next(a));
      CHECK(a.time == 3000);
      CHECK(!next(a));
    }
}

TEST_CASE("actions: a source of a log passes again from its beginning") {
  const Folder folder;
  actions::write(folder.file("a.jsonl"), varied());
  const ActionSource source = actions_in(folder.file("a.jsonl"));
  for (int pass = 0; pass < 2; ++pass) {
    const ActionPass next = source();
    std::vector<LoggedAction> all;
    for (LoggedAction a; next(a);) all.push_back(a);
    CHECK(all == varied());
  }
}
