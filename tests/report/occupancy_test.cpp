// The page of a geographic index: sound markup, figures, blocks on the map.

#include <doctest/doctest.h>

#include "chronotope/data/geo_index_folder.hpp"
#include "data/scratch.hpp"
#include "page_check.hpp"
#include "report/parts.hpp"

using namespace chronotope;

namespace {

/// The occupancy of `blocks` blocks in a row, some kilometres apart; block i of them has i + 1 places.
GeoOccupancy row_of_blocks(int blocks, double latitude, double longitude, double step) {
  PlaceList places;
  for (int i = 0; i < blocks; ++i)
    for (int j = 0; j <= i % 40; ++j) {
      double east = longitude + step * i;
      if (east > 180) east -= 360;
      places.add({"p" + std::to_string(i) + "-" + std::to_string(j), latitude, east, 1});
    }
  const scratch::Folder folder;
  build_geo_index(places, folder.file("index"), {5, 30});
  return geo_occupancy(GeoIndex(folder.file("index")));
}

}  // namespace

TEST_CASE("report index: the page is sound and says the figures") {
  for (const auto& o : {row_of_blocks(50, 48, 2, 0.2), row_of_blocks(1, 90, 0, 1), row_of_blocks(20, -17, 179, 0.1),
                        row_of_blocks(3200, 10, -170, 0.1)}) {
    ReportContent content;
    content.title = "An index";
    content.occupancy = o;
    const std::string page = render_report(content);
    CHECK(page_check::markup_problem(page) == "");
    CHECK(page_check::odd_number(page) == "");
    CHECK(page.find("places need") != std::string::npos);
    CHECK(page.find(std::to_string(o.index.fingerprint)) != std::string::npos);
    CHECK(page.size() < 1000000);
  }
}

TEST_CASE("report index: each block is drawn, also across the date line; very many are gathered in squares") {
  CHECK(page_check::count(report::occupancy_map(row_of_blocks(20, -17, 179, 0.1)), "<title>block ") == 20);
  const std::string many = report::occupancy_map(row_of_blocks(3200, 10, -170, 0.1));
  CHECK(page_check::count(many, "<title>block ") == 0);
  CHECK(page_check::count(many, " blocks</title>") > 50);
}

TEST_CASE("report index: nothing left to draw") {
  PlaceList places;
  places.add({"a", 1, 1, 0});
  const scratch::Folder folder;
  const auto index = GeoIndexFolder::create(folder.file("index"), places);
  index.remove(std::vector<std::string>{"a"});
  ReportContent content;
  content.occupancy = geo_occupancy(index.open());
  CHECK(report::occupancy_map(*content.occupancy) == "");
  CHECK(page_check::markup_problem(render_report(content)) == "");
  CHECK(page_check::odd_number(render_report(content)) == "");
}
