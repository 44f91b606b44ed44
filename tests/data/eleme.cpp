// The Ele.me reader: generated files come back, whatever the threads, blocks and interruptions; every bad row has its
// answer.
#include "chronotope/data/eleme.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>

#include "chronotope/data/click_cache.hpp"
#include "chronotope/data/generated_clicks.hpp"
#include "data/eleme_fields.hpp"
#include "small_clicks.hpp"

using chronotope::ClickLog;
using chronotope::ElemeOptions;
using chronotope::ElemeProgress;
using chronotope::ListOrder;
using chronotope::Split;
namespace eleme = chronotope::eleme;

namespace {

/// A sound row of three behaviours, newest first, with some fields replaced.
std::string row(const std::map<eleme::Field, std::string>& changes = {}) {
  std::array<std::string, eleme::field_count> fields{"1",
                                                     "u1",
                                                     "2",
                                                     "7",
                                                     "31.5",
                                                     "1",
                                                     "12",
                                                     "3",
                                                     "99.5",
                                                     "s1",
                                                     "i1",
                                                     "7",
                                                     "70",
                                                     "a1",
                                                     "wtw3sj",
                                                     "wtw3sjq6x4bc",
                                                     "5",
                                                     "8",
                                                     "900",
                                                     "10",
                                                     "-99",
                                                     "",
                                                     "s1;s2;",
                                                     "i1;i2;i3",
                                                     "8;9;8",
                                                     "900;901;900",
                                                     "5;-99;5",
                                                     "10;20.5;",
                                                     "a1;a2;a3",
                                                     "wtw3sj;;u4pruy",
                                                     "60;3600;86400",
                                                     "11;10;",
                                                     "lunch;breakfast;brunch",
                                                     "2;;1",
                                                     "1650424200",
                                                     "11",
                                                     "lunch",
                                                     "2",
                                                     "wtw3sk111111"};  // 2022-04-20 11:10 in China, a Wednesday
  for (const auto& [field, text] : changes) fields[field] = text;
  std::string text;
  for (const std::string& field : fields) text += field + ",";
  text.back() = '\n';
  return text;
}

struct Converted {
  ElemeProgress progress;
  ClickLog log;
};

Converted convert(const std::string& text, const ElemeOptions& options = {}) {
  const scratch::Folder folder;
  const std::string in = folder.put("in.csv", text);
  Converted out{chronotope::convert_eleme({in}, folder.file("out"), options), {}};
  out.log = chronotope::open_click_cache(folder.file("out"));
  return out;
}

std::string error_of(const std::string& text, const ElemeOptions& options = {}) {
  const scratch::Folder folder;
  const std::string path = folder.put("in.csv", text);
  std::string error = scratch::error_of([&] { chronotope::convert_eleme({path}, folder.file("out"), options); });
  CHECK(!std::filesystem::exists(folder.file("out")));
  const auto at = error.find(path);
  return at == error.npos ? error : error.replace(at, path.size(), "in.csv");
}

std::string bad_row_error(eleme::Field field, const std::string& text) {
  return error_of(row() + row({{field, text}}) + row());
}

void check_bad(eleme::Field field, const std::string& text, const std::string& rule) {
  const std::string error = bad_row_error(field, text);
  CAPTURE(error);
  const std::string place = "row 2, column " + std::to_string(field + 1) + " (" + eleme::names[field] + "): ";
  CHECK(error.starts_with("DataError: in.csv: " + place));
  CHECK(error.find(rule) != error.npos);
  ElemeOptions skip;
  skip.skip_bad_rows = true;
  const Converted rest = convert(row() + row({{field, text}}) + row(), skip);
  CHECK(rest.progress.skipped == 1);
  CHECK(rest.progress.rows == 3);
  CHECK(rest.log.size() == 2);
  CHECK(rest.log.behaviours.size() == 6);  // nothing of the bad row is left
}

template <class T> std::vector<T> values(std::span<const T> of) { return {of.begin(), of.end()}; }

double number(const ClickLog& log, const std::string& name) {
  for (const auto& c : log.numbers)
    if (c.name == name) return c.values[0];
  throw std::runtime_error("no such number");
}

const std::string& generated_csv() {
  static const std::string text = [] {
    chronotope::GeneratedClickOptions o;
    o.users = 40;
    o.requests = 10;
    const scratch::Folder folder;
    chronotope::write_eleme_csv(chronotope::generate_clicks(o).log, folder.file("log.csv"));
    return scratch::bytes_of(folder.file("log.csv"));
  }();
  return text;
}

}  // namespace

TEST_CASE("data: an Ele.me row, field by field") {
  const auto [progress, log] = convert(row());
  CHECK(progress.rows == 1);
  CHECK(progress.bytes == row().size());
  CHECK(progress.newest_first == 1);
  CHECK(progress.hour_differs == 0);
  CHECK(progress.weekday_differs == 0);
  CHECK(!log.semi_synthetic);
  CHECK(log.click[0] == 1);
  const std::int64_t request = 1650424200 + 8 * 3600;
  CHECK(log.at.time[0] == request);
  CHECK(log.at.hour[0] == 11);
  CHECK(log.at.weekday[0] == 2);
  CHECK(log.at.geohash[0] == chronotope::pack_geohash6("wtw3sk"));
  CHECK(log.id_column("gender").values[0] == 3);
  CHECK(log.id_column("supervip").values[0] == 2);
  CHECK(log.id_column("time_type").values[0] == 2);
  CHECK(log.id_column("visit_city").values[0] == log.id_column("city").values[0]);  // one table, one text
  CHECK(log.id_column("user").values[0] > 0);
  CHECK(log.id_column("geohash").values[0] != log.id_column("request_geohash").values[0]);
  CHECK(number(log, "avg_price") == doctest::Approx(std::log1p(31.5) / 4));
  CHECK(number(log, "rank_7") == doctest::Approx(std::log1p(10.) / 4));
  CHECK(number(log, "rank_30") == 0);  // -99
  CHECK(number(log, "rank_90") == 0);  // empty
  CHECK(number(log, "distance") > std::log1p(.3));
  CHECK(number(log, "distance") < std::log1p(3.));

  // Oldest first, whatever the file does; hours and weekdays that are missing come from the clock.
  const auto& past = log.behaviours;
  CHECK(values(past.at.time) == std::vector<std::int64_t>{request - 86400, request - 3600, request - 60});
  CHECK(values(past.at.hour) == std::vector<std::uint8_t>{11, 10, 11});
  CHECK(values(past.at.weekday) == std::vector<std::uint8_t>{1, 2, 2});
  CHECK(values(past.at.geohash) ==
        std::vector<std::uint32_t>{chronotope::pack_geohash6("u4pruy"), 0, chronotope::pack_geohash6("wtw3sj")});
  const auto ids = [&](const std::string& name) {
    for (const auto& c : past.ids)
      if (c.name == name) return values(c.values);
    throw std::runtime_error("no such column");
  };
  CHECK(ids("shop")[0] == 0);
  CHECK(ids("shop")[2] == log.id_column("shop").values[0]);
  CHECK(ids("item")[2] == log.id_column("item").values[0]);
  CHECK(ids("item")[1] != ids("item")[2]);
  CHECK(ids("category")[0] == ids("category")[2]);
  CHECK(ids("brand")[1] == 0);
  CHECK(ids("geohash")[2] == log.id_column("geohash").values[0]);
  CHECK(ids("geohash")[1] == 0);
  CHECK(ids("time_type") == std::vector<std::int32_t>{6, 1, 2});  // brunch is not one of the five
  CHECK(past.numbers[0].values[1] == doctest::Approx(std::log1p(20.5) / 4));
  CHECK(past.numbers[0].values[0] == 0);
}

TEST_CASE("data: a generated log comes back from its Ele.me file") {
  chronotope::GeneratedClickOptions o;
  o.users = 40;
  o.requests = 10;
  const ClickLog log = chronotope::generate_clicks(o).log;
  for (const bool newest_first : {true, false}) {
    const scratch::Folder folder;
    chronotope::ElemeWriteOptions write;
    write.newest_first = newest_first;
    chronotope::write_eleme_csv(log, folder.file("log.csv"), write);
    ElemeOptions options;
    options.validation_from = small_clicks::monday;  // far later: all train
    const auto progress = chronotope::convert_eleme({folder.file("log.csv")}, folder.file("log"), options);
    const ClickLog again = chronotope::open_click_cache(folder.file("log"));
    CHECK(folder.entries() == 2);
    CHECK((newest_first ? progress.oldest_first : progress.newest_first) == 0);
    CHECK(progress.hour_differs + progress.weekday_differs == 0);
    REQUIRE(again.size() == log.size());
    CHECK(small_clicks::same(again.click, log.click));
    CHECK(small_clicks::same(again.at, log.at));
    std::map<std::pair<std::string, std::int32_t>, std::int32_t> codes;  // one text, one id
    const auto compare = [&](const chronotope::IdColumn& a, std::size_t i, const std::vector<chronotope::IdColumn>& in,
                             std::size_t j) {
      for (const auto& b : in) {
        if (b.name != a.name) continue;
        const auto [known, fresh] = codes.try_emplace({a.table, a.values[i]}, b.values[j]);
        return known->second == b.values[j];
      }
      return false;
    };
    for (std::size_t i = 0; i < log.size(); ++i) {
      for (const auto& c : log.ids) CHECK(compare(c, i, again.ids, i));
      REQUIRE(again.last[i] - again.first[i] == log.last[i] - log.first[i]);
      for (std::size_t n = 0; n < log.last[i] - log.first[i]; ++n) {
        const auto a = log.first[i] + n, b = again.first[i] + n;
        CHECK(log.behaviours.at.time[a] == again.behaviours.at.time[b]);
        CHECK(log.behaviours.at.hour[a] == again.behaviours.at.hour[b]);
        CHECK(log.behaviours.at.weekday[a] == again.behaviours.at.weekday[b]);
        CHECK(log.behaviours.at.geohash[a] == again.behaviours.at.geohash[b]);
        CHECK(log.behaviours.numbers[0].values[a] == doctest::Approx(again.behaviours.numbers[0].values[b]));
        for (const auto& c : log.behaviours.ids) CHECK(compare(c, a, again.behaviours.ids, b));
      }
    }
    std::map<std::string, std::set<std::int32_t>> used;
    std::map<std::string, std::size_t> texts;
    for (const auto& [text, id] : codes) used[text.first].insert(id), ++texts[text.first];
    for (const auto& [table, ids] : used) CHECK(ids.size() == texts[table]);  // no collision in tables of this size
  }
}

TEST_CASE("data: the cache does not depend on threads or blocks, nor on an interruption") {
  const scratch::Folder folder;
  const std::string& text = generated_csv();
  const std::size_t half = text.find('\n', text.size() / 2) + 1;
  const std::vector<std::string> inputs{
      folder.put("a.csv", text.substr(0, half)),
      folder.put("b.csv", text.substr(half, text.size() - half - 1))};  // no last line end
  const auto bytes = [&](int threads, std::size_t block) {
    ElemeOptions o;
    o.threads = threads;
    o.block_bytes = block;
    chronotope::convert_eleme(inputs, folder.file("out"), o);
    return scratch::bytes_of(folder.file("out"));
  };
  const std::string whole = bytes(1, text.size() + 1);
  CHECK(bytes(3, text.size() + 1) == whole);
  CHECK(bytes(1, 70'000) == whole);
  CHECK(bytes(64, 90'000) == whole);  // more threads than rows in a block
  for (int stop = 1; stop < 8; stop += 3) {
    CAPTURE(stop);
    int blocks = 0;
    ElemeOptions o;
    o.block_bytes = 150'000;
    o.progress = [&](const ElemeProgress&) {
      if (++blocks == stop) throw std::runtime_error("stopped");
    };
    bool stopped = false;
    try {
      chronotope::convert_eleme(inputs, folder.file("again"), o);
    } catch (const std::runtime_error&) {
      stopped = true;
    }
    CHECK(stopped);
    // A process killed while it appends leaves more than it saved.
    std::ofstream(folder.file("again.partial/pieces"), std::ios::app) << "never saved";
    o.progress = nullptr;
    o.threads = 2;
    o.block_bytes = 250'000;
    const ElemeProgress rest = chronotope::convert_eleme(inputs, folder.file("again"), o);
    CHECK(rest.rows == 400);
    CHECK(rest.parsed_bytes < text.size());
    CHECK(scratch::bytes_of(folder.file("again")) == whole);
    CHECK(!std::filesystem::exists(folder.file("again.partial")));
  }
}

TEST_CASE("data: an interrupted conversion is gone on with only under the same settings") {
  const scratch::Folder folder;
  const std::string in = folder.put("in.csv", row() + row({{eleme::label, "7"}}));
  ElemeOptions o;
  o.block_bytes = row().size() + 10;
  CHECK(scratch::error_of([&] {
          chronotope::convert_eleme({in}, folder.file("out"), o);
        }).starts_with("DataError: " + in + ": row 2"));
  ElemeOptions other = o;
  other.tables.item = 1000;
  CHECK(scratch::error_of([&] {
          chronotope::convert_eleme({in}, folder.file("out"), other);
        }).starts_with("ConfigError: "));
  // The row number counts from the beginning of the file, not from where it went on.
  CHECK(scratch::error_of([&] {
          chronotope::convert_eleme({in}, folder.file("out"), o);
        }).starts_with("DataError: " + in + ": row 2, column 1 (label)"));
  folder.put("in.csv", row() + row() + row());  // another file
  CHECK(
      scratch::error_of([&] { chronotope::convert_eleme({in}, folder.file("out"), o); }).starts_with("ConfigError: "));
}

TEST_CASE("data: bad Ele.me rows name file, row and column, or are left out and counted") {
  check_bad(eleme::label, "2", "'2' is not a label");
  check_bad(eleme::label, "", "is not a label");
  check_bad(eleme::label, "1.0", "is not a label");
  check_bad(eleme::times, "", "is not a time");
  check_bad(eleme::times, "-5", "is not a time");
  check_bad(eleme::times, "99999999999999999999", "is not a time");
  check_bad(eleme::hours, "", "is not an hour");
  check_bad(eleme::hours, "24", "is not an hour");
  check_bad(eleme::weekdays, "8", "is not a weekday");
  check_bad(eleme::geohash12, "wtw3s", "is not a geohash");
  check_bad(eleme::geohash12, "wtw3sa111111", "is not a geohash");
  check_bad(eleme::shop_geohash_6, "Amsterdam!", "is not a geohash");
  check_bad(eleme::shop_geohash6_list, "wtw3sj;no;wtw3sj", "'no' is not a geohash");
  check_bad(eleme::avg_price, "cheap", "is not a number");
  check_bad(eleme::avg_price, "nan", "is not between");
  check_bad(eleme::avg_price, "-3", "is not between");
  check_bad(eleme::rank_7, "1e999", "is not a number");
  check_bad(eleme::gender, "9", "is not between 0 and 6");
  check_bad(eleme::gender, "m", "is not a whole number");
  check_bad(eleme::price_list, "1;2;x", "'x' is not a number");
  check_bad(eleme::timediff_list, "-1;3600;86400", "lies after the request");
  check_bad(eleme::timediff_list, "60;;86400", "is not a number");
  check_bad(eleme::timediff_list, "60;1e300;1e301", "two centuries");
  check_bad(eleme::timediff_list, "60;86400;3600", "neither rising nor falling");
  check_bad(eleme::item_id_list, "i1;i2", "has 2 entries where timediff_list has 3");
  check_bad(eleme::item_id_list, "", "has 0 entries where timediff_list has 3");
  // All other lists are compared with timediff_list, so a wrong one of these shows at the first of them.
  CHECK(bad_row_error(eleme::timediff_list, "60;3600").find("(hours_list): has 3 entries where timediff_list has 2") !=
        std::string::npos);
  CHECK(bad_row_error(eleme::timediff_list, "").find("(hours_list): has 3 entries where timediff_list has 0") !=
        std::string::npos);
  check_bad(eleme::hours_list, "11;25;1", "'25' is not an hour");
  check_bad(eleme::weekdays_list, "1;9;1", "'9' is not a weekday");
}

TEST_CASE("data: the wrong number of fields, rows too long, and files without rows") {
  std::string short_row = row();
  short_row = short_row.substr(short_row.find(',') + 1);
  CHECK(error_of(row() + short_row).starts_with("FormatError: in.csv: row 2: has 38 comma-separated field(s)"));
  CHECK(error_of("x," + row()).starts_with("FormatError: in.csv: row 1: has 40"));
  CHECK(error_of(row() + "\n").starts_with("FormatError: in.csv: row 2: has 1 "));
  CHECK(error_of("").starts_with("DataError: in.csv: holds no rows"));
  ElemeOptions o;
  o.block_bytes = 100;
  CHECK(error_of(row(), o).starts_with("FormatError: in.csv: row 1: is longer than 100 bytes"));
  o.block_bytes = row().size() - 1;  // the row just fits without its line end
  CHECK(error_of(row(), o).starts_with("FormatError: "));
  o.skip_bad_rows = true;
  o.block_bytes = 1000;
  CHECK(error_of("bad\nworse\n", o).starts_with("DataError: in.csv: holds no rows"));
  CHECK(convert(row() + short_row + row(), o).progress.skipped == 1);
  const scratch::Folder folder;
  CHECK(scratch::error_of([&] {
          chronotope::convert_eleme({folder.file("none")}, folder.file("out"));
        }).starts_with("FileError: "));
}

TEST_CASE("data: empty lists are users without behaviours, lists of one may be unknown") {
  std::map<eleme::Field, std::string> none, one;
  for (std::size_t f = eleme::shop_id_list; f <= eleme::weekdays_list; ++f)
    none[static_cast<eleme::Field>(f)] = one[static_cast<eleme::Field>(f)] = "";
  one[eleme::timediff_list] = "3600";
  std::string crlf = row(none);
  crlf.insert(crlf.size() - 1, "\r");
  const ClickLog log = convert(crlf + row(one)).log;
  CHECK(values(log.last) == std::vector<std::uint64_t>{0, 1});
  CHECK(log.behaviours.ids[1].values[0] == 0);
  CHECK(log.behaviours.at.hour[0] == 10);
  CHECK(log.behaviours.at.weekday[0] == 2);
}

TEST_CASE("data: options of the Ele.me reader") {
  ElemeOptions o;
  o.timediff_seconds = 60;
  o.monday = 1;
  o.utc_offset_minutes = 0;
  const Converted minutes = convert(row(), o);
  CHECK(minutes.log.behaviours.at.time[2] == 1650424200 - 3600);
  CHECK(minutes.log.at.weekday[0] == 1);
  CHECK(minutes.progress.weekday_differs == 1);
  CHECK(minutes.progress.hour_differs == 1);

  o = {};
  const std::string mixed = row({{eleme::timediff_list, "60;86400;3600"}});
  o.order = ListOrder::sort;
  const auto sorted = convert(mixed, o).log;
  CHECK(values(sorted.behaviours.at.time) ==
        std::vector<std::int64_t>{1650453000 - 86400, 1650453000 - 3600, 1650453000 - 60});
  CHECK(sorted.behaviours.ids[0].values[1] == 0);  // the third shop is the unknown one
  o.order = ListOrder::oldest_first;
  CHECK(error_of(row(), o).find("order that was set") != std::string::npos);
  CHECK(convert(row({{eleme::timediff_list, "9;8;7"}}), o).log.size() == 1);
  o.order = ListOrder::newest_first;
  CHECK(error_of(row({{eleme::timediff_list, "9;8;7"}}), o).find("order that was set") != std::string::npos);
  for (const ListOrder order : {ListOrder::detect, ListOrder::newest_first, ListOrder::sort}) {
    o.order = order;  // of equal times the first is the newest
    CHECK(convert(row({{eleme::timediff_list, "5;5;5"}}), o).log.behaviours.ids[0].values[0] == 0);
  }
  o.order = ListOrder::oldest_first;
  CHECK(convert(row({{eleme::timediff_list, "5;5;5"}}), o).log.behaviours.ids[0].values[2] == 0);

  o = {};
  o.number_buckets = 6;
  const auto buckets = convert(row(), o).log;
  CHECK(buckets.id_column("rank_7_bucket").values[0] == 6);  // 2 log2(11) = 6.9, cut at the last
  CHECK(buckets.id_column("ord_30_bucket").values[0] == 5);  // 2 log2(4) = 4
  CHECK(buckets.id_column("rank_30_bucket").values[0] == 0);
  CHECK(buckets.id_column("rank_30_bucket").rows == 7);

  o = {};
  o.validation_from = 1650424200 + 8 * 3600 + 1;
  CHECK(convert(row(), o).log.split[0] == Split::train);
  --o.validation_from;
  CHECK(convert(row(), o).log.split[0] == Split::validation);
  o.test_from = o.validation_from;
  CHECK(convert(row(), o).log.split[0] == Split::test);
  o = {};
  o.split_of_input = {Split::validation};
  CHECK(convert(row(), o).log.split[0] == Split::validation);

  const auto refused = [](auto change) {
    ElemeOptions bad;
    change(bad);
    return error_of(row(), bad).starts_with("ConfigError: convert_eleme: ");
  };
  CHECK(refused([](auto& b) { b.tables.food = 1; }));
  CHECK(refused([](auto& b) { b.timediff_seconds = 0; }));
  CHECK(refused([](auto& b) { b.monday = 7; }));
  CHECK(refused([](auto& b) { b.utc_offset_minutes = 2000; }));
  CHECK(refused([](auto& b) { b.split_of_input = {Split::train, Split::test}; }));
  CHECK(refused([](auto& b) { b.split_of_input = {Split::train}, b.test_from = 1; }));
  CHECK(refused([](auto& b) { b.number_buckets = -1; }));
  CHECK(refused([](auto& b) { b.threads = 0; }));
  CHECK(refused([](auto& b) { b.block_bytes = 0; }));
  CHECK(scratch::error_of([] { chronotope::convert_eleme({}, "/tmp/x"); }).starts_with("ConfigError: "));
}

TEST_CASE("data: mutated Ele.me files give a sound cache or an error, and never more") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  MESSAGE("seed ", seed);
  std::mt19937_64 random(seed);
  const std::string good = row() + generated_csv().substr(0, generated_csv().find('\n', 20'000) + 1) + row();
  const scratch::Folder folder;
  static const std::string nasty = std::string(",;\"\r\n.-+eEnainf09\xEF\xFF", 19) + '\0';
  int refused = 0;
  for (int round = 0; round < 150; ++round) {
    std::string bytes = good;
    for (int flips = 1 + static_cast<int>(random() % 3); flips > 0; --flips) {
      char& byte = bytes[random() % bytes.size()];
      byte = random() % 2 ? static_cast<char>(random()) : nasty[random() % nasty.size()];
    }
    if (round % 10 == 0) bytes.resize(random() % bytes.size());
    CAPTURE(round);
    ElemeOptions o;
    o.skip_bad_rows = round % 2;
    o.order = round % 3 ? ListOrder::detect : ListOrder::sort;
    o.threads = 1 + round % 3;
    o.block_bytes = 400'000;
    o.number_buckets = round % 5;
    const std::string path = folder.put("in.csv", bytes);
    try {
      chronotope::convert_eleme({path}, folder.file("out"), o);
      CHECK_NOTHROW(chronotope::check_click_log(chronotope::open_click_cache(folder.file("out"))));
    } catch (const chronotope::Error& error) {
      ++refused;
      CHECK(std::string(error.what()).starts_with(path));
    }
    std::filesystem::remove_all(folder.file("out.partial"));
  }
  CHECK(refused > 15);
}
