// Check-ins as actions, and the windows of them: what is asked, how often, and what must not leak.

#include "chronotope/train/histories.hpp"

#include <algorithm>
#include <set>

#include "chronotope/eval/targets.hpp"
#include "train/tiny.hpp"

using namespace chronotope;

namespace {

/// Users with these numbers of training rows, each followed by one validation and one test row at known places.
CheckinTable table_of(const std::vector<int>& training_rows) {
  std::string csv = "user_id,poi_id,latitude,longitude,utc_timestamp,split,category_name,target\n";
  for (std::size_t u = 0; u < training_rows.size(); ++u)
    for (int i = 0; i < training_rows[u] + 2; ++i) {
      const char* split = i < training_rows[u] ? "train" : i == training_rows[u] ? "validation" : "test";
      csv += "u" + std::to_string(1000 + u) + ",p" + std::to_string((i * 7 + static_cast<int>(u)) % 5) + ",40.5,-73.9," +
             std::to_string(1'700'000'000 + 5000 * i) + "," + split + ",c,1\n";
    }
  return scratch::read_text(csv);
}

struct Prepared {
  explicit Prepared(const CheckinTable& t) : table(t), tokenizer(make_tokenizer(table, GeoCells::geohash, 16)), histories(table, tokenizer) {}
  CheckinTable table;
  PlaceTokenizer tokenizer;
  Histories histories;
};

std::vector<std::array<std::size_t, 3>> plain(const std::vector<Window>& windows) {
  std::vector<std::array<std::size_t, 3>> list;
  for (const Window& w : windows) list.push_back({w.begin, w.end, w.first_target});
  return list;
}

bool same(const Action& a, const Action& b) {
  return a.place == b.place && a.category == b.category && a.when == b.when && a.where == b.where && a.latitude == b.latitude &&
         a.longitude == b.longitude && a.utc == b.utc && a.local == b.local;
}

bool same_context(const Action& a, const Action& b) { return a.when == b.when && a.utc == b.utc && a.local == b.local; }

/// What a model sees of a batch before it knows the places asked for: all contexts, and all places but the last action's.
bool same_question(const ActionBatch& a, const ActionBatch& b) {
  if (a.actions.size() != b.actions.size() || a.lengths != b.lengths || a.selected != b.selected) return false;
  for (std::size_t i = 0; i < a.actions.size(); ++i)
    if (i + 1 < a.actions.size() ? !same(a.actions[i], b.actions[i]) : !same_context(a.actions[i], b.actions[i])) return false;
  return true;
}

}  // namespace

TEST_CASE("every training row but a user's first is asked for exactly once an epoch, within one user and the length") {
  const Prepared p(table_of({0, 1, 2, 3, 4, 5, 8, 9, 16, 17, 40, 129, 300}));
  for (const std::int64_t length : {2, 3, 4, 5, 7, 8, 16, 33, 128, 1000})
    for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
      CAPTURE(length);
      CAPTURE(epoch);
      std::vector<int> asked(p.histories.actions.size(), 0);
      for (const Window& w : training_windows(p.histories, length, 5, epoch)) {
        REQUIRE(w.begin < w.first_target);
        REQUIRE(w.first_target < w.end);
        REQUIRE(w.end - w.begin <= static_cast<std::size_t>(length));
        const auto user = std::upper_bound(p.histories.begin.begin(), p.histories.begin.end(), w.begin);
        REQUIRE(w.end <= *user);
        for (std::size_t row = w.first_target; row < w.end; ++row) ++asked[row];
      }
      int wrong = 0;
      for (std::size_t user = 0; user < p.histories.users(); ++user)
        for (std::size_t row = p.histories.begin[user]; row < p.histories.begin[user + 1]; ++row)
          wrong += asked[row] != (row > p.histories.begin[user] && p.histories.split[row] == Split::train);
      CHECK(wrong == 0);
    }
}

TEST_CASE("windows follow from seed and epoch alone and differ between them") {
  const Prepared p(table_of({40, 50, 60, 33}));
  const auto windows = [&](std::uint64_t seed, std::uint64_t epoch) { return plain(training_windows(p.histories, 8, seed, epoch)); };
  CHECK(windows(1, 0) == windows(1, 0));
  CHECK(windows(1, 0) != windows(1, 1));
  CHECK(windows(1, 0) != windows(2, 0));
  const auto sorted = [](auto list) {
    std::sort(list.begin(), list.end());
    return list;
  };
  CHECK(sorted(windows(1, 0)) != sorted(windows(1, 1)));  // other cuts, not only another order
}

TEST_CASE("later windows have half a window of context") {
  const Prepared p(table_of({100}));
  for (const Window& w : training_windows(p.histories, 16, 1, 0))
    if (w.begin > 0) CHECK(w.first_target - w.begin >= 8);
}

TEST_CASE("evaluation asks each target once, with the latest actions of any split") {
  const Prepared p(table_of({1, 5, 20, 3}));
  for (const Split split : {Split::validation, Split::test})
    for (const std::int64_t length : {2, 4, 100}) {
      const auto targets = evaluation_targets(p.table, split);
      const auto windows = evaluation_windows(p.histories, length, split);
      REQUIRE(windows.size() == targets.size());
      for (std::size_t i = 0; i < windows.size(); ++i) {
        const std::size_t first = p.table.begin[targets[i].user];
        CHECK(windows[i].first_target == targets[i].row);
        CHECK(windows[i].end == targets[i].row + 1);
        CHECK(windows[i].begin == std::max<std::size_t>(first, targets[i].row + 1 - std::min<std::size_t>(targets[i].row + 1, static_cast<std::size_t>(length))));
      }
    }
}

TEST_CASE("a batch holds the rows of its windows and asks for their places") {
  const Prepared p(table_of({9, 6}));
  const std::vector<Window> windows{{2, 6, 4}, {11, 14, 12}};
  const ActionBatch batch = make_batch(p.histories, windows, true);
  CHECK(batch.lengths == std::vector<std::int32_t>{4, 3});
  CHECK(batch.selected == std::vector<std::int32_t>{2, 3, 5, 6});
  REQUIRE(batch.actions.size() == 7);
  for (std::size_t i = 0; i < 7; ++i) CHECK(same(batch.actions[i], p.histories.actions[i < 4 ? 2 + i : 7 + i]));
  for (std::size_t q = 0; q < 4; ++q) CHECK(batch.target[q] == batch.actions[static_cast<std::size_t>(batch.selected[q])].place);
}

TEST_CASE("places unknown from training are not asked for, and windows that ask nothing are left out") {
  CheckinTable table = table_of({4, 4});
  table.places.push_back("zz-new");
  table.rows[4].place = static_cast<std::int32_t>(table.places.size()) - 1;  // the validation row of the first user
  const Prepared p(table);
  REQUIRE(p.histories.actions[4].place == 0);
  const std::vector<Window> windows{{0, 5, 4}, {2, 6, 4}, {6, 8, 7}};
  const ActionBatch batch = make_batch(p.histories, windows, true);
  CHECK(batch.lengths == std::vector<std::int32_t>{4, 2});
  CHECK(batch.selected == std::vector<std::int32_t>{3, 5});
  CHECK(make_batch(p.histories, std::span(windows).first(1), false).actions.empty());
}

TEST_CASE("without the target's time nothing of it is in the question") {
  Prepared p(table_of({12}));
  const std::vector<Window> window{{4, 9, 8}};
  Prepared moved = p;
  Action& target = moved.histories.actions[8];
  target.utc += 12345, target.local += 54321;
  target.when = {11, 30, 6, 23};
  CHECK(same_question(make_batch(p.histories, window, false), make_batch(moved.histories, window, false)));
  CHECK_FALSE(same_question(make_batch(p.histories, window, true), make_batch(moved.histories, window, true)));
  // Nor is it in the question about any earlier action, while the time of the action before is.
  const std::vector<Window> all{{0, 9, 1}};
  const ActionBatch batch = make_batch(p.histories, all, false);
  CHECK(same_context(batch.actions[0], Action{}));
  for (std::size_t i = 1; i < 9; ++i) CHECK(same_context(batch.actions[i], p.histories.actions[i - 1]));
  // A window that does not begin with the user's first row sees the row before it.
  CHECK(same_context(make_batch(p.histories, window, false).actions[0], p.histories.actions[3]));
}

TEST_CASE("the second user's first row sees nothing of the first user") {
  const Prepared p(table_of({3, 5}));
  const std::size_t first = p.histories.begin[1];
  const std::vector<Window> window{{first, first + 3, first + 1}};
  CHECK(same_context(make_batch(p.histories, window, false).actions[0], Action{}));
}

TEST_CASE("a question from outside is the question of the batch") {
  const Prepared p(table_of({12}));
  for (const bool time : {true, false})
    for (const std::int64_t length : {2, 3, 8, 100})
      for (const std::size_t row : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{9}}) {
        CAPTURE(time);
        CAPTURE(length);
        CAPTURE(row);
        const auto L = static_cast<std::size_t>(length);
        const std::vector<Window> window{{row + 1 > L ? row + 1 - L : 0, row + 1, row}};
        Action asked;
        asked.when = p.histories.actions[row].when, asked.utc = p.histories.actions[row].utc, asked.local = p.histories.actions[row].local;
        const ActionBatch query = make_query(std::span(p.histories.actions).first(row), asked, length, time);
        CHECK(same_question(query, make_batch(p.histories, window, time)));
        CHECK(query.actions.back().place == 0);
        CHECK(query.selected == std::vector<std::int32_t>{query.lengths[0] - 1});
      }
}

TEST_CASE("the vocabulary: training places in order, with category and position of their first training row") {
  const CheckinTable table = scratch::read_text(
      "user_id,poi_id,latitude,longitude,utc_timestamp,split,category_name\n"
      "a,p2,1,2,100,train,food\na,p1,3,4,200,train,\na,p2,5,6,300,train,bar\na,p9,7,8,400,test,zoo\n");
  const PlaceTokenizer t = make_tokenizer(table, GeoCells::grid, 8);
  CHECK(t.places() == 3);
  CHECK(t.categories() == 2);
  CHECK(t.place_token("p1") == 1);
  CHECK(t.place_token("p2") == 2);
  CHECK(t.place_token("p9") == 0);
  CHECK(t.place_token("") == 0);
  CHECK(t.category_token("food") == 1);
  for (const char* unknown : {"bar", "zoo", ""}) CHECK(t.category_token(unknown) == 0);
  CHECK(t.place(2).latitude == 1);
  CHECK(t.place(2).category == "food");
  CHECK_THROWS_AS(make_tokenizer(scratch::read_text(scratch::small_header + "a,p,1,2,100,test\n"), GeoCells::grid, 8), DataError);
}

TEST_CASE("the vocabulary as JSON and back") {
  for (const GeoCells cells : {GeoCells::geohash, GeoCells::grid}) {
    const PlaceTokenizer t({{"p \"1\"", "", 40.1 + 0.2, -180}, {"ünï\n", "food", -90, 1e-300}}, cells, 7);
    const PlaceTokenizer back = PlaceTokenizer::parse(t.to_json());
    CHECK(back.to_json() == t.to_json());
    CHECK(back.place(1).latitude == t.place(1).latitude);
    CHECK(back.cells() == cells);
    CHECK(back.geo_rows(40.1, -73.9) == t.geo_rows(40.1, -73.9));
    CHECK(back.category_token("food") == 1);
  }
}

TEST_CASE("a damaged vocabulary is refused") {
  const auto refused = [](const std::string& text) {
    CAPTURE(text);
    CHECK(scratch::error_of([&] { PlaceTokenizer::parse(text); }).rfind("FormatError: ", 0) == 0);
  };
  const std::string good = R"({"geo": "grid", "geo_rows": 4, "places": [["a", "c", 1.0, 2.0]]})";
  CHECK_NOTHROW(PlaceTokenizer::parse(good));
  for (std::size_t n = 0; n < good.size(); ++n) refused(good.substr(0, n));
  refused(R"({"geo": "hexagon", "geo_rows": 4, "places": []})");
  refused(R"({"geo": 1, "geo_rows": 4, "places": []})");
  for (const char* rows : {"0", "-1", "4294967300", "\"4\"", "null"}) refused(R"({"geo": "grid", "places": [], "geo_rows": )" + std::string(rows) + "}");
  for (const char* place : {"3", "[]", R"(["a", "c", 1.0])", R"([1, "c", 1.0, 2.0])", R"(["a", null, 1.0, 2.0])", R"(["a", "c", "1", 2.0])",
                            R"(["a", "c", 91, 2.0])", R"(["a", "c", 1, -181])", R"(["a", "c", 1, 1e400])", R"(["a", "c", 1, 2], ["a", "d", 1, 2])"})
    refused(R"({"geo": "grid", "geo_rows": 4, "places": [)" + std::string(place) + "]}");
  refused("[]");
  refused("null");
  refused(std::string(100000, '['));
}

TEST_CASE("a vocabulary needs rows and distinct places") {
  CHECK_THROWS_AS(PlaceTokenizer({}, GeoCells::grid, 0), ConfigError);
  CHECK_THROWS_AS(PlaceTokenizer({{"a", "", 0, 0}, {"a", "", 1, 1}}, GeoCells::grid, 4), DataError);
}

TEST_CASE("rows of the position tables lie inside them") {
  for (const std::int32_t rows : {1, 2, 16, 1000}) {
    const PlaceTokenizer t({{"a", "", 0, 0}}, GeoCells::geohash, rows);
    for (const double latitude : {-90.0, -0.1, 0.0, 51.3, 90.0})
      for (const double longitude : {-180.0, 0.0, 13.37, 180.0})
        for (const std::int32_t row : t.geo_rows(latitude, longitude)) CHECK((row >= 0 && row < rows));
  }
}
