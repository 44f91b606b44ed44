#include <doctest/doctest.h>

#include "checkin_fixture.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/eval/targets.hpp"

using namespace chronotope;
using fixture::TableBuilder;

TEST_CASE("targets: split, flag, history and revisits") {
  const CheckinTable table = TableBuilder({"a", "b", "c"})
                                 .user("u")
                                 .row(0, 0)
                                 .row(1, 10, 0, Split::train, true)
                                 .row(2, 20, 1, Split::validation)  // context: no target, no candidate
                                 .test(2, 30)
                                 .test(1, 40)
                                 .user("v")
                                 .test(1, 5)  // nothing before it; the place is known from another user only
                                 .row(0, 6)
                                 .validation(0, 7);
  const auto test = evaluation_targets(table, Split::test);
  REQUIRE(test.size() == 3);
  CHECK(test[0].row == 3);
  CHECK(test[0].revisit);  // visited in the validation part
  CHECK(test[1].revisit);
  CHECK(test[2].user == 1);
  CHECK(!test[2].revisit);
  CHECK(allowed_history(table, test[1]).size() == 4);
  CHECK(allowed_history(table, test[1]).data() == table.rows.data());
  CHECK(allowed_history(table, test[2]).empty());
  CHECK(evaluation_targets(table, Split::train).size() == 1);
  REQUIRE(evaluation_targets(table, Split::validation).size() == 1);
  CHECK(evaluation_targets(table, Split::validation)[0].revisit);
  CHECK(training_places(table) == std::vector<std::uint8_t>{1, 1, 0});
}

TEST_CASE("targets: tables that contradict themselves are refused") {
  CheckinTable table = TableBuilder({"a"}).user("u").row(0, 0).row(0, 1);
  CHECK_NOTHROW(evaluation_targets(table, Split::test));
  table.rows[1].place = 1;
  CHECK_THROWS_AS(evaluation_targets(table, Split::test), DataError);
  CHECK_THROWS_AS(training_places(table), DataError);
  table.rows[1].place = -1;
  CHECK_THROWS_AS(training_places(table), DataError);
  table.rows[1].place = 0;
  table.begin.back() = 7;
  CHECK_THROWS_AS(evaluation_targets(table, Split::test), DataError);
  table.begin = {};
  CHECK_THROWS_AS(evaluation_targets(table, Split::test), DataError);
}

TEST_CASE("targets: an empty table has none") {
  const CheckinTable table = TableBuilder({});
  CHECK(evaluation_targets(table, Split::test).empty());
  CHECK(training_places(table).empty());
}
