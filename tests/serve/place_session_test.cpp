// A user who is encoded once must be answered like one who is read anew with every request.

#include "chronotope/serve/place_session.hpp"

#include <cmath>
#include <map>

#include "chronotope/data/world.hpp"
#include "chronotope/train/action_measures.hpp"
#include "data/geo_places.hpp"
#include "train/tiny.hpp"

using namespace chronotope;

namespace {

/// A small world's logs, its index and a model trained for a moment, in a stage.
struct Served {
  scratch::Folder folder;
  std::vector<LoggedAction> actions;  // of the first user who is no robot
  std::vector<WorldRequest> requests;

  explicit Served(const std::string& stage, const std::string& head = "typed") {
    const World world({.users = 12, .places = 200, .cities = 2, .days = 40, .actions_per_user = 30, .requests_per_user = 4});
    PlaceList places;
    for (std::uint32_t n = 0; n < world.places(); ++n) {
      const WorldPlace p = world.place(n);
      places.add({p.id, p.position.latitude, p.position.longitude, p.popularity, p.category});
    }
    GeoIndexFolder::create(folder.file("index"), places);
    ActionWriter log(folder.file("log.csv"));
    RequestWriter asked(folder.file("requests.csv"));
    for (int user = 0; user < 12; ++user) {
      const WorldUser u = world.user(static_cast<std::uint32_t>(user));
      for (const WorldAction& a : u.actions) log.write(a.action);
      for (const WorldRequest& r : u.requests) asked.write(r.request);
      if (!actions.empty() || u.robot) continue;
      for (const WorldAction& a : u.actions) actions.push_back(a.action);
      requests = u.requests;
    }
    log.finish(), asked.finish();
    Config config;
    set_config(config, {"system=actions", "actions.index=" + folder.file("index"), "model.layers=2", "model.width=24", "model.heads=2", "model.feed_forward=24", "model.length=8",
                        "model.geo_rows=32", "training.learning_rate=0.01", "training.warmup_steps=2", "training.epochs=1", "training.batch=8", "evaluation.targets=10", "actions.embedding=6", "actions.head=" + head});
    Context<any_backend> context(tiny::stream(tiny::backends().front()));
    train_actions(context, actions_in(folder.file("log.csv")), config, folder.file("base"), {});
    set_config(config, {"stage.name=" + stage, "stage.from=" + folder.file("base")});
    train_stage(context, actions_in(folder.file("log.csv")), folder.file("requests.csv"), config, folder.file("model"), {});
  }
  ActionServer server() const { return ActionServer(folder.file("model"), tiny::stream(tiny::backends().front())); }
  RequestContext now() const { return {requests.front().request.time, requests.front().request.user_position}; }
};

const Served& ranked() {
  static const Served made("rank");
  return made;
}

const Served& ranked_pointing() {
  static const Served made("rank", "pointer");
  return made;
}

const Served& pointing() {
  static const Served made("align", "pointer");
  return made;
}

/// f(request, what was shown, the user's actions before, what the model on the logs gives the candidates) for every request of the user.
template <class F> void each_request(const Served& served, F&& f) {
  Context<any_backend> context(tiny::stream(tiny::backends().front()));
  const ModelOnRequests on(context, read_trained(served.folder.file("model")), served.folder.file("log.csv"), served.folder.file("requests.csv"));
  const auto user = on.histories.user(served.actions.front().user);
  REQUIRE(user.has_value());
  std::size_t next = 0;
  for (std::uint32_t number = 0; number < on.requests.requests.size(); ++number) {
    const AskedRequest& r = on.requests.requests[number];
    if (r.user == *user) f(r, served.requests.at(next++).request.shown, std::span(served.actions).first(r.end - r.begin), on.scores(context, {&number, 1}));
  }
  CHECK(next == served.requests.size());
}

void check_close(const std::vector<double>& a, const std::vector<double>& b, double tolerance = 1e-5) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(tolerance));
}

/// Actions that come one by one leave the session that those remembered make at once.
void check_one_by_one(const Served& served) {
  const ActionServer server = served.server();
  const auto shown = std::span<const ShownPlace>(served.requests.front().request.shown);
  const auto& log = served.actions;
  REQUIRE(log.size() > 20);
  PlaceSession one_by_one(server, log.front().profile);
  for (std::size_t i = 0; i < 20; ++i) {
    one_by_one.append(std::span(log).subspan(i, 1));
    CHECK(one_by_one.actions() <= 8);
    PlaceSession anew(server, log.front().profile);
    anew.append(std::span(log).subspan(i + 1 - one_by_one.actions(), one_by_one.actions()));
    CHECK(anew.actions() == (one_by_one.actions() == 8 ? 8 : one_by_one.actions()));
    check_close(one_by_one.rank(served.now(), shown), anew.rank(served.now(), shown));
    const auto a = one_by_one.generate(served.now()), b = anew.generate(served.now());
    REQUIRE(a.size() == b.size());
    for (std::size_t k = 0; k < a.size(); ++k) CHECK(a[k].probability == doctest::Approx(b[k].probability).epsilon(1e-4));
  }
}

/// Sessions answer as a log's requests are scored, however their actions came.
void check_log(const Served& served) {
  const ActionServer server = served.server();
  std::size_t longest = 0;
  each_request(served, [&](const AskedRequest& r, std::span<const ShownPlace> shown, std::span<const LoggedAction> before, const std::vector<float>& logits) {
    longest = std::max(longest, before.size());
    std::vector<double> expected;
    for (const float logit : logits) expected.push_back(1 / (1 + std::exp(-static_cast<double>(logit))));
    for (const std::size_t at_once : {1, 3, 100}) {
      PlaceSession session(server, served.actions.front().profile);
      for (std::size_t at = 0; at < before.size(); at += at_once) session.append(before.subspan(at, std::min(at_once, before.size() - at)));
      CHECK(session.actions() == before.size() - forgotten_actions(before.size(), 8));
      check_close(session.rank(r.at, shown), expected);
    }
  });
  CHECK(longest > 12);
}

}  // namespace

TEST_CASE("actions one by one, some at a time or all at once, over the length limit: the same answers") {
  for (const Served* served : {&ranked(), &ranked_pointing()}) check_one_by_one(*served);
}

TEST_CASE("an aligned model with the history pointer: sessions generate what a full pass generates, exact beams what wide ones find") {
  const ActionServer server = pointing().server();
  PlaceSession one_by_one(server);
  GenerateOptions wide, exact;
  wide.beams = {1000, 1000, 10}, exact.beams = {1, 1, 10, true};
  for (std::size_t i = 0; i < 12; ++i) {
    one_by_one.append(std::span(pointing().actions).subspan(i, 1));
    PlaceSession anew(server);
    anew.append(std::span(pointing().actions).subspan(i + 1 - one_by_one.actions(), one_by_one.actions()));
    const auto a = one_by_one.generate(pointing().now(), wide), b = anew.generate(pointing().now(), exact);
    REQUIRE(a.size() == 10);
    REQUIRE(b.size() == 10);
    for (std::size_t k = 0; k < a.size(); ++k) CHECK(a[k].probability == doctest::Approx(b[k].probability).epsilon(1e-4));
  }
}

TEST_CASE("a session answers as a log's requests are scored, however its actions came, over the length limit") {
  for (const Served* served : {&ranked(), &ranked_pointing()}) check_log(*served);
}

TEST_CASE("with the history pointer a session generates places with the probabilities that alignment scores them with") {
  const ActionServer server = pointing().server();
  GenerateOptions all;
  all.beams = {1000, 1000, 1000};
  each_request(pointing(), [&](const AskedRequest& r, std::span<const ShownPlace> shown, std::span<const LoggedAction> before, const std::vector<float>& scores) {
    PlaceSession session(server, pointing().actions.front().profile);
    for (std::size_t at = 0; at < before.size(); ++at) session.append(before.subspan(at, 1));
    std::map<std::string, double> found;
    for (const SuggestedPlace& place : session.generate(r.at, all)) found[place.place] = place.probability;
    REQUIRE(scores.size() == shown.size());
    for (std::size_t i = 0; i < shown.size(); ++i) CHECK(found.at(shown[i].place) == doctest::Approx(std::exp(scores[i])).epsilon(1e-4));
  });
}

TEST_CASE("a candidate's score knows nothing of the others, and asking leaves the session as it was") {
  const ActionServer server = ranked().server();
  PlaceSession session(server);
  session.append(std::span(ranked().actions).first(6));
  auto shown = ranked().requests.front().request.shown;
  const std::int64_t bytes = session.bytes();
  const auto scores = session.rank(ranked().now(), shown);
  std::vector<double> alone;
  for (const ShownPlace& place : shown) alone.push_back(session.rank(ranked().now(), std::span(&place, 1))[0]);
  check_close(scores, alone, 1e-6);
  std::reverse(shown.begin(), shown.end());
  auto turned = session.rank(ranked().now(), shown);
  std::reverse(turned.begin(), turned.end());
  check_close(scores, turned, 1e-6);
  CHECK(session.bytes() >= bytes);
  CHECK(session.rank(ranked().now(), {}).empty());
  const ShownPlace twice[] = {shown[0], shown[0]};
  const auto same = session.rank(ranked().now(), twice);
  CHECK(same[0] == doctest::Approx(same[1]).epsilon(1e-6));
  const ShownPlace unknown{"nobody knows it", GeoPosition{0, 0}, "Nonsense", false};
  CHECK(std::isfinite(session.rank(ranked().now(), std::span(&unknown, 1))[0]));
}

TEST_CASE("a user without history or profile is served, and the stage that was not trained is named") {
  const ActionServer server = ranked().server();
  PlaceSession nobody(server);
  CHECK(nobody.generate({1'717'405'200, {}}).size() == 10);
  CHECK_THROWS_WITH_AS(nobody.embed({1'717'405'200, {}}), "this model was not trained to embed users: chronotope train --stage embed --from it makes one that is", ConfigError);
  const std::string id = "p1";
  CHECK_THROWS_AS(server.embed_places(std::span(&id, 1)), ConfigError);
}

TEST_CASE("variety and novelty: shares of categories and blocks, only new places") {
  const ActionServer server = ranked().server();
  PlaceSession session(server);
  session.append(std::span(ranked().actions).first(8));
  GenerateOptions options;
  options.beams = {100, 100, 12, true};
  options.most_of_category = 1;
  std::map<std::string, int> of;
  for (const SuggestedPlace& p : session.generate(ranked().now(), options)) CHECK(++of[p.category] == 1);
  options.most_of_category = 0, options.new_only = true;
  for (const SuggestedPlace& p : session.generate(ranked().now(), options)) CHECK(p.visits == 0);
}

TEST_CASE("vectors have length 1, and users and places one space") {
  const Served embedded("embed");
  const ActionServer server = embedded.server();
  const std::vector<std::string> ids{"p1", "p2", "unknown"};
  const Matrix places = server.embed_places(ids);
  CHECK(places.rows == 3);
  CHECK(places.width == 6);
  PlaceSession session(server);
  session.append(std::span(embedded.actions).first(8));
  const auto user = session.embed(embedded.now());
  REQUIRE(user.size() == 6);
  const auto length = [](std::span<const float> x) {
    double sum = 0;
    for (const float v : x) sum += static_cast<double>(v) * v;
    return sum;
  };
  CHECK(length(user) == doctest::Approx(1).epsilon(1e-5));
  for (std::int64_t r = 0; r < 3; ++r) CHECK(length(places.row(r)) == doctest::Approx(1).epsilon(1e-5));
}
