#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>

#include "content.hpp"
#include "page_check.hpp"
#include "report/curves.hpp"
#include "report/map_view.hpp"
#include "report/parts.hpp"
#include "report/text.hpp"

using namespace chronotope;
using namespace chronotope::report;
using page_check::has;

TEST_CASE("report text: escaping and broken UTF-8") {
  CHECK(escape("<a href=\"x\">'&") == "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
  CHECK(clean("麺屋 é 🍜") == "麺屋 é 🍜");
  CHECK(clean("a\xff") == "a\xEF\xBF\xBD");
  CHECK(clean("\xe9\xba") == "\xEF\xBF\xBD\xEF\xBF\xBD");              // cut short
  CHECK(clean("\xc1\x81") == "\xEF\xBF\xBD\xEF\xBF\xBD");              // overlong
  CHECK(clean("\xf4\x90\x80\x80").find("\xf4") == std::string::npos);  // above U+10FFFF
  CHECK(clean(std::string("\0\t\n\r", 4)) == "\xEF\xBF\xBD\t\n\xEF\xBF\xBD");
}

TEST_CASE("report text: shortening counts characters") {
  CHECK(shorten("麺屋麺屋", 4) == "麺屋麺屋");
  CHECK(shorten("麺屋麺屋麺", 4) == "麺屋麺…");
  CHECK(shorten("ab", 1) == "…");
  CHECK(shorten("", 3) == "");
}

TEST_CASE("report text: numbers") {
  CHECK(fixed(-0.0001, 2) == "0.00");
  CHECK(fixed(std::nan(""), 2) == "–");
  CHECK(fixed(1e300, 2) == "1e300");
  CHECK(with_sign(-0.5, 1) == "−0.5");
  CHECK(with_sign(0.5, 1) == "+0.5");
  CHECK(with_sign(-0.01, 1) == "0.0");
  CHECK(scientific(5e-5) == "5e-5");
  CHECK(scientific(-1.25e7) == "-1.25e7");
  CHECK(whole(1234567) == "1,234,567");
  CHECK(whole(-123) == "-123");
  CHECK(whole(-1234) == "-1,234");
  CHECK(seconds_text(200) == "3 min 20 s");
  CHECK(seconds_text(7500) == "2 h 05 min");
  CHECK(kilometres(0.35) == "350 m");
  CHECK(kilometres(4.24) == "4.2 km");
  CHECK(kilometres(10873.4) == "10,873 km");
}

TEST_CASE("report axes: round ticks inside the range") {
  CHECK(ticks_of({0, 1}, 5).at.size() == 6);
  CHECK(ticks_of({0, 1}, 5).label(0.2) == "0.2");
  CHECK(ticks_of({1, 3}, 8, 1).at == std::vector<double>{1, 2, 3});
  CHECK(ticks_of({0, 6000}, 5).label(4000) == "4,000");
  CHECK(ticks_of({2, 2}, 5).at.size() >= 2);
  for (const Range r : {Range{-1e15, 1e15}, Range{1e15, 1e15}, Range{0, 1e-300}, Range{3, 3 + 1e-13}}) {
    const Ticks t = ticks_of(r, 5);
    CHECK(t.at.size() <= 12);
    for (const double v : t.at) CHECK(std::isfinite(v));
  }
}

TEST_CASE("report curves: smoothing keeps a straight line, thinning keeps the extremes") {
  Series line;
  for (int i = 0; i < 1000; ++i) line.push_back({1.0 * i, 2.0 * i});
  for (std::size_t i = 0; const Sample& s : smoothed(line)) CHECK(s.y == doctest::Approx(line[i++].y));
  line[500].y = 1e6;
  line[300].y = -1e6;
  const Series few = thinned(line, 50);
  CHECK(few.size() <= 102);
  CHECK(std::any_of(few.begin(), few.end(), [](const Sample& s) { return s.y == 1e6; }));
  CHECK(std::any_of(few.begin(), few.end(), [](const Sample& s) { return s.y == -1e6; }));
  CHECK(std::is_sorted(few.begin(), few.end(), [](const Sample& a, const Sample& b) { return a.x < b.x; }));
}

TEST_CASE("report map: distances in the drawing are distances on the ground") {
  const std::array<GeoPoint, 2> points{GeoPoint{60.0, 10.0}, GeoPoint{60.1, 10.3}};
  const MapView view(points, {}, 400, 400);
  const Point a = view.at(points[0]), b = view.at(points[1]);
  CHECK(b.x > a.x);
  CHECK(b.y < a.y);
  CHECK(std::hypot(b.x - a.x, b.y - a.y) / view.units_per_km() ==
        doctest::Approx(great_circle_km(points[0], points[1])).epsilon(0.005));
  CHECK(view.shows(points[0]));
  CHECK(view.shows(points[1]));
}

TEST_CASE("report map: the date line does not tear an island group apart") {
  const std::array<GeoPoint, 3> points{GeoPoint{-17, 179.5}, GeoPoint{-17, -179.5}, GeoPoint{-18, 178.4}};
  const MapView view(points, {}, 400, 400);
  CHECK(view.at(points[1]).x > view.at(points[0]).x);
  CHECK(view.at(points[1]).x - view.at(points[0]).x == doctest::Approx(view.units_per_km() * 106.3).epsilon(0.01));
  for (const GeoPoint& p : points) CHECK(view.shows(p));
}

TEST_CASE("report map: a far journey does not shrink the city") {
  std::vector<GeoPoint> past;
  for (int i = 0; i < 20; ++i) past.push_back({40.7 + 0.01 * i, -74, 10});
  past.push_back({35.7, 139.8, 1});
  const MapView view({}, past, 400, 400);
  CHECK(!view.shows(past.back()));
  CHECK(view.shows(past.front()));
  CHECK(view.units_per_km() > 5);
  UserMap map;
  for (const GeoPoint& p : past) map.history.push_back({p.latitude, p.longitude, "x", "", 10});
  CHECK(has(map_drawing(map), "1 place of the past outside this map"));
}

TEST_CASE("report map: identical points, poles, the whole earth") {
  const std::array<GeoPoint, 3> same{GeoPoint{5, 5}, GeoPoint{5, 5}, GeoPoint{5, 5}};
  const MapView close(same, {}, 400, 300);
  CHECK(close.at(same[0]).x == doctest::Approx(200));
  CHECK(close.at(same[0]).y == doctest::Approx(150));
  const std::array<GeoPoint, 4> all{GeoPoint{90, 0}, GeoPoint{-90, 120}, GeoPoint{0, -120}, GeoPoint{0, 179}};
  const MapView earth(all, {}, 400, 300);
  for (const GeoPoint& p : all) CHECK(earth.shows(p));
  CHECK(earth.latitudes().high <= 90);
}

TEST_CASE("report map: markers in one place move apart and stay inside") {
  const std::vector<Point> wanted(12, {4, 4});
  const std::array<Point, 1> last{Point{4, 4}};
  const auto placed = spread(wanted, last, 10, 400, 400);
  CHECK(placed.size() == 12);
  for (std::size_t i = 0; i < placed.size(); ++i) {
    CHECK(placed[i].x >= 13);
    CHECK(placed[i].y >= 13);
    for (std::size_t j = 0; j < i; ++j) CHECK(std::hypot(placed[i].x - placed[j].x, placed[i].y - placed[j].y) > 15);
  }
}

TEST_CASE("report map: a true place among the recommendations is ringed, another is drawn by itself") {
  UserMap map = content::map();
  CHECK(!has(map_drawing(map), "true-dot"));
  CHECK(has(map_drawing(map), "class=\"truth\""));
  map.truth->place = "elsewhere";
  map.truth->rank = 812;
  CHECK(has(map_drawing(map), "true-dot"));
  ReportContent c;
  c.map = map;
  CHECK(has(map_part(c), "is not among these; the model has it at rank 812"));
}
