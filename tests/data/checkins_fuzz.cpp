// Mutated files: whatever is in them, only an error of the library may come out.
#include <doctest/doctest.h>

#include <random>

#include "chronotope/data/city.hpp"
#include "scratch.hpp"

namespace {

std::string mutated(std::string bytes, std::mt19937_64& random) {
  static const std::string nasty = std::string(",\"\r\n.-+eEx09\xEF\xFF\xC3\x80", 17) + '\0';
  const auto below = [&](std::size_t count) { return static_cast<std::size_t>(random() % count); };
  for (std::size_t changes = 1 + below(4); changes > 0 && !bytes.empty(); --changes) {
    const std::size_t at = below(bytes.size()), length = 1 + below(40);
    switch (below(6)) {
      case 0: bytes[at] = static_cast<char>(random()); break;
      case 1: bytes[at] = nasty[below(nasty.size())]; break;
      case 2: bytes.erase(at, length); break;
      case 3: bytes.insert(at, bytes.substr(below(bytes.size()), length)); break;
      case 4: bytes.insert(at, 1, nasty[below(nasty.size())]); break;
      default: bytes.resize(at); break;
    }
  }
  return bytes;
}

}  // namespace

TEST_CASE("data: mutated files give a table or a chronotope::Error") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  MESSAGE("seed ", seed);
  std::mt19937_64 random(seed);
  chronotope::CityOptions options;
  options.users = 3;
  options.checkins_per_user = 10;
  const scratch::Folder folder;
  for (const std::string name : {"city.csv", "city.csv.gz"}) {
    chronotope::write_checkins(chronotope::generate_city(options), folder.file(name));
    const std::string good = scratch::bytes_of(folder.file(name));
    int refused = 0;
    for (int round = 0; round < 400; ++round) {
      const std::string path = folder.put("mutated", mutated(good, random));
      CAPTURE(name);
      CAPTURE(round);
      try {
        const chronotope::CheckinTable table = chronotope::read_checkins(path);
        CHECK(table.begin.back() == table.rows.size());
        chronotope::write_checkins(table, folder.file("again"));  // what can be read can be written
      } catch (const chronotope::Error& error) {
        ++refused;
        CHECK(std::string(error.what()).starts_with(path));
      }
    }
    CHECK(refused > 100);
  }
}
