// The index: codes both ways, order, splitting, blocks around a position, and what it refuses.
#include "chronotope/data/geo_index.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "chronotope/data/geohash.hpp"
#include "data/geo_index_file.hpp"
#include "geo_places.hpp"

using chronotope::GeoIndex;
using chronotope::GeoIndexOptions;
using chronotope::PlaceCode;
using geo_places::Built;
using geo_places::Place;

namespace {

std::string build_error(const std::vector<Place>& places, const GeoIndexOptions& options = {}) {
  return scratch::error_of([&] { Built built(places, options); });
}

std::string read_error(const std::string& text) {
  const scratch::Folder folder;
  const std::string path = folder.put("in.csv", text);
  std::string error = scratch::error_of([&] { chronotope::read_places(path); });
  const auto at = error.find(path);
  return at == error.npos ? error : error.replace(at, path.size(), "in.csv");
}

std::vector<Place> at_one_spot(int count) {
  std::vector<Place> places;
  for (int i = 0; i < count; ++i)
    places.push_back({"p" + std::to_string(i), 48.85, 2.35, static_cast<double>(i % 7), ""});
  return places;
}

/// `count` places whose ids all fall into the first of `buckets` buckets.
std::vector<Place> crowd(int count, std::uint64_t buckets) {
  std::vector<Place> places;
  for (std::uint64_t i = 0; static_cast<int>(places.size()) < count; ++i) {
    const std::string id = "c" + std::to_string(i);
    if (chronotope::geo::bucket_of(chronotope::geo::id_hash(id), buckets) == 0) places.push_back({id, 1, 1, 0, ""});
  }
  return places;
}

}  // namespace

TEST_CASE("data: every place of an index comes back both ways, and codes are dense") {
  const std::vector<Place> places = geo_places::world(100'000, 1);
  for (const std::uint32_t most_inner : {0u, 50u}) {
    CAPTURE(most_inner);
    const Built built(places, {5, most_inner});
    const GeoIndex index = built.open();
    index.check();
    CHECK(index.info().places == places.size());
    CHECK(geo_places::misplaced(index, places) == 0);
    std::uint64_t codes = 0;
    std::uint32_t largest = 0;
    for (std::uint32_t block = 1; block <= index.blocks(); ++block) {
      largest = std::max(largest, index.inners(block));
      for (std::uint32_t inner = 1; inner <= index.inners(block); ++inner)
        codes += index.place({block, inner}).has_value();
    }
    CHECK(codes == places.size());
    CHECK(index.largest_block() == largest);
    CHECK((most_inner == 0) == (largest > 50));
  }
}

TEST_CASE("data: many look-ups at once are the single ones") {
  const std::vector<Place> places = geo_places::world(5000, 2);
  const GeoIndex index = Built(places).open();
  std::vector<std::string_view> ids;
  for (const Place& p : places) ids.push_back(p.id);
  ids.insert(ids.begin() + 77, {"nobody", "", "2-17"});
  std::vector<PlaceCode> codes(ids.size(), PlaceCode{9, 9});
  index.find(ids, codes);
  for (std::size_t i = 0; i < ids.size(); ++i) CHECK(codes[i] == index.find(ids[i]).value_or(PlaceCode{}));
  CHECK(codes[77] == PlaceCode{});
  codes.pop_back();
  CHECK(scratch::error_of([&] { index.find(ids, codes); }).starts_with("DataError: find: "));
}

TEST_CASE("data: blocks go by popularity, inner ids by popularity, ties by id") {
  const std::vector<Place> places = geo_places::world(20'000, 3);
  const GeoIndex index = Built(places).open();
  double last_sum = std::numeric_limits<double>::infinity();
  for (std::uint32_t block = 1; block <= index.blocks(); ++block) {
    double sum = 0;
    for (std::uint32_t inner = 1; inner <= index.inners(block); ++inner) {
      const auto place = index.place({block, inner}), before = index.place({block, inner - 1});
      CHECK(before.has_value() == (inner > 1));
      if (before) {
        const bool ordered =
            before->popularity != place->popularity ? before->popularity > place->popularity : before->id < place->id;
        CHECK(ordered);
      }
      sum += place->popularity;
    }
    CHECK(sum <= last_sum);
    last_sum = sum;
  }
}

TEST_CASE("data: the order of the list plays no part") {
  std::vector<Place> places = geo_places::world(3000, 4);
  const Built one(places, {5, 20});
  std::shuffle(places.begin(), places.end(), std::mt19937_64(5));
  const Built other(places, {5, 20});
  CHECK(scratch::bytes_of(one.path()) == scratch::bytes_of(other.path()));
  CHECK(one.open().info().fingerprint == other.open().info().fingerprint);
  places[0].popularity += 1;
  CHECK(one.open().info().fingerprint != Built(places, {5, 20}).open().info().fingerprint);
  CHECK(one.open().info().fingerprint != Built(places, {5, 21}).open().info().fingerprint);
}

TEST_CASE("data: one place a block, and all places in one") {
  std::vector<Place> apart;
  for (int i = 0; i < 100; ++i) apart.push_back({"p" + std::to_string(i), 0.5 * i, 3.0 * i - 150, 1.0 * i, ""});
  const GeoIndex thin = Built(apart).open();
  CHECK(thin.blocks() == 100);
  CHECK(thin.largest_block() == 1);
  CHECK(thin.find("p99") == PlaceCode{1, 1});
  CHECK(thin.find("p0") == PlaceCode{100, 1});

  const std::vector<Place> crowd = at_one_spot(30'000);
  const GeoIndex full = Built(crowd).open();
  CHECK(full.blocks() == 1);
  CHECK(full.largest_block() == 30'000);
  CHECK(full.find("p1000") == PlaceCode{1, 1});  // of those with popularity 6 the first as text
  full.check();
  // Quartering cannot part what lies in one spot; it ends.
  const GeoIndex split = Built(crowd, {5, 10}).open();
  CHECK(split.blocks() == 1);
  CHECK(split.level(1) == chronotope::GeoGrid::most_level);
  CHECK(geo_places::misplaced(split, crowd) == 0);
}

TEST_CASE("data: over-full cells are quartered until they are not") {
  std::mt19937_64 random(6);
  std::uniform_real_distribution<double> small(0, 0.03);
  std::vector<Place> places;
  for (int i = 0; i < 5000; ++i)
    places.push_back({"p" + std::to_string(i), 50 + small(random) * small(random) / 0.03, 8 + small(random), 1, ""});
  const GeoIndex whole = Built(places).open(), split = Built(places, {5, 40}).open();
  split.check();
  CHECK(whole.largest_block() > 1000);
  CHECK(split.largest_block() <= 40);
  CHECK(geo_places::misplaced(split, places) == 0);
  // No more than needed: a block together with the rest of the quarter it was cut from is over-full.
  for (const Place& p : places) {
    const int level = split.level(split.find(p.id)->block);
    if (level == 0) continue;
    std::uint32_t inside = 0;
    const int bits = chronotope::geo::bits_below(level - 1);
    const std::uint64_t quarter = split.grid().position(p.latitude, p.longitude) >> bits;
    for (const Place& other : places)
      inside += split.grid().position(other.latitude, other.longitude) >> bits == quarter;
    CHECK(inside > 40);
    if (&p - places.data() > 100) break;
  }
}

TEST_CASE("data: places at the poles and across the date line") {
  const std::vector<Place> places{{"north a", 90, 10, 5, ""},      {"north b", 90, -170, 4, ""},
                                  {"south", -90, 0, 3, ""},        {"fiji", -17, 180, 2, ""},
                                  {"also fiji", -17, -180, 1, ""}, {"west of it", -17, 179.99, 0, ""}};
  const GeoIndex index = Built(places).open();
  index.check();
  CHECK(geo_places::misplaced(index, places) == 0);
  CHECK(index.find("north a")->block == index.find("north b")->block);
  CHECK(index.find("fiji")->block == index.find("also fiji")->block);
  CHECK(index.find("fiji")->block != index.find("west of it")->block);
  const auto near = index.blocks_near(-17, 180, 3);
  CHECK(near.size() == 2);  // on both sides of the date line
  CHECK(near[0].block == index.find("fiji")->block);
  CHECK(near[0].km == 0);
  CHECK(index.blocks_near(89.99, 100, 5).size() == 1);
}

TEST_CASE("data: blocks near a position are all those within the radius") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::vector<Place> places = geo_places::world(4000, 8);
  for (int i = 0; i < 200; ++i)
    places.push_back({"pole" + std::to_string(i), 90 - 0.01 * i, -180 + 7.3 * (i % 49), 1, ""});
  for (const std::uint32_t most_inner : {0u, 5u}) {
    const GeoIndex index = Built(places, {20, most_inner}).open();
    for (int round = 0; round < 150; ++round) {
      const Place& p = round % 2 ? places[random() % places.size()] : geo_places::anywhere(random);
      const double reach = std::pow(10.0, static_cast<double>(random() % 430) / 100);  // 1 to 20,000 km
      std::vector<std::pair<double, std::uint32_t>> expected, found;
      for (std::uint32_t block = 1; block <= index.blocks(); ++block) {
        const double km = distance_km(index.box(block), p.latitude, p.longitude);
        if (km <= reach) expected.emplace_back(km, block);
      }
      std::sort(expected.begin(), expected.end());
      for (const auto& near : index.blocks_near(p.latitude, p.longitude, reach))
        found.emplace_back(near.km, near.block);
      CAPTURE(p.latitude);
      CAPTURE(p.longitude);
      CAPTURE(reach);
      CHECK(found == expected);
    }
  }
}

TEST_CASE("data: what is not in an index") {
  const std::vector<Place> places = geo_places::world(500, 9);
  const Built built(places);
  const GeoIndex index = built.open();
  for (const std::string& id : {std::string(), std::string("nobody"), std::string("9-0y"), std::string(5000, 'x')})
    CHECK(!index.find(id));
  CHECK(!index.find(std::string_view("9-1\0", 4)));
  for (const PlaceCode code :
       {PlaceCode{0, 0}, {0, 1}, {1, 0}, {1, index.inners(1) + 1}, {index.blocks() + 1, 1}, {~0u, ~0u}, {1, ~0u}})
    CHECK(!index.place(code));
  CHECK(index.inners(0) == 0);
  CHECK(index.inners(index.blocks() + 1) == 0);
  CHECK(index.block_at(-75, 33) == 0);
  for (const std::uint32_t block : {0u, index.blocks() + 1}) {
    CHECK(scratch::error_of([&] { index.box(block); }).find("there is no block") != std::string::npos);
    CHECK(scratch::error_of([&] { index.level(block); }).starts_with("DataError: "));
  }
  CHECK(scratch::error_of([&] { index.block_at(91, 0); }).starts_with("DataError: position"));
  CHECK(scratch::error_of([&] { index.blocks_near(0, 0, -1); }).starts_with("ConfigError: "));
  CHECK_NOTHROW(GeoIndex(built.path(), index.info().fingerprint));
  const std::string other = scratch::error_of([&] { GeoIndex(built.path(), index.info().fingerprint ^ 1); });
  CHECK(other.starts_with("DataError: " + built.path() + ": this is version 1"));
}

TEST_CASE("data: ids that all hash alike are found all the same") {
  for (const int count : {13, 300}) {  // more than a seed can part
    const std::vector<Place> places = crowd(count, chronotope::geo::buckets_for(static_cast<std::uint64_t>(count)));
    const GeoIndex index = Built(places).open();
    index.check();
    CHECK(geo_places::misplaced(index, places) == 0);
    CHECK(!index.find("c"));
  }
  std::vector<Place> lengths;
  for (std::size_t n = 1; n <= 1024; n += n < 40 ? 1 : 123)
    lengths.push_back({std::string(n, 'a'), 1, 1, 0, std::string(n - 1, 'k')});
  lengths.push_back({std::string(1024, 'b'), 1, 1, 0, std::string(1024, 'k')});
  const GeoIndex index = Built(lengths).open();
  index.check();
  CHECK(geo_places::misplaced(index, lengths) == 0);
}

TEST_CASE("data: places that cannot be indexed") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(build_error({}).find("without places") != std::string::npos);
  CHECK(build_error({{"a", 90.5, 0, 0, ""}}).starts_with("DataError: place 1: 'a' lies at (90.5"));
  CHECK(build_error({{"a", 0, 0, 0, ""}, {"b", 0, -181, 0, ""}}).starts_with("DataError: place 2: 'b' lies at"));
  CHECK(build_error({{"a", nan, 0, 0, ""}}).find("outside the world") != std::string::npos);
  CHECK(build_error({{"a", 0, nan, 0, ""}}).find("outside the world") != std::string::npos);
  for (const double popularity : {-1.0, nan, std::numeric_limits<double>::infinity()})
    CHECK(build_error({{"a", 0, 0, popularity, ""}}).find("0 or more") != std::string::npos);
  CHECK(build_error({{"", 0, 0, 0, ""}}).find("no id") != std::string::npos);
  CHECK(build_error({{std::string(1025, 'a'), 0, 0, 0, ""}}).find("1,024") != std::string::npos);
  CHECK(build_error({{"a", 0, 0, 0, std::string(1025, 'a')}}).find("1,024") != std::string::npos);
  CHECK(build_error({{"a", 0, 0, 0, ""}, {"b", 0, 0, 0, ""}, {"a", 50, 50, 9, ""}}) ==
        "DataError: place 3: the id 'a' stands twice, first at place 1; every place needs an id of its own");
  CHECK(build_error({{"a", 0, 0, 0, ""}}, {0.1, 0}).starts_with("ConfigError: "));
  CHECK(build_error({{"a", 0, 0, 0, ""}}, {nan, 0}).starts_with("ConfigError: "));
  const scratch::Folder folder;
  CHECK(scratch::error_of([&] {
          chronotope::build_geo_index(geo_places::list_of({{"a", 0, 0, 0, ""}}), folder.file("no/index"));
        }).starts_with("FileError: "));
  CHECK(scratch::error_of([&] {
          chronotope::build_geo_index(geo_places::list_of({{"a", 0, 0, 0, ""}, {"a", 0, 0, 0, ""}}),
                                      folder.file("index"));
        }).starts_with("DataError: "));
  CHECK(folder.entries() == 0);  // nothing half-written
}

TEST_CASE("data: files of places") {
  const scratch::Folder folder;
  const auto list = chronotope::read_places(folder.put(
      "in.csv",
      "category,longitude,place,x,latitude,popularity\n\"a, b\",-74.5,p1,,40.25,3\n,180,\"q\"\"\",,-90,0.5\n"));
  REQUIRE(list.size() == 2);
  CHECK(geo_places::same(list[0], {"p1", 40.25, -74.5, 3, "a, b"}));
  CHECK(geo_places::same(list[1], {"q\"", -90, 180, 0.5, ""}));
  const auto bare = chronotope::read_places(folder.put("in.csv", "place,latitude,longitude\r\np,1,2\r\n"));
  CHECK(geo_places::same(bare[0], {"p", 1, 2, 0, ""}));

  const std::string head = "place,latitude,longitude,popularity,category\n";
  CHECK(read_error(head) == "DataError: in.csv: no rows: there is only a header; add at least one place");
  CHECK(read_error("").starts_with("FormatError: in.csv: the file is empty"));
  CHECK(read_error("place,latitude\np,1\n").starts_with("FormatError: in.csv: row 1: the column longitude is missing"));
  CHECK(read_error("place,place,latitude,longitude\n").find("named twice") != std::string::npos);
  CHECK(read_error(head + "p,1,2,3,c\n,1,2,3,c\n")
            .starts_with("DataError: in.csv: row 3, column 1 (place): the value is empty"));
  CHECK(read_error(head + "p,90.01,2,3,c\n")
            .starts_with("DataError: in.csv: row 2, column 2 (latitude): '90.01' is out of range"));
  CHECK(read_error(head + "p,1,-180.5,3,c\n")
            .starts_with("DataError: in.csv: row 2, column 3 (longitude): '-180.5' is out of range"));
  CHECK(read_error(head + "p,nan,2,3,c\n").find("(latitude): 'nan' is not a number") != std::string::npos);
  for (const char* bad : {"-1", "nan", "inf", "many", "1e999"})
    CHECK(read_error(head + "p,1,2," + bad + ",c\n").starts_with("DataError: in.csv: row 2, column 4 (popularity): '"));
  CHECK(read_error(head + "p,1,2,,c\n").find("(popularity): the value is empty") != std::string::npos);
  CHECK(read_error(head + std::string(1025, 'p') + ",1,2,3,c\n").find("1025 bytes") != std::string::npos);
  const auto twice = chronotope::read_places(folder.put("in.csv", head + "p,1,2,3,c\nq,1,2,3,c\np,5,6,3,c\n"));
  const std::string error = scratch::error_of([&] { chronotope::build_geo_index(twice, folder.file("index")); });
  CHECK(error.find("in.csv: row 4: the id 'p' stands twice, first at " + folder.file("in.csv") + ": row 2;") !=
        std::string::npos);
}

TEST_CASE("data: the places of a check-in file") {
  const auto table = scratch::read_text(
      "user_id,poi_id,latitude,longitude,utc_timestamp,split,category_name\n"
      "u,a,1,2,1000,train,Bar\nu,b,3,4,2000,train,Gym\nu,a,1.5,2,3000,train,Pub\nu,c,5,6,4000,test,\nu,b,3,4.5,5000,"
      "test,Gym\n");
  const auto list = chronotope::places_of(table);
  REQUIRE(list.size() == 3);
  CHECK(geo_places::same(list[0], {"a", 1, 2, 2, "Bar"}));
  CHECK(geo_places::same(list[1], {"b", 3, 4, 1, "Gym"}));
  CHECK(geo_places::same(list[2], {"c", 5, 6, 0, ""}));
}
