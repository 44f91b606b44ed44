#include <doctest/doctest.h>

#include <limits>

#include "chronotope/core/error.hpp"
#include "chronotope/report/report.hpp"
#include "click_content.hpp"
#include "page_check.hpp"
#include "report/parts.hpp"

using namespace chronotope;
using namespace chronotope::report;
using namespace page_check;

namespace {

std::string checked(const ReportContent& content) {
  const std::string page = render_report(content);
  CHECK(markup_problem(page) == "");
  CHECK(odd_number(page) == "");
  return page;
}

ReportContent with(const ClickReport& clicks) {
  ReportContent c;
  c.clicks = clicks;
  return c;
}

// Two rivals' differences to the reference, by value and bounds.
ClickReport two_rivals(MeasuredInterval model, MeasuredInterval counter) {
  ClickReport r;
  PredictorResult own{"net", PredictorKind::model, {.8, .01, .78, .82, 0}, {.7, .01, .68, .72, 0}, {}, {}, {}, {}};
  PredictorResult rival = own, counts = own;
  rival.name = "DIN", rival.difference = ClickDifference{model, model};
  counts.name = "item_rate", counts.kind = PredictorKind::counter, counts.difference = ClickDifference{counter, counter};
  r.tasks = {{"ctr", {{"all", 100, 20, 9, 1, {own, rival, counts}}}}};
  return r;
}

constexpr MeasuredInterval better{.1, .01, .08, .12, 0}, behind{-.1, .01, -.12, -.08, 0}, near{-.1, .2, -.5, .3, 0}, above{.1, .2, -.3, .5, 0};

}  // namespace

TEST_CASE("click report page: all parts are there, and nothing comes from elsewhere") {
  const std::string page = checked(click_content::full());
  for (const char* part :
       {"<h2>ctr (semi-synthetic)</h2>", "<h2>ctcvr (semi-synthetic)</h2>", "<h2>Ablations: ctr (semi-synthetic)</h2>", "<h2>Learning</h2>",
        "<h2>What is remembered</h2>", "AUC minus that of STIM", "Calibration", "Log loss, nats per sample", "Training loss, nats per sample",
        "Validation AUC", "best: epoch 4", "hour, group 11 to 16: 6 review points", "geohash: 0 review points", "Rows: cold start (semi-synthetic): ",
        "best possible AUC minus this", "failed: out of &lt;memory&gt;", "scope=\"colgroup\" colspan=\"5\" class=\"group\">N1 to N4",
        "On semi-synthetic data, STIM"}) {
    CAPTURE(part);
    CHECK(has(page, part));
  }
  for (const char* foreign : {"http:", "https:", "<script", "src=", "@import", "url(h", "<link", "onload"}) {
    CAPTURE(foreign);
    CHECK(!has(page, foreign));
  }
  CHECK(count(page, "block request\"") == 3);
  CHECK(count(page, "block padding\"") == 3 * 8);
  CHECK(count(page, "remembered review\"") == 6 + 14);
  CHECK(page == render_report(click_content::full()));
}

TEST_CASE("click report page: every part may be absent") {
  for (int kept = 0; kept < 4; ++kept) {
    CAPTURE(kept);
    const ReportContent all = click_content::full();
    ReportContent one;
    if (kept == 0) one.clicks = all.clicks;
    if (kept == 1) one.ablations = all.ablations;
    if (kept == 2) one.forgetting = all.forgetting;
    if (kept == 3) one.epochs = all.epochs;
    const std::string page = checked(one);
    CHECK(count(page, "<section>") == (kept == 0 ? 2 : 1));
    CHECK(has(page, "class=\"verdict") == (kept == 0));
  }
  ReportContent empty;
  empty.clicks.emplace();
  empty.ablations.emplace_back();
  empty.forgetting.emplace();
  CHECK(!has(checked(empty), "<section>"));
}

TEST_CASE("click report page: the verdict says what the intervals say") {
  const auto says = [](MeasuredInterval model, MeasuredInterval counter) { return checked(with(two_rivals(model, counter))); };
  CHECK(has(says(behind, behind), "verdict good\"><p class=\"sentence\"><strong>net beats every other predictor</strong> in AUC of ctr. Beats: DIN, item_rate."));
  CHECK(has(says(near, behind), "verdict open\"><p class=\"sentence\"><strong>net is ahead of every other predictor, but not of each further than chance may explain"));
  CHECK(has(says(near, behind), "Ahead, by no more than chance may explain, of: DIN. Beats: item_rate."));
  CHECK(has(says(above, behind), "verdict open\"><p class=\"sentence\"><strong>net does not win, within what chance may explain"));
  CHECK(has(says(better, behind), "verdict bad\"><p class=\"sentence\"><strong>net does not win: another predictor is better"));
  CHECK(has(says(behind, above), "verdict bad\"><p class=\"sentence\"><strong>net does not beat counting"));
  CHECK(has(says(behind, above), "Does not beat: item_rate. Beats: DIN."));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(has(says({nan, nan, nan, nan, 0}, {nan, nan, nan, nan, 0}), "cannot be compared"));
  CHECK(!has(says(behind, behind), "ynthetic"));
}

TEST_CASE("click report page: figures that do not exist are never drawn") {
  for (const double odd : {std::nan(""), std::numeric_limits<double>::infinity(), 1e308, -1e308, 0.}) {
    CAPTURE(odd);
    ReportContent c = click_content::full();
    const MeasuredInterval all{odd, odd, odd, odd, 0};
    for (ClickSubset& s : c.clicks->tasks[0].subsets)
      for (PredictorResult& p : s.predictors) {
        p.auc = p.gauc = all;
        if (p.difference) p.difference = ClickDifference{all, all};
        if (p.gap) p.gap = ClickDifference{all, all};
        p.log_loss.mean = p.calibration.ratio = p.calibration.expected_error = odd;
        for (CalibrationBin& b : p.calibration.bins) b.predicted = b.observed = odd;
      }
    c.ablations[0].results[1].difference = ClickDifference{all, all};
    c.forgetting->curves[0].mask[20] = c.forgetting->curves[1].mask[49] = odd;
    c.epochs[2].log_loss = c.epochs[2].auc = c.epochs[2].gauc = odd;
    checked(c);
  }
}

TEST_CASE("click report page: hostile text is text") {
  const std::string evil = "<script>alert(\"1\")</script>&'\xff";
  ReportContent c = click_content::full();
  c.clicks->tasks[0].name = c.clicks->tasks[0].subsets[1].name = evil;
  c.clicks->tasks[0].subsets[0].predictors[0].name = c.clicks->tasks[0].subsets[0].predictors[3].name = evil;
  c.ablations[0].task = c.ablations[0].reference = evil;
  c.ablations[0].results[0].name = c.ablations[0].results[1].group = c.ablations[0].results[4].error = evil;
  c.forgetting->request = c.forgetting->behaviours[12] = c.forgetting->curves[0].material = c.forgetting->curves[0].group = evil;
  const std::string page = checked(c);
  CHECK(!has(page, "<script"));
  CHECK(!has(page, "\xff"));
}

TEST_CASE("click report page: sizes that contradict each other are refused") {
  const auto refused = [](auto spoil) {
    ReportContent c = click_content::full();
    spoil(*c.forgetting);
    CHECK_THROWS_AS(render_report(c), DataError);
  };
  refused([](ForgettingFigure& f) { f.valid.pop_back(); });
  refused([](ForgettingFigure& f) { f.behaviours.pop_back(); });
  refused([](ForgettingFigure& f) { f.curves[1].mask.push_back(0); });
  refused([](ForgettingFigure& f) { f.curves[2].review.clear(); });
  ReportContent c = click_content::full();
  c.forgetting->behaviours.clear();
  CHECK(has(checked(c), "42 behaviours of 50"));
}

TEST_CASE("click report page: one behaviour, none but padding, thousands") {
  ReportContent c;
  c.forgetting = ForgettingFigure{"", {1}, {}, {{"hour", "", {1}, {1}}}};
  CHECK(has(checked(c), "1 back, mask 1.000, review point"));
  c.forgetting = ForgettingFigure{"", {0, 0}, {}, {{"hour", "", {0, 0}, {1, 1}}}};
  CHECK(has(checked(c), "0 behaviours of 2"));
  CHECK(!has(checked(c), "class=\"remembered"));
  c.forgetting = ForgettingFigure{"", std::vector<std::uint8_t>(5000, 1), {}, {{"hour", "", std::vector<double>(5000, -.5), std::vector<std::uint8_t>(5000)}}};
  const std::string page = checked(c);
  CHECK(has(page, "farther ones not drawn"));
  CHECK(page.size() < 100000);
}
