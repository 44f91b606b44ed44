// Files that are no index, or no longer one: a FormatError, and never a code out of range or a byte outside the file.
#include <doctest/doctest.h>

#include <cstring>
#include <functional>

#include "chronotope/data/geo_occupancy.hpp"
#include "data/geo_index_file.hpp"
#include "geo_places.hpp"

using chronotope::GeoIndex;
using chronotope::geo::Head;
using geo_places::Place;

namespace {

const std::vector<Place>& places() {
  static const std::vector<Place> made = [] {
    std::vector<Place> all = geo_places::world(400, 30);
    all.push_back({std::string(1024, 'z'), 1, 1, 1, "long"});  // its bucket has no stride
    return all;
  }();
  return made;
}

const std::string& good_bytes() {
  static const std::string bytes = [] {
    const scratch::Folder folder;
    const auto list = geo_places::list_of(places());
    const auto index = chronotope::GeoIndexFolder::create(folder.file("index"), list, {5, 8});
    index.remove(std::vector<std::string>{places()[3].id, places()[4].id});
    return scratch::bytes_of(folder.file("index/index.2"));
  }();
  return bytes;
}

/// Makes checksum and fingerprint fit again, so that what lies behind them is reached.
void reseal(std::string& bytes) {
  Head head;
  std::memcpy(&head, bytes.data(), sizeof head);
  head.checksum = chronotope::geo::checksum_of(head);
  std::memcpy(bytes.data(), &head, sizeof head);
  chronotope::geo::ContentHash hash;
  hash.add(std::as_bytes(std::span(bytes)).first(bytes.size() - 8));
  const std::uint64_t seal = hash.value();
  std::memcpy(bytes.data() + bytes.size() - 8, &seal, 8);
}

std::string with_head(const std::function<void(Head&)>& change) {
  std::string bytes = good_bytes();
  Head head;
  std::memcpy(&head, bytes.data(), sizeof head);
  change(head);
  std::memcpy(bytes.data(), &head, sizeof head);
  reseal(bytes);
  return bytes;
}

std::string error_with(const std::string& bytes, bool check = false) {
  const scratch::Folder folder;
  const std::string path = folder.put("index", bytes);
  return scratch::error_of([&] {
    const GeoIndex index(path);
    if (check) index.check();
  });
}

void refused(const std::string& error, const std::string& rule) {
  CAPTURE(error);
  CHECK(error.starts_with("FormatError: "));
  CHECK(error.find("is not a sound geographic index: ") != error.npos);
  CHECK(error.find(rule) != error.npos);
}

/// Asks everything that can be asked; every answer must be in range or a FormatError. Returns how many were refused.
int ask_everything(const GeoIndex& index) {
  int errors = 0;
  const auto ask = [&](auto&& question) {
    try {
      question();
    } catch (const chronotope::FormatError&) {
      ++errors;
    }
  };
  std::vector<std::string_view> ids;
  for (const Place& p : places()) ids.push_back(p.id);
  std::vector<chronotope::PlaceCode> codes(ids.size());
  ask([&] { index.find(ids, codes); });
  for (const auto id : ids)
    ask([&] {
      const auto code = index.find(id);
      if (!code) return;
      CHECK(code->block <= index.blocks());
      CHECK(code->inner <= index.largest_block());
      index.place(*code);
    });
  for (std::uint32_t block = 0; block <= std::min(index.blocks(), 500u) + 1; ++block)
    for (const std::uint32_t inner : {0u, 1u, 2u, 7u, ~0u})
      ask([&] {
        if (const auto place = index.place({block, inner}))
          CHECK(std::string(place->id).size() + std::string(place->category).size() < (std::size_t{1} << 20));
      });
  for (std::uint32_t block = 1; block <= std::min(index.blocks(), 500u); ++block) ask([&] { index.box(block); });
  for (const Place& p : places())
    ask([&] {
      const std::uint32_t block = index.block_at(p.latitude, p.longitude);
      CHECK(block <= index.blocks());
    });
  ask([&] { index.blocks_near(31, 121, 500); });
  ask([&] { index.check(); });
  return errors;
}

}  // namespace

TEST_CASE("data: hostile index files are refused") {
  const std::string& good = good_bytes();
  REQUIRE(error_with(good, true) == "");
  for (std::size_t size = 0; size + 1 < good.size(); size += size < 200 ? 1 : 211) {
    CAPTURE(size);
    CHECK(error_with(good.substr(0, size)).starts_with("FormatError: "));
  }
  refused(error_with(good + "x"), "bytes, it has");
  refused(error_with("GIF89a" + std::string(500, ' ')), "CHRGEOIX");
  refused(error_with(with_head([](Head& h) { h.format = 2; })), "format 2");
  refused(error_with(with_head([](Head& h) { h.bytes = 8; })), "format");
  std::string flipped = good;
  flipped[20] = static_cast<char>(flipped[20] ^ 1);
  refused(error_with(flipped), "checksum");
  refused(error_with(with_head([](Head& h) { h.grid ^= 1; })), "grid");
  for (const auto& change : std::vector<std::function<void(Head&)>>{
           [](Head& h) { h.blocks = 0; }, [](Head& h) { h.blocks = ~0u; }, [](Head& h) { h.rows = ~std::uint64_t{0}; },
           [](Head& h) { h.rows = 0; }, [](Head& h) { h.largest_block = 0; }, [](Head& h) { h.largest_block = ~0u; },
           [](Head& h) { h.retired = h.rows + 1; }, [](Head& h) { h.buckets = 0; },
           [](Head& h) { h.buckets = ~std::uint64_t{0}; }, [](Head& h) { h.name_bytes = ~std::uint64_t{0}; },
           [](Head& h) { h.categories = 0; }, [](Head& h) { h.categories = ~std::uint64_t{0}; },
           [](Head& h) { h.category_bytes = ~std::uint64_t{0}; }, [](Head& h) { h.parent = h.version; },
           [](Head& h) { h.block_km = 0; }, [](Head& h) { h.block_km = std::nan(""); },
           [](Head& h) { h.block_km = 1e300; }})
    refused(error_with(with_head(change)), "contradict");
  for (const auto& change : std::vector<std::function<void(Head&)>>{
           [](Head& h) { h.rows += 7; }, [](Head& h) { h.buckets += 70; }, [](Head& h) { h.name_bytes += 70; }})
    refused(error_with(with_head(change)), "its head speaks of");
  CHECK(scratch::error_of([] { GeoIndex("/nowhere/index"); }).starts_with("FileError: "));
  const scratch::Folder folder;
  CHECK(!scratch::error_of([&] { GeoIndex(folder.file("")); }).empty());
}

TEST_CASE("data: check finds every byte that was changed, and names what is wrong where the fingerprint fits") {
  const std::string& good = good_bytes();
  std::mt19937_64 random(31);
  for (int round = 0; round < 300; ++round) {
    std::string bytes = good;
    const std::size_t at = random() % bytes.size();
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
    CAPTURE(at);
    CHECK(error_with(bytes, true).starts_with("FormatError: "));
  }
  Head head;
  std::memcpy(&head, good.data(), sizeof head);
  const auto at = chronotope::geo::sections_of(head);
  const auto damaged = [&](std::uint64_t offset, std::uint32_t value) {
    std::string bytes = good;
    std::memcpy(bytes.data() + offset, &value, 4);
    reseal(bytes);
    return error_with(bytes, true);
  };
  refused(damaged(at.first, 1), "do not take up all rows");
  refused(damaged(at.first + 4, ~0u), "impossible rows");
  refused(damaged(at.keys + 4, ~0u), "outside the grid");
  refused(damaged(at.by_key, ~0u), "the order of its blocks");
  refused(damaged(at.by_key, 5), "overlap");
  refused(damaged(at.records + 4, 0x7FF00000), "impossible values");
  refused(damaged(at.records + 28, ~0u), "impossible values");
  refused(damaged(at.buckets, 1), "out of place");
  refused(damaged(at.names, 0), "out of place");
  refused(damaged(at.category_ends, 1), "categor");
}

TEST_CASE("data: rows far outside the file are not read") {
  std::string bytes = good_bytes();
  Head head;
  std::memcpy(&head, bytes.data(), sizeof head);
  const std::uint32_t far[] = {0x7FFFFFF0, 0x7FFFFFF1};  // as few rows as a block may have
  std::memcpy(bytes.data() + chronotope::geo::sections_of(head).first + 4, far, sizeof far);
  reseal(bytes);
  const scratch::Folder folder;
  const GeoIndex index(folder.put("index", bytes));
  CHECK(scratch::error_of([&] { index.place({2, 1}); }).find("block 2 has impossible rows") != std::string::npos);
  CHECK(scratch::error_of([&] { index.inners(2); }).starts_with("FormatError: "));
}

TEST_CASE("data: mutated index files give answers in range or a FormatError") {
  const std::uint64_t seed = std::random_device{}();
  MESSAGE("seed ", seed);
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const scratch::Folder folder;
  int refused_files = 0, refused_answers = 0;
  for (int round = 0; round < 400; ++round) {
    std::string bytes = good_bytes();
    for (int changes = 1 + static_cast<int>(random() % 5); changes > 0; --changes) {
      const std::size_t at = random() % (round % 4 ? bytes.size() - 8 : sizeof(Head) + 64);
      if (random() % 2) bytes[at] = static_cast<char>(random());
      else
        for (std::size_t i = at; i < std::min(at + 8, bytes.size() - 8); ++i)
          bytes[i] = static_cast<char>(random() % 3 ? 255 : 0);
    }
    if (round % 8 != 7) reseal(bytes);
    CAPTURE(round);
    try {
      const GeoIndex index(folder.put("index", bytes));
      refused_answers += ask_everything(index);
    } catch (const chronotope::FormatError&) {
      ++refused_files;
    }
  }
  CHECK(refused_files > 20);
  CHECK(refused_answers > 100);
}
