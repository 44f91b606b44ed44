// The cleansing report as table and JSON.
#include "chronotope/eval/cleansing_report.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace chronotope;

namespace {

CleansingReport example() {
  CleansingReport r;
  r.coarse = {10, 200};
  r.action_level = {8, 80};
  r.sequence_level = {5, 60};
  r.written = 120;
  r.places = 40;
  r.functional_by_category = 7, r.functional_by_ratio = 4, r.functional_by_both = 2;
  r.unseen_categories = {"Ofice"};
  r.rules.functional_categories = {"Home", "Ofice"};
  return r;
}

}  // namespace

TEST_CASE("cleansing report: the table has the form of the paper's") {
  CHECK(format_cleansing(example()) ==
        "filtering step    sequences   share  actions   share  filtered here\n"
        "coarse data              10  100.0%      200  100.0%              -\n"
        "+ action level            8   80.0%       80   40.0%          60.0%\n"
        "+ sequence level          5   50.0%       60   30.0%          25.0%\n"
        "9 of 40 places are functional: 7 by their category, 4 by searches a click, 2 of them by both.\n"
        "The users who stay have 120 actions, functional ones with them.\n"
        "No action has the category \"Ofice\": is it misspelt?\n");
}

TEST_CASE("cleansing report: JSON") {
  nlohmann::json json = nlohmann::json::parse(cleansing_json(example()));
  CHECK(json["steps"].size() == 3);
  CHECK(json["steps"][0]["filter_ratio"].is_null());
  CHECK(json["steps"][1]["filter_ratio"].get<double>() == doctest::Approx(.6));
  CHECK(json["steps"][2]["step"] == "+ sequence level");
  CHECK(json["steps"][2]["sequences"] == 5);
  CHECK(json["steps"][2]["sequence_share"].get<double>() == doctest::Approx(.5));
  CHECK(json["steps"][2]["action_share"].get<double>() == doctest::Approx(.3));
  CHECK(json["steps"][2]["filter_ratio"].get<double>() == doctest::Approx(.25));
  CHECK(json["written_actions"] == 120);
  CHECK(json["places"] ==
        nlohmann::json::parse(
            R"({"all": 40, "functional_by_category": 7, "functional_by_ratio": 4, "functional_by_both": 2})"));
  CHECK(json["rules"]["most_searched"].is_null());
  CHECK(json["rules"]["functional_categories"] == std::vector<std::string>{"Home", "Ofice"});
  CHECK(json["unseen_categories"] == std::vector<std::string>{"Ofice"});
  CleansingReport on = example();
  on.rules.most_searched = 2.5;
  CHECK(nlohmann::json::parse(cleansing_json(on))["rules"]["most_searched"] == 2.5);
}
