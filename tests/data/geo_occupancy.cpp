// The occupancy of an index, against figures worked out by hand.
#include "chronotope/eval/geo_occupancy.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "geo_places.hpp"

using chronotope::GeoOccupancy;
using geo_places::Built;
using geo_places::Place;

namespace {

/// Blocks with 1, 2, 4 and 9 places, of popularity 0, 1, 2, … each.
std::vector<Place> four_blocks() {
  std::vector<Place> places;
  int n = 0;
  for (const int size : {1, 2, 4, 9}) {
    for (int i = 0; i < size; ++i)
      places.push_back({"p" + std::to_string(n++), 10.0 * size, 5, static_cast<double>(i), ""});
  }
  return places;
}

}  // namespace

TEST_CASE("data: occupancy counts ids, spread and balance") {
  const GeoOccupancy o = chronotope::geo_occupancy(Built(four_blocks()).open());
  CHECK(o.ids == 4 + 9);
  CHECK(o.places_per_id == doctest::Approx(16.0 / 13));
  CHECK(o.pairs_used == doctest::Approx(16.0 / 36));
  CHECK(o.unshared_inners == 5);
  CHECK(o.mean == 4);
  CHECK(o.quantiles == std::vector<std::uint64_t>{1, 2, 4, 9, 9, 9, 9});
  REQUIRE(o.histogram.size() == 4);
  CHECK(o.histogram[1].from == 2);
  CHECK(o.histogram[1].to == 3);
  CHECK(o.histogram[3].places == 9);
  // Sum over all pairs of |x - y| / (2 n sum): pairs differ by 1, 3, 8, 2, 7, 5.
  CHECK(o.gini_places == doctest::Approx(2 * 26.0 / (2 * 4 * 16)));
  CHECK(o.effective_blocks ==
        doctest::Approx(std::exp(std::log(16) - (2 * std::log(2) + 4 * std::log(4) + 9 * std::log(9)) / 16)));
  REQUIRE(o.largest.size() == 4);
  const auto& fullest = o.blocks[o.largest[0]];
  CHECK(fullest.places == 9);
  CHECK(fullest.popularity == 36);
  CHECK(fullest.block == 1);
  CHECK(fullest.box.north == 90);
}

TEST_CASE("data: occupancy after removals and with splitting") {
  const scratch::Folder folder;
  const auto index =
      chronotope::GeoIndexFolder::create(folder.file("index"), geo_places::list_of(four_blocks()), {5, 3});
  index.remove(std::vector<std::string>{"p0", "p15"});
  const GeoOccupancy o = chronotope::geo_occupancy(index.open());
  CHECK(o.index.places == 14);
  CHECK(o.index.retired == 2);
  CHECK(o.over_full == 2);  // what lies in one spot cannot be parted
  CHECK(o.split_blocks == 2);
  CHECK(o.quantiles.front() == 0);
  CHECK(o.histogram.front().to == 0);
}

TEST_CASE("data: occupancy as text and as JSON") {
  const GeoOccupancy o = chronotope::geo_occupancy(Built(four_blocks()).open());
  const std::string table = chronotope::occupancy_table(o);
  for (const std::string words :
       {"16 places in 4 blocks", "4 blocks + 9 inner ids = 13", "1.2 places an id", "most 9", "fullest blocks"}) {
    CAPTURE(words);
    CHECK(table.find(words) != std::string::npos);
  }
  const auto json = nlohmann::json::parse(chronotope::occupancy_json(o));
  CHECK(json.at("ids") == 13);
  CHECK(json.at("index").at("fingerprint") == std::to_string(o.index.fingerprint));
  CHECK(json.at("histogram").size() == 4);
  CHECK(json.at("largest").at(0).at("places") == 9);
  // Nobody ever came: balance of popularity is not defined.
  const GeoOccupancy idle = chronotope::geo_occupancy(Built({{"a", 1, 1, 0, ""}}).open());
  CHECK(std::isnan(idle.gini_popularity));
  CHECK(nlohmann::json::parse(chronotope::occupancy_json(idle)).at("gini_popularity").is_null());
  CHECK(chronotope::occupancy_table(idle).find("of popularity -") != std::string::npos);
}
