// Logs to histories: travel statuses, vocabulary and its splits, requests with what came before them.

#include <nlohmann/json.hpp>

#include "generative/tiny.hpp"
#include "generative/town.hpp"

using namespace chronotope;
using namespace chronotope::test;
using scratch::error_of;

namespace {

constexpr float nowhere = SeenPlace::nowhere;

/// An action of a user at one position at a place at another.
PastAction at(float user_latitude, float user_longitude, float latitude, float longitude) {
  PastAction a;
  a.latitude = latitude, a.longitude = longitude, a.user_latitude = user_latitude, a.user_longitude = user_longitude;
  return a;
}

/// l, p or i for each action.
std::string letters(const std::vector<PastAction>& actions, std::size_t known, double km = 50) {
  std::string all;
  for (const TravelStatus s : travel_statuses(actions, known, km)) all += "lpi"[static_cast<std::size_t>(s)];
  return all;
}

LoggedAction logged(const std::string& user, std::int64_t time, const std::string& place = "a") {
  LoggedAction a;
  a.user = user, a.time = time, a.place = place, a.type = time % 2 ? "click" : "search";
  return a;
}

PlaceCatalogue two_places(const scratch::Folder& folder) {
  PlaceList places;
  places.add({"a", 10, 20, 1, "Cafe"});
  places.add({"b", 10, 21, 1, "Bar"});
  places.add({"c", 11, 21, 1, ""});
  GeoIndexFolder::create(folder.file("index"), places);
  return {GeoIndexFolder(folder.file("index")).open(), PlaceCodes::hierarchical};
}

}  // namespace

TEST_CASE("travel statuses: at home, looking ahead, away") {
  const PastAction home = at(40, -74, 40.01F, -74), ahead = at(40, -74, 41, -74), away = at(41, -74, 41, -74), back = at(41, -74, 40, -74);
  CHECK(letters({home, home, ahead, away, back, home}, 6) == "llpiil");
  CHECK(letters({home, home, away, away, away, away}, 3) == "lliiii");  // home by what is known
  CHECK(letters({away, away, home}, 0) == "lll");                      // no home, no travelling
  CHECK(letters({home, home, ahead, away}, 4, 200) == "llll");
  CHECK(letters({}, 0) == "");
}

TEST_CASE("travel statuses across the date line and at the poles") {
  const PastAction west = at(-16.8F, 179.97F, -16.8F, 179.9F), east = at(-16.8F, -179.97F, -16.8F, -179.9F), far = at(-16.8F, -178, -16.8F, -178);
  CHECK(letters({west, west, west, east, far, west}, 6) == "llllil");
  CHECK(letters({east, east, east, west, far}, 5) == "lllli");
  CHECK(letters({at(-16.8F, 180, -16.8F, 180), at(-16.8F, -180, -16.8F, -180), far}, 3) == "lli");
  for (const float pole : {90.0F, -90.0F}) {
    const float near = pole > 0 ? 89.9F : -89.9F, off = pole > 0 ? 88.0F : -88.0F;
    CHECK(letters({at(pole, 0, pole, 0), at(pole, 0, near, 100), at(near, -170, near, 10), at(off, 0, off, 0), at(pole, 33, pole, -120)}, 5) == "lllil");
  }
}

TEST_CASE("travel statuses with positions missing") {
  const PastAction home = at(40, -74, 40, -74), lost = at(nowhere, nowhere, nowhere, nowhere);
  const PastAction by_place = at(nowhere, nowhere, 42, -74), no_place = at(42, -74, nowhere, nowhere);
  CHECK(letters({home, home, lost, by_place, no_place, at(40, -74, nowhere, nowhere)}, 6) == "llliil");
  CHECK(letters({lost, lost}, 2) == "ll");
  CHECK(letters({by_place, by_place, home}, 3) == "lli");  // places alone make a home
}

TEST_CASE("a vocabulary splits by shares of the actions, whatever their order and ties") {
  const scratch::Folder folder;
  const PlaceCatalogue places = two_places(folder);
  std::vector<LoggedAction> actions;
  for (int i = 0; i < 100; ++i) actions.push_back(logged("u", 1000 + i * 37 % 100));
  const auto vocabulary = [&](double validation, double test) { return make_vocabulary(source_of(actions), places, {GeoCells::grid, 8, 300, validation, test}); };
  const auto from = [&](std::int64_t time) { return std::count_if(actions.begin(), actions.end(), [&](const LoggedAction& a) { return a.time >= time; }); };
  CHECK(from(vocabulary(0.1, 0.1).validation_from) == 20);
  CHECK(from(vocabulary(0.1, 0.1).test_from) == 10);
  CHECK(from(vocabulary(0.25, 0.5).validation_from) == 75);
  CHECK(from(vocabulary(0, 0.5).validation_from) == 50);
  CHECK(from(vocabulary(0, 0).validation_from) == 0);
  CHECK(from(vocabulary(0.2, 0).test_from) == 0);
  CHECK(error_of([&] { vocabulary(0.5, 0.5); }).rfind("DataError: ", 0) == 0);

  const ActionVocabulary v = vocabulary(0.1, 0.1);
  CHECK(v.categories == std::vector<std::string>{"Bar", "Cafe"});
  CHECK(v.types == std::vector<std::string>{"click", "search"});
  CHECK(v.index == places.index().info().fingerprint);
  CHECK((v.cells == GeoCells::grid && v.geo_rows == 8));

  for (LoggedAction& a : actions) a.time = a.time < 1095 ? 1000 : 2000;  // one second has 95 of them
  CHECK(vocabulary(0.01, 0.01).test_from == 2000);
  CHECK(vocabulary(0.01, 0.04).validation_from == 2000);
  CHECK(error_of([&] { vocabulary(0.1, 0.1); }) == "DataError: no action lies before the validation split: there is nothing to train on");
  actions.clear();
  CHECK(error_of([&] { vocabulary(0.1, 0.1); }) == "DataError: the log has no actions");
}

TEST_CASE("histories: by user and time, the log's order among equals, the first profile") {
  const scratch::Folder folder;
  std::vector<LoggedAction> actions{logged("z", 50, "a"), logged("m", 30, "b"), logged("m", 20, "a"),
                                    logged("m", 30, "nowhere"), logged("z", 10, "c"), logged("m", 30, "c")};
  actions[1].profile = "age: 30", actions[2].profile = "age: 31", actions[3].interest = false;
  PlaceCatalogue places = two_places(folder);
  ActionVocabulary v = make_vocabulary(source_of(actions), places, {GeoCells::geohash, 8, 300, 0, 0});
  const ActionTokenizer tokenizer(places, v);
  const ActionHistories h(source_of(actions), tokenizer, 50);
  CHECK(h.users == std::vector<std::string>{"m", "z"});
  CHECK(h.profiles == std::vector<std::string>{"age: 30", ""});
  CHECK(h.begin == std::vector<std::size_t>{0, 4, 6});
  std::vector<std::uint32_t> numbers;
  for (const PastAction& a : h.actions) numbers.push_back(a.place);
  CHECK(numbers == std::vector<std::uint32_t>{places.number("a"), places.number("b"), 0, places.number("c"), places.number("c"), places.number("a")});
  CHECK((h.actions[1].interest && !h.actions[2].interest));
  CHECK((h.user("m") == 0 && h.user("z") == 1 && !h.user("n") && !h.user("") && !h.user("zz")));
}

TEST_CASE("a vocabulary's JSON comes back as it was") {
  ActionVocabulary v = town().tokenizer().vocabulary();
  v.types.push_back("zürich \"quoted\"\n");
  v.index = ~std::uint64_t{0};
  const ActionVocabulary back = ActionVocabulary::parse(v.to_json());
  CHECK((back.categories == v.categories && back.types == v.types));
  CHECK((back.index == v.index && back.cells == v.cells && back.geo_rows == v.geo_rows));
  CHECK((back.validation_from == v.validation_from && back.test_from == v.test_from));
  CHECK(back.profiles.to_json() == v.profiles.to_json());
  CHECK(back.to_json() == v.to_json());
}

TEST_CASE("hostile JSON of a vocabulary is a FormatError") {
  using Json = nlohmann::ordered_json;
  ActionVocabulary small;
  small.categories = {"Bar", "Cafe"}, small.types = {"click"}, small.index = 5, small.validation_from = 10, small.test_from = 20;
  const std::string sound = small.to_json();
  const auto refused = [](const std::string& text) {
    CAPTURE(text.substr(0, 300));
    CHECK(error_of([&] { ActionVocabulary::parse(text); }).rfind("FormatError: ", 0) == 0);
  };
  CHECK_NOTHROW(ActionVocabulary::parse(sound));
  for (std::size_t n = 0; n < sound.size(); ++n) refused(sound.substr(0, n));
  for (const char* text : {"[]", "null", "3", "\"actions\"", "{}", "{\"kind\": 1}", "\xff"}) refused(text);
  const Json json = Json::parse(sound);
  const Json values[] = {nullptr, true, "text", -1, 1.5, 1e300, 1e9, Json::parse("18446744073709551616"), Json::array(), Json::array({1}),
                         Json::array({"b", "a"}), Json::array({"a", "a"}), Json::object()};
  for (const auto& [key, value] : json.items()) {
    Json without = json;
    without.erase(key);
    refused(without.dump());
    for (const Json& other : values) {
      if (other.type() == value.type() && (value.is_array() ? other.empty() : value.is_number())) continue;  // sound as well
      if (key.ends_with("_from") && other.is_number_integer()) continue;
      Json changed = json;
      changed[key] = other;
      INFO(key);
      refused(changed.dump());
    }
  }
  for (const char* rows : {"0", "-1", "2147483648", "9223372036854775808"}) {
    Json changed = json;
    changed["geo_rows"] = Json::parse(rows);
    refused(changed.dump());
  }
  Json negative = json;
  negative["index"] = -1;
  refused(negative.dump());
  const std::string deep = std::string(1000000, '[') + std::string(1000000, ']');
  refused(sound.substr(0, sound.find("\"profiles\"")) + "\"profiles\":" + deep + "}");
}

TEST_CASE("a request has the actions strictly before it") {
  const scratch::Folder folder;
  const std::vector<LoggedAction> actions{logged("u", 10), logged("u", 20), logged("u", 20, "b"), logged("u", 30), logged("v", 5)};
  PlaceCatalogue places = two_places(folder);
  ActionVocabulary v = make_vocabulary(source_of(actions), places, {GeoCells::geohash, 8, 300, 0, 0});
  const ActionTokenizer tokenizer(places, v);
  const ActionHistories h(source_of(actions), tokenizer, 50);
  std::vector<LoggedRequest> asked;
  const auto ask = [&](const std::string& user, std::int64_t time, std::vector<ShownPlace> shown) {
    LoggedRequest r;
    r.user = user, r.time = time, r.shown = std::move(shown);
    asked.push_back(r);
  };
  const ShownPlace yes{"a", {}, "", true}, no{"b", {}, "", false}, far{"elsewhere", GeoPosition{10, 20.001}, "Bar", true};
  ask("u", 10, {yes, no}), ask("u", 11, {no}), ask("u", 20, {far, no}), ask("u", 21, {yes}), ask("u", 99, {far, yes, no}), ask("nobody", 15, {no, yes});
  const RequestHistories r(pass_over(asked), h, tokenizer);
  REQUIRE(r.requests.size() == 6);
  const std::size_t counts[] = {0, 1, 1, 3, 4, 0};
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(r.requests[i].end - r.requests[i].begin == counts[i]);
    CHECK(r.requests[i].user == (i == 5 ? AskedRequest::nobody : 0));
  }
  CHECK(r.unknown_places == 2);
  const SeenPlace& unknown = r.candidates(r.requests[2])[0];
  CHECK((unknown.place == 0 && unknown.category == 1 && unknown.latitude == 10.0F));
  CHECK(tokenizer.block(unknown) == tokenizer.block(tokenizer.seen(places.number("a"))));
  CHECK(tokenizer.inner(unknown).inner == 0);

  const std::uint32_t some[] = {4, 1, 2};
  CHECK(r.labels(some).counts == std::vector<std::int32_t>{3, 1, 2});
  CHECK(r.labels(some).clicked == std::vector<std::uint8_t>{1, 1, 0, 0, 1, 0});
  CHECK(r.labels(some, true).counts == std::vector<std::int32_t>{2, 1, 1});
  CHECK(r.labels(some, true).clicked == std::vector<std::uint8_t>{1, 0, 0, 0});

  using Numbers = std::vector<std::uint32_t>;
  CHECK(requests_between(r, 0, 100, RequestNeeds::anything) == Numbers{0, 1, 2, 3, 4, 5});
  CHECK(requests_between(r, 11, 21, RequestNeeds::anything) == Numbers{1, 2, 5});
  CHECK(requests_between(r, 0, 100, RequestNeeds::both) == Numbers{0, 2, 4, 5});
  CHECK(requests_between(r, 0, 100, RequestNeeds::both_known) == Numbers{0, 4, 5});

  const ActionTokens tokens(h, tokenizer, 4);
  const RequestTokens request_tokens(r, tokens, 2);
  TokenBatch batch;
  CHECK(request_tokens.add_user(r.requests[4], batch).length() == 2 * 4 + 1);  // the last two actions, then u
  CHECK(batch.inners()[0].inner == static_cast<std::int32_t>(places.tokens(places.number("b")).inner));
  const Prefix nobody = request_tokens.add_user(r.requests[5], batch);
  CHECK((nobody.begin == 9 && nobody.length() == 1));
  TokenBatch generated;
  request_tokens.add_generated(std::span(some).first(1), generated);
  CHECK(generated.asks().size() == 4);  // "elsewhere" cannot be generated
  CHECK(generated.prefixes().size() == 3);
}
