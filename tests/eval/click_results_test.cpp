#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <cmath>
#include <random>
#include <sstream>

#include "chronotope/core/error.hpp"
#include "chronotope/eval/click_intervals.hpp"
#include "chronotope/eval/click_results.hpp"
#include "eval/click_fixture.hpp"

using namespace chronotope;

namespace {

constexpr BootstrapOptions few{.resamples = 50};
using Json = nlohmann::json;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Positives are rows 0 and 3. "a" orders 5.5 of 6 pairs rightly, "b" 3.5.
ScoredClicks five_rows() {
  ScoredClicks s;
  s.users = {1, 1, 2, 2, 3};
  s.behaviours = {9, 10, 12, 12, 0};  // the limit of cold start lies between the first two
  s.tasks = {{"ctr", {1, 0, 0, 1, 0}, {{"a", {2, 1, 0, 1, 0}}, {"b", {0, 1, 0, 1, 0}}}}};
  return s;
}

// Users of six rows, two of them positive; the reference is right in all users but every `wrong`-th.
ScoredClicks many_users(std::uint32_t wrong_of_reference, std::uint32_t wrong_of_other, PredictorKind other) {
  ScoredClicks s;
  s.tasks = {{"ctr", {}, {{"net", {}}, {"rival", {}, false, other}}}};
  for (std::uint32_t u = 0; u < 60; ++u)
    for (int i = 0; i < 6; ++i) {
      s.users.push_back(u), s.behaviours.push_back(20);
      const bool click = i < 2;
      s.tasks[0].labels.push_back(click);
      const auto score = [&](std::uint32_t wrong) { return (u % wrong == 0) != click ? 1.f : -1.f; };
      s.tasks[0].predictors[0].scores.push_back(score(wrong_of_reference));
      s.tasks[0].predictors[1].scores.push_back(score(wrong_of_other));
    }
  return s;
}

std::string words(const ScoredClicks& s) { return format_click_report(make_click_report(s, few)); }

}  // namespace

TEST_CASE("click report: by hand, with cold start apart") {
  const ClickReport r = make_click_report(five_rows(), few);
  REQUIRE(r.tasks.size() == 1);
  REQUIRE(r.tasks[0].subsets.size() == 3);
  const ClickSubset &all = r.tasks[0].subsets[0], &cold = r.tasks[0].subsets[1], &others = r.tasks[0].subsets[2];
  CHECK(all.rows == 5);
  CHECK(all.clicks == 2);
  CHECK(all.users == 2);
  CHECK(all.users_left_out == 1);
  CHECK(all.predictors[0].auc.value == doctest::Approx(5.5 / 6));
  CHECK(all.predictors[1].auc.value == doctest::Approx(3.5 / 6));
  CHECK(all.predictors[0].gauc.value == 1);
  CHECK(all.predictors[1].gauc.value == .5);
  CHECK(!all.predictors[0].difference);
  REQUIRE(all.predictors[1].difference);
  CHECK(all.predictors[1].difference->auc.value == doctest::Approx(-2. / 6));
  CHECK(all.predictors[1].difference->gauc.value == -.5);
  CHECK(!all.predictors[0].gap);
  CHECK(cold.name == "cold start");
  CHECK(cold.rows == 2);
  CHECK(cold.predictors[0].auc.value == 1);
  CHECK(cold.predictors[1].auc.value == .5);
  CHECK(cold.users == 0);
  CHECK(std::isnan(cold.predictors[0].gauc.value));
  CHECK(others.rows == 3);
  CHECK(others.predictors[0].auc.value == .75);
  CHECK(others.predictors[0].gauc.value == 1);
}

TEST_CASE("click report: log loss and calibration of logits are those of their probabilities") {
  ScoredClicks s = five_rows();
  ClickScores p{"p", {}, true};
  for (const float z : s.tasks[0].predictors[0].scores) p.scores.push_back(1 / (1 + std::exp(-z)));
  s.tasks[0].predictors.push_back(p);
  const auto found = make_click_report(s, few).tasks[0].subsets[0].predictors;
  double loss = 0, predicted = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    loss -= std::log(s.tasks[0].labels[i] ? p.scores[i] : 1 - p.scores[i]) / 5;
    predicted += p.scores[i] / 5;
  }
  for (const std::size_t i : {0, 2}) {
    CHECK(found[i].log_loss.mean == doctest::Approx(loss).epsilon(1e-6));
    CHECK(found[i].calibration.ratio == doctest::Approx(predicted / .4).epsilon(1e-6));
  }
  CHECK(found[2].difference->auc.value == 0);
  CHECK(standing_of_reference(found[2].difference->auc) == Standing::level);
}

TEST_CASE("click report: intervals are those of the measures") {
  const unsigned seed = 77;
  CAPTURE(seed);
  std::mt19937 random(seed);
  const click_test::Rows r = click_test::random_rows(random, 300, 9, 8, false);
  ScoredClicks s;
  s.users = r.users;
  s.behaviours.assign(300, 20);
  s.tasks = {{"ctr", r.labels, {{"a", r.scores}, {"b", r.second}}}};
  const ClickSubset all = make_click_report(s, few).tasks[0].subsets[0];
  const ClickRows rows{r.scores, r.labels}, second{r.second, r.labels};
  CHECK(all.predictors[0].auc.low == auc_delong(rows, .95, r.users).low);
  CHECK(all.predictors[1].gauc.high == gauc_interval(user_aucs(second, r.users), few).high);
  CHECK(all.predictors[1].difference->auc.standard_error ==
        doctest::Approx(auc_difference_delong(rows, r.second, .95, r.users).standard_error));
  CHECK(all.predictors[1].difference->auc.value == doctest::Approx(-auc_difference_delong(rows, r.second).value));
}

TEST_CASE("click report: the gap to the best possible") {
  ScoredClicks s = five_rows();
  const std::vector<double> truth{.9, .2, .1, .8, .1};
  s.tasks[0].predictors.push_back(best_possible(truth));
  const ClickReport r = make_click_report(s, few);
  const auto& found = r.tasks[0].subsets[0].predictors;
  CHECK(found[2].name == "best possible");
  CHECK(found[2].auc.value == 1);
  CHECK(!found[2].gap);
  CHECK(found[0].gap->auc.value == doctest::Approx(.5 / 6));
  CHECK(found[1].gap->gauc.value == .5);
  const std::string text = format_click_report(r);
  CHECK(has(text, "AUC below best possible"));
  CHECK(!has(text, "NOT beat best possible"));
}

TEST_CASE("click report: says in words what the reference beats, and what it does not") {
  CHECK(has(words(many_users(30, 3, PredictorKind::model)), "net, AUC, rows: all\n  beats rival\n"));
  const std::string worse = words(many_users(3, 30, PredictorKind::counter));
  CHECK(has(worse, "  does NOT beat rival\n"));
  CHECK(has(worse, "It gives nothing here that counting does not give."));
  CHECK(has(worse, "rival (counter)"));
  CHECK(!has(words(many_users(3, 30, PredictorKind::model)), "counting"));
  const std::string level = words(many_users(5, 5, PredictorKind::model));
  CHECK(has(level, "  does NOT beat, being level with it, rival\n"));
  CHECK(has(words(many_users(59, 58, PredictorKind::model)), "does NOT beat"));  // 0 and 59 against 0 and 58
  const MeasuredInterval ahead{-.1, .1, -.3, .1, 0}, beats{-.1, .01, -.12, -.08, 0}, behind{.1, .1, -.1, .3, 0},
      beaten{.1, .01, .08, .12, 0}, unknown{std::nan(""), 0, 0, 0, 0}, unbounded{-.1, std::nan(""), std::nan(""), std::nan(""), 0};
  CHECK(standing_of_reference(ahead) == Standing::ahead);
  CHECK(standing_of_reference(beats) == Standing::beats);
  CHECK(standing_of_reference(behind) == Standing::behind);
  CHECK(standing_of_reference(beaten) == Standing::beaten);
  CHECK(standing_of_reference(unknown) == Standing::undefined);
  CHECK(standing_of_reference(unbounded) == Standing::ahead);
}

TEST_CASE("click report: semi-synthetic stands at every table and sentence") {
  ScoredClicks s = many_users(30, 3, PredictorKind::model);
  CHECK(!has(words(s), "ynthetic"));
  s.semi_synthetic = true;
  const std::string text = words(s);
  CHECK(has(text, "Semi-synthetic: what was shown to the users is invented."));
  CHECK(has(text, "ctr, test, semi-synthetic, rows: all"));
  CHECK(has(text, "net, GAUC, rows: others (semi-synthetic)"));
  CHECK(has(text, "ctr, rows: cold start: there are none"));
}

TEST_CASE("click report: the columns of the tables line up") {
  std::istringstream lines(words(five_rows()));
  std::string line, head;
  while (std::getline(lines, head) && head.rfind("predictor", 0) != 0) {}
  for (int i = 0; i < 2; ++i) {
    REQUIRE(std::getline(lines, line));
    CHECK(line.size() == head.size());
  }
}

TEST_CASE("click report: JSON schema") {
  ScoredClicks s = five_rows();
  s.semi_synthetic = true;
  s.tasks.push_back({"ctcvr", {1, 0, 0, 0, 0}, {{"a", {2, 1, 0, 1, 0}}}});
  s.tasks[0].predictors[1].kind = PredictorKind::counter;
  s.tasks[0].predictors.push_back({"sure", {0, 1, 0, 1, 0}, true});
  const Json json = Json::parse(click_report_json(make_click_report(s, few)));
  CHECK(json.at("split") == "test");
  CHECK(json.at("semi_synthetic") == true);
  CHECK(json.at("level") == .95);
  const Json& ctr = json.at("tasks").at("ctr");
  CHECK(ctr.at("reference") == "a");
  const Json& all = ctr.at("subsets").at("all");
  CHECK(all.at("rows") == 5);
  CHECK(all.at("users_left_out") == 1);
  const Json& b = all.at("predictors").at("b");
  CHECK(b.at("kind") == "counter");
  CHECK(b.at("gauc").at("value") == .5);
  CHECK(b.at("auc").at("interval").size() == 2);
  CHECK(b.at("minus_reference").at("gauc").at("value") == -.5);
  CHECK(b.at("minus_reference").at("auc").at("p").is_number());
  CHECK(b.at("below_best_possible").is_null());
  CHECK(b.at("log_loss").is_number());
  CHECK(b.at("calibration").at("bins").size() == 2);
  CHECK(all.at("predictors").at("a").at("minus_reference").is_null());
  CHECK(all.at("predictors").at("sure").at("log_loss").is_null());  // wrong and certain
  CHECK(all.at("predictors").at("sure").at("log_loss_impossible") == 2);
  CHECK(ctr.at("subsets").at("cold start").at("predictors").at("a").at("gauc").at("value").is_null());
  CHECK(json.at("tasks").at("ctcvr").at("subsets").at("others").at("predictors").at("a").at("auc").at("value").is_null());
}

TEST_CASE("click report: one class only loses no line") {
  ScoredClicks s = five_rows();
  s.tasks[0].labels.assign(5, 0);
  const std::string text = words(s);
  CHECK(has(text, "5 rows, 0 positive; GAUC over 0 users, 3 of one class left out"));
  CHECK(has(text, "cannot be compared, for want of figures, with b"));
}

TEST_CASE("click report: what contradicts itself is refused, with the names") {
  const auto refused = [](auto spoil) {
    ScoredClicks s = five_rows();
    spoil(s);
    CHECK_THROWS_AS(make_click_report(s, few), DataError);
  };
  refused([](auto& s) { s.tasks.clear(); });
  refused([](auto& s) { s.tasks[0].predictors.clear(); });
  refused([](auto& s) { s.tasks.push_back(s.tasks[0]); });
  refused([](auto& s) { s.behaviours.pop_back(); });
  refused([](auto& s) { s.users.pop_back(); });
  refused([](auto& s) { s.tasks[0].labels.push_back(0); });
  refused([](auto& s) { s.tasks[0].labels[2] = 2; });
  refused([](auto& s) { s.tasks[0].predictors[1].scores.pop_back(); });
  refused([](auto& s) { s.tasks[0].predictors[1].name = "a"; });
  refused([](auto& s) { s.tasks[0].predictors[0].probabilities = true; });  // 2 is none
  ScoredClicks s = five_rows();
  s.tasks[0].predictors[1].scores[4] = std::nanf("");
  CHECK_THROWS_WITH_AS(make_click_report(s, few), doctest::Contains("task \"ctr\", predictor \"b\": auc_delong: the score of row 4 is NaN"), DataError);
  CHECK_THROWS_AS(make_click_report(five_rows(), {.resamples = 0}), ConfigError);
  CHECK_THROWS_AS(make_click_report(five_rows(), {.level = 1}), ConfigError);
}
