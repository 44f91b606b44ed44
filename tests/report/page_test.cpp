#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>

#include "chronotope/core/error.hpp"
#include "chronotope/report/report.hpp"
#include "content.hpp"
#include "page_check.hpp"

using namespace chronotope;
using namespace page_check;

namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr double inf_value = std::numeric_limits<double>::infinity();
constexpr double huge = std::numeric_limits<double>::max();

std::string checked(const ReportContent& content) {
  const std::string page = render_report(content);
  CHECK(markup_problem(page) == "");
  CHECK(odd_number(page) == "");
  CHECK(has(page, "</html>"));
  return page;
}

}  // namespace

TEST_CASE("report: the checker of these tests finds what it is for") {
  CHECK(markup_problem("<!DOCTYPE html><p>a</p>") == "");
  CHECK(markup_problem("<p>a</p>") != "");
  CHECK(markup_problem("<!DOCTYPE html><p>a") != "");
  CHECK(markup_problem("<!DOCTYPE html><p><b>a</p></b>") != "");
  CHECK(markup_problem("<!DOCTYPE html><p>a & b</p>") != "");
  CHECK(markup_problem("<!DOCTYPE html><p x=1>a</p>") != "");
  CHECK(markup_problem("<!DOCTYPE html><p x=\"<\">a</p>") != "");
  CHECK(odd_number("</style><p x=\"-nan\">") == "nan");
  CHECK(odd_number("</style><p x=\"inf\">") == "inf");
  CHECK(odd_number("</style>information, financial") == "");
}

TEST_CASE("report: all parts are there, and nothing comes from elsewhere") {
  const std::string page = checked(content::full());
  for (const char* part :
       {"Accuracy on the same targets", "Learning", "Where next?", "Facts", "Config", "best: epoch 4", "true place",
        "last position", "12 earlier visits", "new to the user", " km</text>"}) {
    CAPTURE(part);
    CHECK(has(page, part));
  }
  CHECK(count(page, "<svg viewBox=\"0 0 480 ") == 6);  // two bars, loss, rate, validation, map
  for (const char* foreign : {"http:", "https:", "<script", "src=", "@import", "url(h", "<link", "onload"}) {
    CAPTURE(foreign);
    CHECK(!has(page, foreign));
  }
}

TEST_CASE("report: the same content gives the same page") {
  CHECK(render_report(content::full()) == render_report(content::full()));
}

TEST_CASE("report: every part may be absent") {
  ReportContent empty;
  CHECK(!has(checked(empty), "<section>"));
  for (int kept = 0; kept < 6; ++kept) {
    CAPTURE(kept);
    const ReportContent all = content::full();
    ReportContent one;
    if (kept == 0) one.steps = all.steps;
    if (kept == 1) one.epochs = all.epochs;
    if (kept == 2) one.evaluation = all.evaluation;
    if (kept == 3) one.map = all.map;
    if (kept == 4) one.facts = all.facts;
    if (kept == 5) one.config_json = all.config_json;
    const std::string page = checked(one);
    CHECK(count(page, "<section>") == (kept == 5 ? 0 : 1));
    CHECK(has(page, "class=\"verdict") == (kept == 2));
  }
}

TEST_CASE("report: parts of parts may be absent") {
  ReportContent c = content::full();
  c.map->last.reset();
  c.map->truth.reset();
  c.map->history.clear();
  c.steps.clear();
  for (EpochPoint& e : c.epochs) e.accuracy_1 = e.accuracy_10 = e.mrr = e.score = std::nullopt;
  const std::string page = checked(c);
  CHECK(!has(page, "true place"));
  CHECK(!has(page, "last position"));
  CHECK(!has(page, "Validation"));
  CHECK(has(page, "Training loss for each epoch"));
  c.map->recommendations.clear();
  CHECK(!has(checked(c), "Where next?"));
}

TEST_CASE("report: the verdict says what the interval says") {
  ReportContent c;
  const auto says = [&](double model, double low, double high) {
    c.evaluation = content::evaluation(model, low, high);
    return checked(c);
  };
  CHECK(has(says(0.30, 0.02, 0.08), "the-model beats the best counter that sees the same inputs</strong>"));
  CHECK(has(says(0.26, -0.01, 0.03), "but no further than chance may explain"));
  CHECK(has(says(0.25, -0.01, 0.01), "does not beat the best counter that sees the same inputs: they are level"));
  CHECK(has(says(0.24, -0.03, 0.01), "it is behind, within what chance may explain"));
  CHECK(has(says(0.20, -0.08, -0.02), "does not beat the best counter that sees the same inputs: it is worse"));
  CHECK(has(says(0.30, 0.02, 0.08), "Of 100 first guesses, 30.0 are right; of mixture_with_time’s, 25.0."));
  CHECK(has(says(0.30, 0.02, 0.08), "interval +0.0200 to +0.0800"));
  CHECK(has(says(0.20, -0.08, -0.02), "interval −0.0800 to −0.0200"));
  CHECK(has(says(nan_value, nan_value, nan_value), "cannot be compared"));
}

TEST_CASE("report: models with and without the time are both judged; counters alone too") {
  ReportContent c;
  c.evaluation = content::evaluation(0.30, 0.02, 0.08);
  c.evaluation->without_time = ComparedModel{content::result(0.02), {"popularity", 0.02, 0.03, {-0.01, -0.02, -0.001}}};
  const std::string page = checked(c);
  CHECK(has(page, "the-model, told the target’s time, beats"));
  CHECK(has(page, "the-model, not told the target’s time, does not beat"));
  c.evaluation->with_time.reset();
  c.evaluation->without_time.reset();
  CHECK(has(checked(c), "No model was evaluated.</strong> The best counter is mixture_with_time: acc@1 0.2500"));
}

TEST_CASE("report: generated data are called so") {
  ReportContent c = content::full();
  CHECK(!has(checked(c), "generated"));
  c.facts.emplace_back("data", "Generated city, 200 users");
  CHECK(has(checked(c), "On generated data, the-model beats"));
  CHECK(has(checked(c), "say nothing about people"));
  c.facts.back().second = "autogenerateds";
  CHECK(!has(checked(c), "On generated data"));
}

TEST_CASE("report: contenders stand in descending order and carry their whiskers") {
  ReportContent c;
  c.evaluation = content::evaluation(0.30, 0.02, 0.08);
  const std::string page = checked(c);
  CHECK(page.find(">the-model</text>") < page.find(">mixture_with_time</text>"));
  CHECK(page.find(">mixture_with_time</text>") < page.find(">popularity</text>"));
  CHECK(count(page, "class=\"whisker\"") == 2 * 3 * 3);  // drawings x bars x strokes
  CHECK(has(page, "class=\"bar model timed\""));
  CHECK(has(page, "class=\"bar counter timed\""));
  CHECK(has(page, "class=\"bar counter untimed\""));
}

TEST_CASE("report: hostile text stays text") {
  const std::string bad = "</title></style>\"'><script>alert(1)</script>&\xff\xc0\xaf\xed\xa0\x80\x01\xe2\x80\xae]]>";
  ReportContent c = content::full();
  c.title = c.config_json = c.map->user = c.map->asked_time = bad;
  c.facts = {{bad, bad}};
  c.evaluation->model = bad;
  c.evaluation->with_time->comparison.against = bad;
  for (CounterResult& counter : c.evaluation->counters) counter.predictor.name = bad;
  for (VisitedPlace& v : c.map->history) v.name = v.local_time = bad;
  for (RecommendedPlace& r : c.map->recommendations) r.place = r.category = r.usual_hour = bad;
  c.map->last = KnownPlace{bad, bad, 40.7, -74, bad, {}};
  c.map->truth = KnownPlace{bad + "x", bad, 40.7, -74, bad, 9};
  const std::string page = checked(c);
  CHECK(!has(page, "<script"));
  CHECK(has(page, "&lt;script&gt;alert(1)&lt;/script&gt;&amp;\xEF\xBF\xBD"));
  for (const char* raw : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\x01", "\xe2\x80\xae"}) CHECK(!has(page, raw));
}

TEST_CASE("report: long texts are cut in drawings and lists") {
  ReportContent c = content::full();
  c.evaluation->model.assign(100000, 'm');
  c.title.assign(100000, 't');
  c.map->recommendations[0].category.assign(100000, 'c');
  CHECK(checked(c).size() < 100000);
}

TEST_CASE("report: numbers that are none, or far too large, are never drawn") {
  for (const double odd : {nan_value, inf_value, -inf_value, huge, -huge, 1e-320, 0.0}) {
    CAPTURE(odd);
    ReportContent c = content::full();
    c.steps[3].loss = c.steps[7].rate = odd;
    c.steps.push_back({std::numeric_limits<std::int64_t>::max(), odd, odd});
    c.epochs[1] = {2, odd, odd, odd, odd, odd, true, odd};
    c.evaluation = content::evaluation(odd, odd, odd);
    c.evaluation->counters[0].result = c.evaluation->counters[0].shared = content::result(odd);
    c.evaluation->counters[1].shared.all.accuracy[0].standard_error = odd;
    c.map->history.push_back({odd, odd, "x", "", 1});
    c.map->recommendations[1] = {2, "p2", "x", odd, odd, odd, odd, std::numeric_limits<std::size_t>::max(), ""};
    c.map->last->latitude = c.map->truth->longitude = odd;
    c.map->history[0].visits = std::numeric_limits<std::size_t>::max();
    checked(c);
    for (CurvePoint& p : c.steps) p.loss = p.rate = odd;
    for (EpochPoint& e : c.epochs) e = {e.epoch, odd, odd, odd, odd, odd, false, odd};
    checked(c);
  }
}

TEST_CASE("report: one step, one epoch, one place") {
  ReportContent c;
  c.steps = {{0, 0, 0}};
  c.epochs = {{0, 0, 0.0, {}, {}, {}, true, 0}};
  c.map.emplace();
  c.map->history = {{0, 0, "", "", 0}};
  const std::string page = checked(c);
  CHECK(has(page, "best: epoch 0"));
  CHECK(has(page, "class=\"visited\""));
  c.epochs.push_back(c.epochs[0]);  // twice the same epoch
  c.steps.assign(50, {7, 2.5, 1e-3});
  checked(c);
}

TEST_CASE("report: a million steps do not make a large page") {
  ReportContent c;
  for (std::int64_t i = 0; i < 1'000'000; ++i)
    c.steps.push_back({i, 5.0 + static_cast<double>(i * 7919 % 1000) / 500.0, 1e-4});
  CHECK(checked(c).size() < 60000);
}

TEST_CASE("report: random content is always a proper page") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&](unsigned n) { return static_cast<unsigned>(random()) % n; };
  const auto text = [&] {
    std::string t;
    for (unsigned n = below(30); n > 0; --n) t += static_cast<char>(below(256));
    return t + "#";
  };
  const auto number = [&] { return (below(2001) / 1000.0 - 1) * std::pow(10.0, static_cast<int>(below(12)) - 6); };
  for (int round = 0; round < 60; ++round) {
    ReportContent c;
    c.title = text();
    for (unsigned n = below(60); n > 0; --n) c.steps.push_back({static_cast<int>(below(1000)), number(), number()});
    for (unsigned n = below(8); n > 0; --n)
      c.epochs.push_back({static_cast<int>(below(10)), number(), number(), {}, {}, number(), below(2) == 0, number()});
    c.map.emplace();
    for (unsigned n = below(30); n > 0; --n)
      c.map->history.push_back({below(181) - 90.0, below(721) - 360.0, text(), text(), below(50)});
    for (unsigned n = below(30); n > 0; --n)
      c.map->recommendations.push_back(
          {n, text(), text(), below(181) - 90.0, below(721) - 360.0, number(), number(), 1, text()});
    c.facts = {{text(), text()}};
    const std::string page = render_report(c);
    REQUIRE(markup_problem(page) == "");
  }
}

TEST_CASE("report: written whole, or an error that names the file") {
  const auto path =
      std::filesystem::temp_directory_path() / ("chronotope_report_" + std::to_string(std::random_device{}()));
  write_report(path.string(), content::full());
  std::ifstream file(path, std::ios::binary);
  const std::string found{std::istreambuf_iterator<char>(file), {}};
  std::filesystem::remove(path);
  CHECK(found == render_report(content::full()));
  CHECK_THROWS_AS(write_report((path / "no" / "such" / "folder.html").string(), content::full()), FileError);
}
