// The cache of click logs: what is written comes back, in one piece or many; nothing in a file is trusted.
#include "chronotope/data/click_cache.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>

#include "data/click_layout.hpp"
#include "small_clicks.hpp"

using chronotope::CacheCheck;
using chronotope::ClickCacheWriter;
using chronotope::ClickColumns;
using chronotope::ClickLog;

namespace {

ClickLog small_log() { return chronotope::make_click_log(small_clicks::columns()); }

std::string good_bytes() {
  const scratch::Folder folder;
  chronotope::write_click_cache(small_log(), folder.file("log"));
  return scratch::bytes_of(folder.file("log"));
}

std::string open_error(const std::string& bytes, CacheCheck check = CacheCheck::everything) {
  const scratch::Folder folder;
  const std::string path = folder.put("log", bytes);
  std::string error = scratch::error_of([&] { chronotope::open_click_cache(path, check); });
  const auto at = error.find(path);
  return at == error.npos ? error : error.replace(at, path.size(), "log");
}

/// The file with another head, whose length stays and whose checksum fits.
std::string with_head(const std::function<void(nlohmann::json&)>& change) {
  std::string bytes = good_bytes();
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data() + 16, 8);
  nlohmann::json head = nlohmann::json::parse(bytes.substr(32, length));
  change(head);
  std::string text = head.dump();
  REQUIRE(text.size() <= length);
  text.resize(length, ' ');
  const std::uint64_t sum = chronotope::clicks::checksum(text);
  std::memcpy(bytes.data() + 24, &sum, 8);
  return bytes.replace(32, length, text);
}

nlohmann::json& column(nlohmann::json& head, const std::string& of, const std::string& role,
                       const std::string& name = "") {
  for (auto& c : head["columns"])
    if (c["of"] == of && c["role"] == role && c.value("name", "") == name) return c;
  throw std::runtime_error("no such column");
}

void check_refused(const std::string& error, const std::string& rule) {
  CAPTURE(error);
  CHECK(error.starts_with("FormatError: log is not a sound click cache: "));
  CHECK(error.find(rule) != error.npos);
}

/// Samples `from` to `to` - 1 as a log of their own, with only their behaviours.
ClickLog part_of(int from, int to) {
  ClickColumns c = small_clicks::columns();
  const auto cut = [](auto& values, std::size_t a, std::size_t b) {
    values = {values.begin() + a, values.begin() + b};
  };
  const std::size_t low = from < 4 ? 0 : 5, high = to < 5 ? 5 : 9;
  const auto cut_times = [&](ClickColumns::Times& at, std::size_t a, std::size_t b) {
    cut(at.time, a, b), cut(at.hour, a, b), cut(at.weekday, a, b), cut(at.geohash, a, b);
  };
  cut_times(c.at, from, to);
  cut_times(c.behaviours_at, low, high);
  for (auto& x : c.ids) cut(x.values, from, to);
  for (auto& x : c.numbers) cut(x.values, from, to);
  for (auto& x : c.behaviour_ids) cut(x.values, low, high);
  for (auto& x : c.behaviour_numbers) cut(x.values, low, high);
  cut(c.click, from, to), cut(c.conversion, from, to), cut(c.split, from, to), cut(c.first, from, to),
      cut(c.last, from, to);
  for (auto* range : {&c.first, &c.last})
    for (auto& x : *range) x = x == 9 && from < 4 && to == 4 ? 5 : x - low;  // the cold sample's empty range
  return chronotope::make_click_log(std::move(c));
}

}  // namespace

TEST_CASE("data: a click log comes back from its cache") {
  const scratch::Folder folder;
  const ClickLog log = small_log();
  chronotope::write_click_cache(log, folder.file("log"));
  CHECK(folder.entries() == 1);
  for (const CacheCheck check : {CacheCheck::everything, CacheCheck::head}) {
    const ClickLog again = chronotope::open_click_cache(folder.file("log"), check);
    CHECK(small_clicks::same(log, again));
    CHECK(reinterpret_cast<std::uintptr_t>(again.behaviours.at.time.data()) % 64 == 0);
  }
  ClickColumns plain = small_clicks::columns();  // without what is optional
  plain.conversion.clear();
  plain.numbers.clear();
  plain.behaviour_numbers.clear();
  plain.semi_synthetic = false;
  const ClickLog bare = chronotope::make_click_log(std::move(plain));
  chronotope::write_click_cache(bare, folder.file("bare"));
  CHECK(small_clicks::same(bare, chronotope::open_click_cache(folder.file("bare"))));
  ClickLog kept;
  {
    const ClickLog opened = chronotope::open_click_cache(folder.file("log"));
    kept = opened;
  }
  std::filesystem::remove(folder.file("log"));  // the mapping outlives the name and the first log
  CHECK(small_clicks::same(log, kept));
}

TEST_CASE("data: a cache written in pieces is the same file, also after an interruption") {
  const scratch::Folder folder;
  const std::string path = folder.file("log");
  {
    ClickCacheWriter writer(path, "x");
    CHECK(writer.note() == "");
    writer.append(part_of(0, 2));
    writer.save("two");
    writer.append(part_of(2, 4));  // never saved: gone
  }
  CHECK(!std::filesystem::exists(path));
  const std::string other = scratch::error_of([&] { ClickCacheWriter(path, "y"); });
  CHECK(other.starts_with("ConfigError: " + path + ".partial: "));
  {
    ClickCacheWriter writer(path, "x");
    const std::string busy = scratch::error_of([&] { ClickCacheWriter(path, "x"); });
    CHECK(busy.find("another process") != busy.npos);
    CHECK(writer.note() == "two");
    CHECK(writer.samples() == 2);
    CHECK(writer.behaviours() == 5);
    writer.append(part_of(2, 4));
    writer.append(part_of(4, 5));
    writer.save("all");
  }
  ClickCacheWriter writer(path, "x");
  CHECK(writer.note() == "all");
  writer.commit();
  CHECK(folder.entries() == 1);
  const ClickLog log = chronotope::open_click_cache(path);
  CHECK(log.size() == 5);
  CHECK(std::vector(log.first.begin(), log.first.end()) == std::vector<std::uint64_t>{0, 0, 5, 10, 10});
  CHECK(std::vector(log.last.begin(), log.last.end()) == std::vector<std::uint64_t>{4, 4, 10, 10, 14});
  const ClickLog whole = small_log();
  CHECK(small_clicks::same(log.at, whole.at));
  CHECK(small_clicks::same(log.ids, whole.ids));
  // One piece that is the whole log gives the bytes of write_click_cache.
  ClickCacheWriter single(path, "x");
  single.append(whole);
  single.commit();
  CHECK(scratch::bytes_of(path) == good_bytes());
}

TEST_CASE("data: pieces that do not fit and damaged partial caches are refused") {
  const scratch::Folder folder;
  const std::string path = folder.file("log");
  CHECK(scratch::error_of([&] { ClickCacheWriter(path, "x").commit(); }).starts_with("DataError: "));
  {
    ClickCacheWriter writer(path, "x");
    writer.append(small_log());
    writer.save("");
    ClickColumns other = small_clicks::columns();
    other.ids[0].rows = 5;
    const ClickLog bad = chronotope::make_click_log(std::move(other));
    CHECK(scratch::error_of([&] { writer.append(bad); }).find("samples id \"user\"") != std::string::npos);
  }
  std::filesystem::resize_file(path + ".partial/pieces", 3);
  CHECK(scratch::error_of([&] {
          ClickCacheWriter(path, "x");
        }).starts_with("FormatError: " + path + ".partial/pieces: has 3"));
  folder.put("log.partial/progress.json", "{\"version\": 1");
  CHECK(scratch::error_of([&] { ClickCacheWriter(path, "x"); }).starts_with("FormatError: "));
}

TEST_CASE("data: hostile cache files are refused with file and column") {
  const std::string good = good_bytes();
  REQUIRE(open_error(good) == "");
  for (std::size_t size = 0; size + 1 < good.size(); size += size < 100 ? 1 : 61) {
    CAPTURE(size);
    CHECK(open_error(good.substr(0, size), CacheCheck::head).starts_with("FormatError: log "));
  }
  check_refused(open_error(good + "x"), "end at byte");
  std::string version = good;
  version[8] = 2;
  check_refused(open_error(version), "version 2");
  check_refused(open_error("not a cache at all, but long enough to be one"), "CHRCLICK");
  std::string flipped = good;
  flipped[40] ^= 1;
  check_refused(open_error(flipped), "checksum");
  std::string long_head = good;
  long_head[22] = 1;
  check_refused(open_error(long_head), "head of");
  check_refused(open_error(with_head([](auto& h) { h["samples"] = 60; })), "samples");
  check_refused(open_error(with_head([](auto& h) { h["samples"] = ~std::uint64_t{0}; })), "outside the file");
  check_refused(open_error(with_head([](auto& h) { h["samples"] = 0; })), "no samples");
  check_refused(open_error(with_head([](auto& h) { h["samples"] = -1; })), "\"samples\"");
  check_refused(open_error(with_head([](auto& h) { h["behaviours"] = 1 << 30; })), "behaviours time");
  check_refused(open_error(with_head([](auto& h) { h.erase("columns"); })), "columns");
  check_refused(open_error(with_head([](auto& h) { h = 1; })), "object");
  check_refused(open_error(with_head([](auto& h) { column(h, "samples", "id", "item")["offset"] = 1 << 20; })),
                "samples id \"item\"");
  check_refused(open_error(with_head([](auto& h) { column(h, "samples", "time")["offset"] = 64; })), "samples time");
  check_refused(open_error(with_head([](auto& h) { column(h, "samples", "time")["offset"] = 3; })), "multiple of 64");
  check_refused(open_error(with_head(
                    [](auto& h) { column(h, "samples", "first")["offset"] = column(h, "samples", "last")["offset"]; })),
                "overlaps");
  check_refused(open_error(with_head([](auto& h) { column(h, "samples", "hour")["role"] = "weekday"; })), "twice");
  check_refused(open_error(with_head([](auto& h) { column(h, "samples", "hour")["role"] = "hours"; })), "unknown role");
  check_refused(open_error(with_head([](auto& h) { column(h, "samples", "id", "user")["name"] = "x"; })),
                "samples id \"user\"");
  check_refused(open_error(with_head([](auto& h) { column(h, "samples", "id", "user")["rows"] = 0; })), "0 rows");
  check_refused(open_error(with_head([](auto& h) { column(h, "samples", "id", "user")["part"] = 3; })), "part 3");
  check_refused(open_error(with_head([](auto& h) { column(h, "samples", "id", "user")["rows"] = 2; })),
                "column \"user\"");
  CHECK(scratch::error_of([] { chronotope::open_click_cache("/nowhere/log"); }).starts_with("FileError: "));
}

TEST_CASE("data: mutated cache files give a sound log or a FormatError") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const std::string good = good_bytes();
  const scratch::Folder folder;
  int refused = 0;
  for (int round = 0; round < 600; ++round) {
    std::string bytes = good;
    for (int flips = 1 + static_cast<int>(random() % 4); flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (round % 2) {  // a head that fits its checksum, so that what follows is reached
      std::uint64_t length = 0;
      std::memcpy(&length, good.data() + 16, 8);
      std::memcpy(bytes.data(), good.data(), 32);
      const std::uint64_t sum = chronotope::clicks::checksum(std::string_view(bytes).substr(32, length));
      std::memcpy(bytes.data() + 24, &sum, 8);
    }
    CAPTURE(round);
    try {
      const ClickLog log = chronotope::open_click_cache(folder.put("log", bytes));
      CHECK_NOTHROW(chronotope::check_click_log(log));
    } catch (const chronotope::FormatError&) {
      ++refused;
    }
  }
  CHECK(refused > 100);
}
