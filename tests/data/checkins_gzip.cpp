// Gzip'ed check-in files, whole, cut off, damaged and glued together.
#include <doctest/doctest.h>

#include "chronotope/data/city.hpp"
#include "gzip.hpp"
#include "scratch.hpp"

using scratch::error_of;
using scratch::packed;
using scratch::small_header;

namespace {

chronotope::CheckinTable small_city() {
  chronotope::CityOptions options;
  options.users = 10;
  return chronotope::generate_city(options);
}

}  // namespace

TEST_CASE("data: gzip is recognised by content, members may follow each other") {
  const scratch::Folder folder;
  const std::string first = packed(folder, small_header + "u,p,1,2,1000,tr");
  const std::string second = packed(folder, "ain\nu,p,1,2,1001,test\n"), empty = packed(folder, "");
  for (const std::string& bytes :
       {first + second, empty + first + empty + second, first + second + std::string(700, '\0')})
    CHECK(chronotope::read_checkins(folder.put("named.csv", bytes)).rows.size() == 2);
}

TEST_CASE("data: gzip cut off anywhere is an error that names the file") {
  const scratch::Folder folder;
  chronotope::write_checkins(small_city(), folder.file("city.csv.gz"));
  const std::string bytes = scratch::bytes_of(folder.file("city.csv.gz"));
  REQUIRE(bytes.size() > 1000);
  for (const std::size_t length : {std::size_t{2}, std::size_t{9}, std::size_t{10}, std::size_t{11}, bytes.size() / 3,
                                   bytes.size() / 2, bytes.size() - 9, bytes.size() - 8, bytes.size() - 1}) {
    CAPTURE(length);
    const std::string error =
        error_of([&] { chronotope::read_checkins(folder.put("cut.gz", bytes.substr(0, length))); });
    CHECK(error.starts_with("FormatError: "));
    CHECK(error.find("cut.gz: the gzip data is cut off before its end") != std::string::npos);
  }
}

TEST_CASE("data: damaged gzip is an error that names the file") {
  const scratch::Folder folder;
  const std::string good = packed(folder, small_header + "u,p,1,2,1000,train\n");
  const auto error = [&](const std::string& bytes) {
    return error_of([&] { chronotope::read_checkins(folder.put("bad.gz", bytes)); });
  };
  CHECK(error(std::string("\x1f\x8b") + "this is no gzip at all").find("bad.gz: the gzip data is damaged") !=
        std::string::npos);
  std::string checksum = good;
  checksum[checksum.size() - 6] ^= 1;
  CHECK(error(checksum).find("bad.gz: the gzip data is damaged (incorrect data check)") != std::string::npos);
  CHECK(error(good + "tail").find("bytes that are not gzip data follow") != std::string::npos);
  CHECK(error(good + "\x1f").find("cut off") != std::string::npos);
}

TEST_CASE("data: a gzip bomb of one endless row is refused in bounded memory") {
  const scratch::Folder folder;
  const std::string bomb = packed(folder, small_header + "u," + std::string(100u << 20, 'x'));
  const std::string error = error_of([&] { chronotope::read_checkins(folder.put("bomb.gz", bomb)); });
  CHECK(error.find("row 2: is longer than 1048576 bytes") != std::string::npos);
}
