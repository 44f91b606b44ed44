// Versions of an index: what changes, what never does, and what a killed process leaves.
#include "chronotope/data/geo_index_folder.hpp"

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <map>

#include "core/folder_lock.hpp"
#include "geo_places.hpp"

using chronotope::GeoIndex;
using chronotope::GeoIndexFolder;
using chronotope::GeoIndexInfo;
using chronotope::PlaceCode;
using geo_places::list_of;
using geo_places::Place;

namespace {

std::map<std::string, PlaceCode> codes_of(const GeoIndex& index, const std::vector<Place>& places) {
  std::map<std::string, PlaceCode> codes;
  for (const Place& p : places)
    if (const auto code = index.find(p.id)) codes[p.id] = *code;
  return codes;
}

std::vector<std::string> versions(const GeoIndexFolder& folder) {
  std::vector<std::string> list;
  for (const GeoIndexInfo& v : folder.versions())
    list.push_back(std::to_string(v.version) + "<" + std::to_string(v.parent));
  return list;
}

}  // namespace

TEST_CASE("data: appending changes no code, and puts places behind those that are there") {
  for (const std::uint32_t most_inner : {0u, 30u}) {
    CAPTURE(most_inner);
    const scratch::Folder scratch;
    const std::vector<Place> first = geo_places::world(6000, 20), more = geo_places::world(3000, 21);
    const GeoIndexFolder folder = GeoIndexFolder::create(scratch.file("index"), list_of(first), {5, most_inner});
    const GeoIndex before = folder.open();
    const GeoIndexInfo info = folder.append(list_of(more));
    const GeoIndex after = folder.open();
    after.check();
    CHECK(info.version == 2);
    CHECK(info.parent == 1);
    CHECK(info.parent_fingerprint == before.info().fingerprint);
    CHECK(info.added == 3000);
    CHECK(info.removed == 0);
    CHECK(info.places == 9000);
    CHECK(info.new_blocks == after.blocks() - before.blocks());
    CHECK(info.new_blocks > 0);
    CHECK(codes_of(before, first) == codes_of(after, first));
    CHECK(geo_places::misplaced(after, first) == 0);
    CHECK(geo_places::misplaced(after, more) == 0);
    for (const Place& p : more) {
      const PlaceCode code = *after.find(p.id);
      CHECK(code.inner > before.inners(code.block));
    }
    for (std::uint32_t block = 1; block <= before.blocks(); ++block) CHECK(before.level(block) == after.level(block));
    // New blocks are as small as they must be beside the others, and no smaller than needed.
    for (std::uint32_t block = before.blocks() + 1; block <= after.blocks(); ++block)
      CHECK(after.inners(block) <= (most_inner ? most_inner : ~0u));
  }
}

TEST_CASE("data: a place beside a quartered cell's blocks gets the largest free quarter") {
  const scratch::Folder scratch;
  const chronotope::GeoGrid grid(5);
  const std::uint64_t cell = grid.position(10, 10) >> chronotope::GeoGrid::position_bits
                                                          << chronotope::GeoGrid::position_bits;
  const auto middle = [&](std::uint64_t morton, int level) {
    const chronotope::GeoBox b = grid.box(cell | morton, level);
    return std::pair((b.south + b.north) / 2, (b.west + b.east) / 2);
  };
  const auto place = [&](const std::string& id, std::uint64_t morton, int level) {
    const auto [latitude, longitude] = middle(morton, level);
    return Place{id, latitude, longitude, 0, ""};
  };
  // Two in quarter 0 (its quarters 0 and 1), so with most_inner 1 there are blocks of level 2 there.
  const GeoIndexFolder folder = GeoIndexFolder::create(
      scratch.file("index"), list_of({place("a", 0, 2), place("b", std::uint64_t{1} << 20, 2)}), {5, 1});
  CHECK(folder.open().level(folder.open().find("a")->block) == 2);
  folder.append(list_of({place("c", std::uint64_t{2} << 22, 1), place("d", std::uint64_t{2} << 20, 2)}));
  const GeoIndex index = folder.open();
  index.check();
  CHECK(index.level(index.find("c")->block) == 1);  // a quarter of the cell was free
  CHECK(index.level(index.find("d")->block) == 2);  // beside a and b only a sixteenth was
  CHECK(index.blocks() == 4);
}

TEST_CASE("data: removed places are gone, their codes stand for nothing and are never given again") {
  const scratch::Folder scratch;
  const std::vector<Place> places = geo_places::world(2000, 22);
  const GeoIndexFolder folder = GeoIndexFolder::create(scratch.file("index"), list_of(places));
  const GeoIndex before = folder.open();
  std::vector<std::string> out;
  for (std::size_t i = 0; i < places.size(); i += 3) out.push_back(places[i].id);
  const GeoIndexInfo info = folder.remove(out);
  const GeoIndex after = folder.open();
  after.check();
  CHECK(info.removed == out.size());
  CHECK(info.retired == out.size());
  CHECK(info.places == places.size() - out.size());
  CHECK(after.blocks() == before.blocks());
  CHECK(after.largest_block() == before.largest_block());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const PlaceCode code = *before.find(places[i].id);
    CHECK(after.find(places[i].id).has_value() == (i % 3 != 0));
    CHECK(after.place(code).has_value() == (i % 3 != 0));
    CHECK(after.inners(code.block) == before.inners(code.block));
  }
  // One comes back: under a new code.
  folder.append(list_of({places[0]}));
  const GeoIndex again = folder.open();
  again.check();
  CHECK(again.find(places[0].id)->block == before.find(places[0].id)->block);
  CHECK(again.find(places[0].id)->inner == before.inners(before.find(places[0].id)->block) + 1);
  CHECK(!again.place(*before.find(places[0].id)));
  CHECK(again.info().retired == out.size());
  // All of them may go.
  std::vector<std::string> rest{places[0].id};
  for (std::size_t i = 0; i < places.size(); ++i)
    if (i % 3) rest.push_back(places[i].id);
  CHECK(folder.remove(rest).places == 0);
  const GeoIndex empty = folder.open();
  empty.check();
  CHECK(!empty.find(places[1].id));
  CHECK(folder.append(list_of({places[1]})).places == 1);
  folder.open().check();
}

TEST_CASE("data: versions, rollback, and the branch after it") {
  const scratch::Folder scratch;
  const std::vector<Place> places = geo_places::world(100, 23), more = geo_places::world(50, 24),
                           other = geo_places::world(60, 25);
  const GeoIndexFolder folder = GeoIndexFolder::create(scratch.file("index"), list_of(places));
  const std::string first = scratch::bytes_of(scratch.file("index/index.1"));
  folder.append(list_of(more));
  folder.remove(std::vector<std::string>{places[0].id});
  CHECK(folder.current() == 3);
  CHECK(folder.rollback(1).version == 1);
  CHECK(folder.current() == 1);
  CHECK(!folder.open().find(more[0].id));
  CHECK(folder.open(2).find(more[0].id));
  folder.append(list_of(other));
  CHECK(folder.current() == 4);
  CHECK(versions(folder) == std::vector<std::string>{"1<0", "2<1", "3<2", "4<1"});
  CHECK(folder.open().info().parent_fingerprint == folder.open(1).info().fingerprint);
  CHECK(folder.open().info().fingerprint != folder.open(2).info().fingerprint);
  CHECK(scratch::bytes_of(scratch.file("index/index.1")) == first);  // versions are never touched
  CHECK(scratch::error_of([&] { folder.open(0, folder.open(2).info().fingerprint); }).find("expected was") !=
        std::string::npos);
  CHECK(scratch::error_of([&] { folder.rollback(9); }) ==
        "ConfigError: " + scratch.file("index") + ": there is no version 9; there are: 1 2 3 4");
}

TEST_CASE("data: changes that are refused leave the folder as it was") {
  const scratch::Folder scratch;
  const std::vector<Place> places = geo_places::world(100, 26);
  const std::string path = scratch.file("index");
  const GeoIndexFolder folder = GeoIndexFolder::create(path, list_of(places));
  const std::string twice = scratch::error_of([&] { folder.append(list_of({{"fresh", 1, 1, 0, ""}, places[7]})); });
  const PlaceCode code = *folder.open().find(places[7].id);
  CHECK(twice == "DataError: place 2: the id '" + places[7].id + "' is in the index already: block " +
                     std::to_string(code.block) + ", inner id " + std::to_string(code.inner) +
                     "; leave the place out, or remove the old one first");
  CHECK(scratch::error_of([&] {
          folder.append(list_of({{"n", 1, 1, 0, ""}, {"n", 50, 1, 0, ""}}));
        }).find("stands twice") != std::string::npos);
  CHECK(scratch::error_of([&] { folder.append({}); }).find("no places to append") != std::string::npos);
  CHECK(scratch::error_of([&] { folder.remove({}); }).find("no places to remove") != std::string::npos);
  CHECK(scratch::error_of([&] {
          folder.remove(std::vector<std::string>{places[0].id, "nobody"});
        }).find("there is no place 'nobody'") != std::string::npos);
  CHECK(scratch::error_of([&] {
          folder.remove(std::vector<std::string>{places[0].id, places[0].id});
        }).find("named twice") != std::string::npos);
  CHECK(scratch::error_of([&] {
          GeoIndexFolder::create(path, list_of(places));
        }).starts_with("ConfigError: " + path + ": holds an index already, version 1"));
  CHECK(std::distance(std::filesystem::directory_iterator(path), {}) == 2);
  CHECK(folder.open().find(places[0].id));
  {
    const chronotope::FolderLock held(path);
    CHECK(scratch::error_of([&] { folder.rollback(1); }).find("another process") != std::string::npos);
    CHECK(folder.open().info().version == 1);  // readers go on
  }
  scratch.put("index/current", "two\n");
  CHECK(
      scratch::error_of([&] { folder.open(); }).starts_with("FormatError: " + path + "/current: 'two' is no version"));
  for (const char* text : {"", "0", "01", "-1", "1 ", "99999999999"}) {
    scratch.put("index/current", text);
    CHECK(scratch::error_of([&] { folder.current(); }).starts_with("FormatError: "));
  }
  scratch.put("index/current", "3");
  CHECK(scratch::error_of([&] { folder.open(); }).find("no version 3; there are: 1") != std::string::npos);
  std::filesystem::copy(path + "/index.1", path + "/index.3");
  CHECK(scratch::error_of([&] { folder.open(); }).find("says that it is version 1") != std::string::npos);
  CHECK(scratch::error_of([&] { GeoIndexFolder(scratch.file("none")).open(); }).starts_with("FileError: "));
}

TEST_CASE("data: a damaged version is neither continued nor rolled back to") {
  const scratch::Folder scratch;
  const std::string path = scratch.file("index");
  const GeoIndexFolder folder = GeoIndexFolder::create(path, list_of(geo_places::world(100, 27)));
  std::string bytes = scratch::bytes_of(path + "/index.1");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  scratch.put("index/index.1", bytes);
  for (const auto& error : {scratch::error_of([&] {
                              folder.append(list_of({{"n", 1, 1, 0, ""}}));
                            }),
                            scratch::error_of([&] { folder.rollback(1); })})
    CHECK(error.starts_with("FormatError: " + path + "/index.1 is not a sound geographic index"));
  CHECK(std::distance(std::filesystem::directory_iterator(path), {}) == 2);
}

TEST_CASE("data: a killed change leaves the former version current") {
  const scratch::Folder scratch;
  const std::string path = scratch.file("index");
  const std::vector<Place> places = geo_places::world(20'000, 28), more = geo_places::world(20'000, 29);
  const GeoIndexFolder folder = GeoIndexFolder::create(path, list_of(places));
  const chronotope::PlaceList added = list_of(more);
  int before = 0, after = 0;
  for (int round = 0; round < 24; ++round) {
    const std::uint32_t current = folder.current();
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      try {
        GeoIndexFolder(path).append(added);
      } catch (...) {
      }
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(4000 * round));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    const GeoIndex index = folder.open();
    index.check();
    CHECK(geo_places::misplaced(index, {places.begin(), places.begin() + 100}) == 0);
    const bool done = index.info().version != current;
    CHECK(index.find(more[0].id).has_value() == done);
    ++(done ? after : before);
    if (done) folder.rollback(1);
  }
  CAPTURE(before);
  CAPTURE(after);
  CHECK(before > 0);
  folder.append(list_of({{"last", 1, 1, 0, ""}}));  // takes away what the killed ones left
  for (const auto& entry : std::filesystem::directory_iterator(path))
    CHECK(entry.path().string().find(".tmp-") == std::string::npos);
}
