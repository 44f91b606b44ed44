#include "chronotope/train/preference_rules.hpp"

#include <doctest/doctest.h>

#include <set>

#include "data/geo_places.hpp"

using namespace chronotope;

TEST_CASE("rules: hours over midnight, several ranges, several rules") {
  const auto rules = parse_preference_rules("11-13 22-1: Restaurant, Noodle bar; 7 : Bakery ;");
  REQUIRE(rules.size() == 2);
  for (const int hour : {11, 12, 13, 22, 23, 0, 1}) CHECK(rules[0].hours[static_cast<std::size_t>(hour)] == 1);
  CHECK(std::count(rules[0].hours.begin(), rules[0].hours.end(), 1) == 7);
  CHECK(rules[0].categories == std::vector<std::string>{"Restaurant", "Noodle bar"});
  CHECK(rules[1].categories == std::vector<std::string>{"Bakery"});
  CHECK(parse_preference_rules("").empty());
  for (const char* bad : {"11-13 Restaurant", "11-24: Restaurant", "x: Restaurant", "11-: Restaurant", ": Restaurant", "11-13:"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_preference_rules(bad), ConfigError);
  }
}

TEST_CASE("pairs are made of the user's block, at the rule's hours, wanted categories against others") {
  const scratch::Folder folder;
  std::vector<geo_places::Place> all;
  for (int i = 0; i < 30; ++i) all.push_back({"p" + std::to_string(i), i < 20 ? 40.0 : 50.0, 3, 1, i % 5 == 0 ? "Bakery" : "Park"});
  const PlaceCatalogue places(GeoIndexFolder::create(folder.file("index"), geo_places::list_of(all)).open(), PlaceCodes::hierarchical);
  ActionVocabulary vocabulary;
  vocabulary.index = places.index().info().fingerprint, vocabulary.categories = {"Bakery", "Park"};
  const ActionTokenizer tokenizer(places, vocabulary);
  const std::int64_t monday_8 = 1'717'401'600;  // 2024-06-03 08:00
  RequestHistories requests([](LoggedRequest&) { return false; }, ActionHistories([] { return [](LoggedAction&) { return false; }; }, tokenizer, 50), tokenizer);
  AskedRequest near, late, nowhere;
  near.at = {monday_8, GeoPosition{40, 3}};
  late.at = {monday_8 + 6 * 3600, GeoPosition{40, 3}};
  nowhere.at = {monday_8, {}};
  requests.requests = {near, late, nowhere};
  const std::vector<std::uint32_t> from{0, 1, 2};
  const auto added = add_preference_pairs(requests, tokenizer, parse_preference_rules("7-9: Bakery"), from, {.wanted = 2, .others = 5});
  REQUIRE(added == std::vector<std::uint32_t>{3});
  const AskedRequest& made = requests.requests[3];
  REQUIRE(made.shown == 7);
  std::set<std::uint32_t> different;
  for (std::size_t i = 0; i < 7; ++i) {
    const SeenPlace& place = requests.candidates(made)[i];
    different.insert(place.place);
    CHECK(places.place(place.place)->latitude == 40);
    CHECK(requests.clicks(made)[i] == (places.place(place.place)->category == "Bakery"));
  }
  CHECK(different.size() == 7);
  CHECK_THROWS_AS(add_preference_pairs(requests, tokenizer, parse_preference_rules("7: Nonsense"), from, {}), ConfigError);
}
