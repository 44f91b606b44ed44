// A generated world as files: what the readers of this library get of it.
#include "chronotope/data/world_files.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "actions.hpp"
#include "chronotope/data/place_vectors.hpp"
#include "data/csv.hpp"
#include "requests.hpp"

using namespace chronotope;

namespace {

WorldOptions tiny() {
  WorldOptions o;
  o.users = 12;
  o.places = 200;
  o.cities = 2;
  o.days = 30;
  o.actions_per_user = 20;
  o.robots_percent = 20;
  return o;
}

void write(const World& world, const std::string& folder, WorldFormat format = WorldFormat::csv) {
  WorldFiles files(world, folder, format);
  for (int i = 0; i < world.options().users; ++i) files.add(world.user(static_cast<std::uint32_t>(i)));
  files.finish();
}

std::vector<LoggedAction> actions_of(const World& world) {
  std::vector<LoggedAction> all;
  for (int i = 0; i < world.options().users; ++i)
    for (const auto& row : world.user(static_cast<std::uint32_t>(i)).actions) all.push_back(row.action);
  return all;
}

std::vector<LoggedRequest> requests_of(const World& world) {
  std::vector<LoggedRequest> all;
  for (int i = 0; i < world.options().users; ++i)
    for (const auto& row : world.user(static_cast<std::uint32_t>(i)).requests) all.push_back(row.request);
  return all;
}

// Written with six digits.
bool is_near(std::string_view text, double probability) {
  return std::abs(std::stod(std::string(text)) - probability) < 6e-7;
}

}  // namespace

TEST_CASE("world files: logs are read back as they were made, in every format") {
  const scratch::Folder folder;
  const World world(tiny());
  write(world, folder.file("a/csv"));
  write(world, folder.file("json"), WorldFormat::json_lines);
  CHECK(actions::read(folder.file("a/csv/actions.csv.gz")) == actions_of(world));
  CHECK(actions::read(folder.file("json/actions.jsonl.gz")) == actions_of(world));
  CHECK(requests::read(folder.file("a/csv/requests.csv.gz")) == requests_of(world));
  CHECK(requests::read(folder.file("json/requests.jsonl.gz")) == requests_of(world));
  write(world, folder.file("columns"), WorldFormat::columns);
  CHECK(actions::read(folder.file("columns/actions.columns.gz")) == actions_of(world));
  CHECK(requests::read(folder.file("columns/requests.columns.gz")) == requests_of(world));
}

TEST_CASE("world files: the truth has a row for every row of the logs") {
  const scratch::Folder folder;
  const World world(tiny());
  write(world, folder.file(""));
  CsvReader truth(folder.file("truth_actions.csv.gz")), shown_truth(folder.file("truth_requests.csv.gz")),
      shown(folder.file("requests.csv.gz"));
  for (int i = 0; i < world.options().users; ++i) {
    const WorldUser user = world.user(static_cast<std::uint32_t>(i));
    for (const auto& [a, t] : user.actions) {
      REQUIRE(truth.next());
      CHECK(truth.field(0) == a.user);
      CHECK(truth.field(1) == std::to_string(a.time));
      CHECK(truth.field(2) == a.place);
      CHECK(truth.field(3) == (user.robot ? "1" : "0"));
      CHECK(truth.field(4) == (t.interest ? "1" : "0"));
      CHECK(truth.field(5) == (t.from_request ? "1" : "0"));
      CHECK(truth.field(6) == name_of(t.status));
      CHECK(truth.field(7) == (t.interest ? world.place(t.best).id : ""));
      if (t.interest) CHECK(is_near(truth.field(8), t.best_probability));
      if (t.interest) CHECK(is_near(truth.field(9), t.best_ten));
      if (t.interest) CHECK(is_near(truth.field(10), t.probability));
      CHECK(truth.field(11) == (t.interest ? std::to_string(t.rank) : ""));
    }
    for (const WorldRequest& row : user.requests)
      for (const double probability : row.click_probability) {
        REQUIRE(shown_truth.next());
        REQUIRE(shown.next());
        CHECK(shown_truth.field(0) == shown.field(0));
        CHECK(shown_truth.field(3) == shown.field(7));
        CHECK(shown_truth.field(4) == name_of(row.status));
        CHECK(is_near(shown_truth.field(5), probability));
      }
  }
  CHECK(!truth.next());
  CHECK(!shown_truth.next());
  CHECK(!shown.next());
}

TEST_CASE("world files: places and vectors are read by the readers of places and vectors") {
  const scratch::Folder folder;
  const World world(tiny());
  write(world, folder.file(""));
  const PlaceList list = read_places(folder.file("places.csv.gz"));
  REQUIRE(list.size() == world.places());
  std::vector<std::string> ids;
  for (std::uint32_t i = 0; i < world.places(); ++i) {
    const WorldPlace p = world.place(i);
    CHECK(list[i].id == p.id);
    CHECK(list[i].latitude == p.position.latitude);
    CHECK(list[i].longitude == p.position.longitude);
    CHECK(list[i].popularity == p.popularity);
    CHECK(list[i].category == p.category);
    ids.push_back(p.id);
  }
  const PlaceVectors vectors = read_place_vectors(folder.file("vectors.npy"), ids, 16);
  CHECK(vectors.missing == 0);
  for (std::uint32_t i = 0; i < world.places(); ++i) {
    const auto row = vectors.vectors.row(i);
    const auto expected = world.vector(i);
    CHECK(std::equal(row.begin(), row.end(), expected.begin(), expected.end()));
  }
}

TEST_CASE("world files: without finish nothing is left; without requests there is no log of them") {
  const scratch::Folder folder;
  WorldOptions o = tiny();
  o.requests_per_user = 0;
  const World world(o);
  {
    WorldFiles files(world, folder.file(""));
    files.add(world.user(0));
  }
  CHECK(folder.entries() == 0);
  CHECK(scratch::error_of([&] { WorldFiles(world, folder.file("")).finish(); }).starts_with("DataError: "));
  CHECK(folder.entries() == 0);
  write(world, folder.file(""));
  CHECK(folder.entries() == 5);  // actions and their truth, places, vectors and their ids
  folder.put("file", "");
  CHECK(scratch::error_of([&] { WorldFiles files(world, folder.file("file")); }).starts_with("FileError: "));
}
