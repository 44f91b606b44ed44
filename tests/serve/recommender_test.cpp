// Serving: what a trained folder answers for a history, and what is said about each place.

#include "chronotope/serve/recommender.hpp"

#include <cmath>

#include "chronotope/data/calendar.hpp"
#include "chronotope/data/geohash.hpp"
#include "chronotope/eval/targets.hpp"
#include "chronotope/train/ranking.hpp"
#include "train/tiny.hpp"

using namespace chronotope;

namespace {

/// A model trained once, with the target's time or without.
struct Trained {
  explicit Trained(const std::string& change) : table(tiny::city(1, 25)) {
    Config config = tiny::config();
    set_config(config, change);
    config.training.epochs = 4;
    tiny::train(tiny::backends().front(), table, config, folder.file("m"));
  }
  Recommender recommender() const { return Recommender(folder.file("m"), tiny::stream(tiny::backends().front())); }

  scratch::Folder folder;
  CheckinTable table;
};

const Trained& with_time() {
  static const Trained made("model.target_time=true");
  return made;
}
const Trained& without_time() {
  static const Trained made("model.target_time=false");
  return made;
}

constexpr int all = 1000;
constexpr std::int64_t monday_9 = 1'717'405'200;  // 2024-06-03 09:00

std::map<std::string, double> by_place(const std::vector<Recommendation>& list) {
  std::map<std::string, double> p;
  for (const Recommendation& r : list) p[r.place] = r.probability;
  return p;
}

double largest_difference(const std::map<std::string, double>& a, const std::map<std::string, double>& b) {
  double worst = a.size() == b.size() ? 0 : 1;
  for (const auto& [place, p] : a) worst = std::max(worst, b.count(place) ? std::abs(p - b.at(place)) : 1.0);
  return worst;
}

}  // namespace

TEST_CASE("probabilities fall, add up to at most one, and places come once") {
  const Recommender r = with_time().recommender();
  const auto list = r.recommend(visits_of(with_time().table, 0), monday_9, monday_9, all);
  REQUIRE(list.size() == static_cast<std::size_t>(r.tokenizer().places() - 1));
  double sum = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i) CHECK(list[i].probability <= list[i - 1].probability);
    CHECK(list[i].probability >= 0);
    sum += list[i].probability;
  }
  CHECK(sum <= 1 + 1e-5);
  CHECK(sum > 0.5);
  CHECK(by_place(list).size() == list.size());
}

TEST_CASE("as many as asked for, as far as there are places") {
  const Recommender r = with_time().recommender();
  const auto history = visits_of(with_time().table, 1);
  const auto whole = r.recommend(history, monday_9, monday_9, all);
  for (const int top : {0, 1, 5}) {
    const auto list = r.recommend(history, monday_9, monday_9, top);
    REQUIRE(list.size() == static_cast<std::size_t>(top));
    for (std::size_t i = 0; i < list.size(); ++i) {
      CHECK(list[i].place == whole[i].place);
      CHECK(list[i].probability == whole[i].probability);
    }
  }
  CHECK(r.recommend(history, monday_9, monday_9, -3).empty());
  CHECK(r.recommend(history, monday_9, monday_9, INT32_MAX).size() == whole.size());
}

TEST_CASE("no history, and places that the model never saw") {
  for (const Trained* trained : {&with_time(), &without_time()}) {
    const Recommender r = trained->recommender();
    const auto fresh = r.recommend({}, monday_9, monday_9, 5);
    REQUIRE(fresh.size() == 5);
    for (const Recommendation& place : fresh) {
      CHECK(std::isfinite(place.probability));
      CHECK_FALSE(place.distance_km.has_value());
      CHECK_FALSE(place.usual_hour.has_value());
      CHECK(place.visits == 0);
    }
    const std::vector<Visit> elsewhere{{"never-seen", "neither", -33.9, 151.2, monday_9 - 7200, monday_9 - 7200}, {"", "", 0, 0, monday_9 - 3600, monday_9 - 3600}};
    const auto list = r.recommend(elsewhere, monday_9, monday_9, 5);
    REQUIRE(list.size() == 5);
    for (const Recommendation& place : list) CHECK((std::isfinite(place.probability) && place.distance_km.value() > 1000));
  }
}

TEST_CASE("a new user whose rows are those of a known one is served the same") {
  const Trained& t = with_time();
  CheckinTable renamed = t.table;
  renamed.users[2] = "somebody-else";
  const Recommender r = t.recommender();
  const auto known = r.recommend(visits_of(t.table, 2), monday_9, monday_9, all), fresh = r.recommend(visits_of(renamed, 2), monday_9, monday_9, all);
  CHECK(largest_difference(by_place(known), by_place(fresh)) == 0);
}

TEST_CASE("served probabilities are those that evaluation ranks") {
  for (const Trained* trained : {&with_time(), &without_time()}) {
    const CheckinTable& table = trained->table;
    const Recommender r = trained->recommender();
    Context<any_backend> context(tiny::stream(tiny::backends().front()));
    const Checkpoint checkpoint = read_trained(trained->folder.file("m"));
    const auto model = load_model(context, checkpoint);
    const PlaceTokenizer tokenizer = place_tokenizer(checkpoint);
    const Histories histories(table, tokenizer);
    const auto targets = evaluation_targets(table, Split::validation);
    const auto windows = evaluation_windows(histories, checkpoint.config.model.length, Split::validation);
    const auto ranks = rank_checkpoint(context, checkpoint, table, Split::validation);
    const std::vector<float> asked = ask(context, model, histories, windows, checkpoint.config.model.target_time);
    const auto places = static_cast<std::size_t>(tokenizer.places());
    REQUIRE(targets.size() > 3);
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (histories.actions[targets[i].row].place == 0) continue;
      std::vector<Visit> history = visits_of(table, targets[i].user);
      const Visit truth = history[targets[i].row - table.begin[targets[i].user]];
      history.resize(targets[i].row - table.begin[targets[i].user]);
      const auto list = r.recommend(history, truth.utc, truth.local, all);
      std::size_t above = 0, level = 0;
      const double own = by_place(list).at(truth.place);
      for (const Recommendation& place : list) {
        const float p = asked[i * places + static_cast<std::size_t>(tokenizer.place_token(place.place))];
        CHECK(place.probability == doctest::Approx(p).epsilon(1e-4));
        above += place.probability > own * (1 + 1e-4), level += std::abs(place.probability - own) <= 1e-4 * own;
      }
      CHECK(ranks[i].greater >= static_cast<double>(above));
      CHECK(ranks[i].greater <= static_cast<double>(above + level));
    }
  }
}

TEST_CASE("the asked time matters if and only if the model was trained with it") {
  const auto difference = [](const Trained& t, std::int64_t hours) {
    const Recommender r = t.recommender();
    const auto history = visits_of(t.table, 0);
    const std::int64_t later = monday_9 + 3600 * hours;
    return largest_difference(by_place(r.recommend(history, monday_9, monday_9, all)), by_place(r.recommend(history, later, later, all)));
  };
  CHECK(difference(with_time(), 11) > 1e-5);
  CHECK(difference(without_time(), 11) == 0);
  CHECK(difference(without_time(), 24 * 100) == 0);
}

TEST_CASE("only the latest actions of the length count") {
  const Recommender r = with_time().recommender();
  auto history = visits_of(with_time().table, 3);
  REQUIRE(history.size() > 8);
  const auto before = by_place(r.recommend(history, monday_9, monday_9, all));
  history.erase(history.begin(), history.end() - 7);  // the length is 8, the asked action included
  CHECK(largest_difference(before, by_place(r.recommend(history, monday_9, monday_9, all))) == 0);
  history.erase(history.begin());
  CHECK(largest_difference(before, by_place(r.recommend(history, monday_9, monday_9, all))) > 0);
}

TEST_CASE("visits, usual hour and distance") {
  const Recommender r = with_time().recommender();
  const Place &home = r.tokenizer().place(1), &office = r.tokenizer().place(2);
  const auto at = [](const Place& place, int day, int hour) {
    const std::int64_t local = monday_9 + 86400 * day + 3600 * (hour - 9);
    return Visit{place.id, place.category, place.latitude, place.longitude, local - 7200, local};
  };
  const std::vector<Visit> history{at(home, 0, 23), at(home, 1, 7), at(office, 1, 9), at(home, 1, 23), at(office, 2, 10)};
  for (const Recommendation& place : r.recommend(history, monday_9 + 86400 * 3, monday_9 + 86400 * 3, all)) {
    CHECK(place.distance_km.value() == doctest::Approx(distance_km(office.latitude, office.longitude, place.latitude, place.longitude)));
    CHECK(place.visits == (place.place == home.id ? 3 : place.place == office.id ? 2 : 0));
    if (place.place == home.id) CHECK(place.usual_hour == 23);
    else if (place.place == office.id) CHECK((place.usual_hour == 9 && place.distance_km.value() == doctest::Approx(0)));
    else CHECK_FALSE(place.usual_hour.has_value());
  }
}

TEST_CASE("a history at impossible positions or times is refused") {
  const Recommender r = with_time().recommender();
  const auto with = [&](double latitude, double longitude) {
    return scratch::error_of([&] { r.recommend({{"p", "c", latitude, longitude, monday_9, monday_9}}, monday_9, monday_9, 3); });
  };
  CHECK(with(91, 0).rfind("DataError: ", 0) == 0);
  CHECK(with(0, 180.5).rfind("DataError: ", 0) == 0);
  CHECK(with(std::nan(""), 0).rfind("DataError: ", 0) == 0);
  CHECK_THROWS_AS(r.recommend({}, INT64_MAX, INT64_MAX, 3), DataError);
  CHECK(r.recommend({}, monday_9, monday_9, 3).size() == 3);  // it still answers
}

TEST_CASE("a folder without a checkpoint") {
  const scratch::Folder folder;
  CHECK_THROWS_WITH_AS(Recommender(folder.file("none"), tiny::stream(tiny::backends().front())), doctest::Contains("chronotope train"), FileError);
}
