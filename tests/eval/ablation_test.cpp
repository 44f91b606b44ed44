#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <cmath>

#include "chronotope/core/error.hpp"
#include "chronotope/eval/ablation.hpp"

using namespace chronotope;

namespace {

constexpr BootstrapOptions few{.resamples = 50};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// As in click_results_test: "full" orders 5.5 of 6 pairs rightly, "N1" 3.5.
ScoredAblation four_rows() {
  ScoredAblation s;
  s.task = "ctr";
  s.labels = {1, 0, 0, 1, 0};
  s.users = {1, 1, 2, 2, 3};
  s.reference = "full";
  s.rows = {{"N1", "N1 to N4", {0, 1, 0, 1, 0}},
            {"power", "curve", {2, 1, 0, 1, 0}},
            {"full", "STIM", {2, 1, 0, 1, 0}},
            {"N2", "N1 to N4", {}, "killed by signal 9"}};
  return s;
}

}  // namespace

TEST_CASE("ablation: by hand, the reference first, groups together") {
  ScoredAblation s = four_rows();
  s.rows.push_back({"STIM again", "STIM", {4, 2, 0, 2, 0}});
  const AblationTable t = make_ablation(s, few);
  REQUIRE(t.results.size() == 5);
  for (std::size_t i = 0; const char* name : {"full", "STIM again", "N1", "N2", "power"}) CHECK(t.results[i++].name == name);
  CHECK(t.rows == 5);
  CHECK(t.clicks == 2);
  CHECK(t.users == 2);
  CHECK(t.users_left_out == 1);
  CHECK(t.results[0].auc.value == doctest::Approx(5.5 / 6));
  CHECK(!t.results[0].difference);
  CHECK(t.results[2].difference->auc.value == doctest::Approx(-2. / 6));
  CHECK(t.results[2].difference->gauc.value == -.5);
  CHECK(t.results[4].difference->auc.value == 0);
}

TEST_CASE("ablation: a failed row does not lose the others") {
  ScoredAblation s = four_rows();
  s.rows.push_back({"short", "x", {1, 2}});
  s.rows.push_back({"nan", "x", {0, 1, std::nanf(""), 1, 0}});
  const AblationTable t = make_ablation(s, few);
  REQUIRE(t.results.size() == 6);
  CHECK(t.results[2].error == "killed by signal 9");
  CHECK(std::isnan(t.results[2].auc.value));
  CHECK(has(t.results[4].error, "2"));
  CHECK(has(t.results[5].error, "row 2 is NaN"));
  CHECK(t.results[1].difference->auc.value == doctest::Approx(-2. / 6));
  const std::string text = format_ablation(t);
  CHECK(has(text, "N2 failed: killed by signal 9\n"));
  CHECK(has(text, "nan failed: auc_delong: the score of row 2 is NaN\n"));
  CHECK(has(text, "Of 2 intervals of 95 %, about 0.1 would leave out 0 by chance alone"));
}

TEST_CASE("ablation: without its reference there are figures, but no differences") {
  ScoredAblation s = four_rows();
  s.rows[2].error = "out of memory";
  const AblationTable t = make_ablation(s, few);
  CHECK(t.results[0].name == "full");
  CHECK(t.results[1].auc.value == doctest::Approx(3.5 / 6));
  for (const AblationResult& r : t.results) CHECK(!r.difference);
  CHECK(has(format_ablation(t), "full failed: out of memory\nIt is the reference: there are no differences.\n"));
}

TEST_CASE("ablation: text and JSON") {
  ScoredAblation s = four_rows();
  CHECK(!has(format_ablation(make_ablation(s, few)), "ynthetic"));
  s.semi_synthetic = true;
  const AblationTable t = make_ablation(s, few);
  const std::string text = format_ablation(t);
  CHECK(has(text, "ctr, test, semi-synthetic: 5 rows, 2 positive; GAUC over 2 users, 1 of one class left out\n"));
  CHECK(has(text, "AUC minus full"));
  CHECK(has(text, "reference\n"));
  const auto json = nlohmann::json::parse(ablation_json(t));
  CHECK(json.at("task") == "ctr");
  CHECK(json.at("semi_synthetic") == true);
  CHECK(json.at("reference") == "full");
  CHECK(json.at("results").size() == 4);
  CHECK(json.at("results")[0].at("minus_reference").is_null());
  CHECK(json.at("results")[0].at("error").is_null());
  CHECK(json.at("results")[1].at("name") == "N1");
  CHECK(json.at("results")[1].at("group") == "N1 to N4");
  CHECK(json.at("results")[1].at("minus_reference").at("gauc").at("value") == -.5);
  CHECK(json.at("results")[2].at("error") == "killed by signal 9");
  CHECK(json.at("results")[2].at("auc").at("value").is_null());
}

TEST_CASE("ablation: one class only, and what contradicts itself") {
  ScoredAblation s = four_rows();
  s.labels.assign(5, 1);
  const AblationTable t = make_ablation(s, few);
  CHECK(std::isnan(t.results[0].auc.value));
  CHECK(t.results[0].error.empty());
  CHECK(has(format_ablation(t), "5 rows, 5 positive"));
  const auto refused = [](auto spoil) {
    ScoredAblation a = four_rows();
    spoil(a);
    CHECK_THROWS_AS(make_ablation(a, few), DataError);
  };
  refused([](auto& a) { a.reference = "nobody"; });
  refused([](auto& a) { a.rows.clear(); });
  refused([](auto& a) { a.rows[0].name = "full"; });
  refused([](auto& a) { a.users.pop_back(); });
  refused([](auto& a) { a.labels[1] = 2; });
  CHECK_THROWS_AS(make_ablation(four_rows(), {.resamples = 0}), ConfigError);
}
