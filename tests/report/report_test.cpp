// The report page: hostile text, missing parts, numbers that do not exist, and balanced tags.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "chronotope/report/report.hpp"

using namespace chronotope;

namespace {

constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

ReportContent full_content() {
  ReportContent c;
  c.title = "Spacetime-GR on a generated city";
  for (std::int64_t i = 1; i <= 50; ++i) c.steps.push_back({i, 5.0 - 0.05 * static_cast<double>(i), 1e-3});
  for (std::int64_t e = 1; e <= 3; ++e) c.epochs.push_back({e, 4.0, 0.1 * static_cast<double>(e), 0.5, 0.2, 0.3, e == 3, 1.0});
  UserMap map;
  map.user = "u1";
  map.history = {{52.09, 5.12, "Cafe", "2024-01-01 10:00", 3}, {52.10, 5.13, "Office", "2024-01-02 09:00", 9}};
  map.recommendations = {{1, "cafe-1", "Cafe", 52.09, 5.12, 0.4, 1.5, 3, "10:00"}};
  map.last = KnownPlace{"office-1", "Office", 52.10, 5.13, "2024-01-02 09:00", {}};
  map.truth = KnownPlace{"cafe-1", "Cafe", 52.09, 5.12, "", 1};
  c.map = map;
  c.facts = {{"Data", "a generated city"}, {"Seed", "1"}};
  c.config_json = "{\"seed\": 1}";
  return c;
}

/// Every opened element is closed in order; returns what is wrong, or nothing.
std::string unbalanced(const std::string& html) {
  const std::set<std::string> empty{"meta", "br", "hr", "link", "img", "col", "input"};
  std::vector<std::string> open;
  for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const std::size_t end = html.find('>', at);
    if (end == std::string::npos) return "a tag without end";
    if (html[at + 1] == '!') continue;
    const bool closing = html[at + 1] == '/';
    const std::size_t first = at + 1 + closing, last = html.find_first_of(" \t\n/>", first);
    const std::string name = html.substr(first, last - first);
    if (closing) {
      if (open.empty() || open.back() != name) return "</" + name + "> closes nothing";
      open.pop_back();
    } else if (html[end - 1] != '/' && !empty.count(name)) {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> stays open";
}

/// Numbers in attributes and paths are what a browser chokes on.
bool has_no_number(const std::string& html) {
  return html.find("nan") != std::string::npos || html.find("\"inf") != std::string::npos || html.find("-inf") != std::string::npos;
}

}  // namespace

TEST_CASE("a full page has its parts, balanced tags and nothing from elsewhere") {
  const std::string html = render_report(full_content());
  CHECK(unbalanced(html) == "");
  for (const char* part : {"<svg", "Spacetime-GR on a generated city", "cafe-1", "generated"}) {
    CAPTURE(part);
    CHECK(html.find(part) != std::string::npos);
  }
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find("src=\"http") == std::string::npos);
  CHECK(html == render_report(full_content()));
}

TEST_CASE("the balance check can fail") {
  CHECK(unbalanced("<p><b>x</p></b>") != "");
  CHECK(unbalanced("<p>x") != "");
}

TEST_CASE("text is escaped wherever it comes from") {
  const std::string evil = "<script>alert(\"1\")</script>&'\xff";
  ReportContent c = full_content();
  c.title = c.config_json = evil;
  c.facts = {{evil, evil}};
  c.map->user = evil;
  c.map->history[0].name = evil;
  c.map->recommendations[0].place = c.map->recommendations[0].category = evil;
  const std::string html = render_report(c);
  CHECK(html.find("<script") == std::string::npos);
  CHECK(html.find('\xff') == std::string::npos);
  CHECK(unbalanced(html) == "");
}

TEST_CASE("empty parts are left out") {
  CHECK(unbalanced(render_report({})) == "");
  ReportContent one;
  one.steps = {{1, 2.0, 0.1}};
  one.epochs = {EpochPoint{1, 2.0, {}, {}, {}, {}, true, 0.0}};
  CHECK(unbalanced(render_report(one)) == "");
}

TEST_CASE("numbers that do not exist never reach the page's drawings") {
  ReportContent c = full_content();
  c.steps[3].loss = no_number;
  c.steps[4].loss = std::numeric_limits<double>::infinity();
  c.epochs[1].accuracy_1 = no_number;
  c.map->history[0].latitude = no_number;
  c.map->recommendations[0].probability = no_number;
  CHECK_FALSE(has_no_number(render_report(c)));
}

TEST_CASE("points that coincide, lie on the date line or far apart give a map") {
  for (const auto& [a, b] : {std::pair{5.12, 5.12}, std::pair{179.99, -179.99}, std::pair{-120.0, 140.0}}) {
    CAPTURE(a);
    ReportContent c = full_content();
    c.map->history[0].longitude = c.map->recommendations[0].longitude = a;
    c.map->history[1].longitude = c.map->last->longitude = b;
    const std::string html = render_report(c);
    CHECK(unbalanced(html) == "");
    CHECK_FALSE(has_no_number(html));
  }
}
