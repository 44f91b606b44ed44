// What a well-formed check-in file reads as.
#include <doctest/doctest.h>

#include "scratch.hpp"

using chronotope::CheckinTable;
using chronotope::Split;
using scratch::read_text;
using scratch::small_header;

TEST_CASE("data: columns by name in any order, unknown ones ignored, vocabularies sorted") {
  const CheckinTable table = read_text(
      "colour,split,utc_timestamp,longitude,latitude,poi_id,user_id,category_name\n"
      "red,train,1000,-73.5,40.25,p9,10,Bar\n"
      "red,validation,500,1,2,p1,9,\n"
      "red,test,2000,3,4,p1,10,Airport\n");
  CHECK(table.users == std::vector<std::string>{"10", "9"});
  CHECK(table.places == std::vector<std::string>{"p1", "p9"});
  CHECK(table.categories == std::vector<std::string>{"", "Airport", "Bar"});
  CHECK(table.begin == std::vector<std::size_t>{0, 2, 3});
  REQUIRE(table.rows.size() == 3);
  const auto& first = table.history(0)[0];
  CHECK(first.place == 1);
  CHECK(first.category == 2);
  CHECK(first.latitude == 40.25);
  CHECK(first.longitude == -73.5);
  CHECK(first.utc == 1000);
  CHECK(first.local == 1000);
  CHECK(first.split == Split::train);
  CHECK(table.history(0)[1].split == Split::test);
  CHECK(table.history(1)[0].split == Split::validation);
  CHECK(table.history(1)[0].category == 0);
}

TEST_CASE("data: quotes, line ends, byte order mark, no line feed at the end") {
  const std::string body = "\"a,\"\"b\"\"\",\"two\nlines\",1,2,1000,\"train\"";
  const std::string crlf_header = small_header.substr(0, small_header.size() - 1) + "\r\n";
  for (const std::string& text : {small_header + body, small_header + body + "\n", crlf_header + body + "\r\n",
                                  "\xEF\xBB\xBF" + small_header + body + "\n"}) {
    CAPTURE(text);
    const CheckinTable table = read_text(text);
    REQUIRE(table.rows.size() == 1);
    CHECK(table.users[0] == "a,\"b\"");
    CHECK(table.places[0] == "two\nlines");
  }
  CHECK(
      read_text("\"user_id\"" + small_header.substr(7) + "Zo\xC3\xAB,\xE6\x9D\xB1\xE4\xBA\xAC,1,2,3,test\n").users[0] ==
      "Zo\xC3\xAB");
}

TEST_CASE("data: the wall clock from local_timestamp, the offset, or UTC") {
  const auto local = [](const std::string& columns, const std::string& values) {
    return read_text(columns + small_header + values + "u,p,1,2,100000,train\n").rows[0].local;
  };
  CHECK(local("", "") == 100000);
  CHECK(local("timezone_offset_minutes,", "-240,") == 100000 - 240 * 60);
  CHECK(local("timezone_offset_minutes,local_timestamp,", "-240,90000,") == 90000);
}

TEST_CASE("data: category_name before category_id") {
  const std::string row = "u,p,1,2,1000,train\n";
  CHECK(read_text("category_id," + small_header + "c7," + row).categories.back() == "c7");
  CHECK(read_text("category_id,category_name," + small_header + "c7,Bar," + row).categories ==
        std::vector<std::string>{"", "Bar"});
}

TEST_CASE("data: trajectories are cut after more than 24 h, samples follow the protocol") {
  const CheckinTable table = read_text(small_header +
                                       "u,a,1,2,100000,train\n"
                                       "v,a,1,2,100000,test\n"
                                       "u,b,1,2,186400,train\n"       // 24 h exactly: the same trajectory
                                       "u,c,1,2,272801,train\n"       // a second more
                                       "u,d,1,2,272801,validation\n"  // equal times
                                       "u,e,1,2,272802,validation\n"
                                       "u,f,1,2,999999,test\n");
  std::vector<int> trajectories, targets;
  for (const auto& row : table.rows) {
    trajectories.push_back(row.trajectory);
    targets.push_back(row.target);
  }
  CHECK(trajectories == std::vector<int>{0, 0, 1, 1, 1, 2, 3});
  CHECK(targets == std::vector<int>{0, 1, 0, 0, 1, 1, 1});
}

TEST_CASE("data: trajectory_id and target of the file come first") {
  const CheckinTable table = read_text("trajectory_id,target," + small_header +
                                       "x,1,u,a,1,2,100000,train\n"
                                       "x,0,u,a,1,2,900000,train\n"
                                       "y,0,u,a,1,2,900001,test\n"
                                       "y,1,v,a,1,2,900002,test\n");
  std::vector<int> trajectories, targets;
  for (const auto& row : table.rows) {
    trajectories.push_back(row.trajectory);
    targets.push_back(row.target);
  }
  CHECK(trajectories == std::vector<int>{0, 0, 1, 2});
  CHECK(targets == std::vector<int>{1, 0, 0, 1});
}

TEST_CASE("data: rows across the borders of the read buffer") {
  // Rows of many lengths, so that every kind of byte meets the border of the buffer at some row.
  std::string text = small_header;
  std::vector<std::string> places;
  for (int i = 0; i < 9000; ++i) {
    const std::string filler(static_cast<std::size_t>(i * 7 % 97), 'x');
    places.push_back("p" + filler);
    text += "u,\"p" + filler + "\",1,2," + std::to_string(1000 + i) + (i % 2 ? ",train\r\n" : ",\"train\"\n");
  }
  text += "u,\"" + std::string(900'000, 'q') + "\",1,2,20000,train\n";
  const CheckinTable table = read_text(text);
  REQUIRE(table.rows.size() == 9001);
  std::size_t equal = 0;
  for (std::size_t i = 0; i < 9000; ++i) equal += table.places[table.rows[i].place] == places[i];
  CHECK(equal == 9000);
  CHECK(table.places[table.rows[9000].place].size() == 900'000);
}

TEST_CASE("data: the New York file has the counts of its readme") {
  const char* path = std::getenv("CHRONOTOPE_NYC");
  if (!path) {
    MESSAGE("skipped: set CHRONOTOPE_NYC to foursquare_nyc.csv.gz to check the real file");
    return;
  }
  const CheckinTable table = chronotope::read_checkins(path);
  CHECK(table.rows.size() == 104'183);
  CHECK(table.users.size() == 1'075);
  CHECK(table.places.size() == 5'099);
  CHECK(table.rows.back().trajectory + 1 == 14'135);
  int rows[3] = {}, targets[3] = {};
  for (const auto& row : table.rows) {
    ++rows[static_cast<int>(row.split)];
    targets[static_cast<int>(row.split)] += row.target;
  }
  CHECK(rows[0] == 83'470);
  CHECK(targets[0] == 72'443);
  CHECK(rows[1] == 10'339);
  CHECK(targets[1] == 1'400);
  CHECK(rows[2] == 10'374);
  CHECK(targets[2] == 1'347);
}
