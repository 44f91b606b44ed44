// Trainings and answers of whole models as graphs: the same bits as without, and one launch of the host for a pass.
#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/data/generated_clicks.hpp"
#include "chronotope/data/world.hpp"
#include "chronotope/serve/place_session.hpp"
#include "chronotope/serve/recommender.hpp"
#include "chronotope/train/click_run.hpp"
#include "chronotope/train/trainer.hpp"
#include "data/geo_places.hpp"
#include "emulator/control.hpp"
#include "train/tiny.hpp"

using namespace chronotope;
using B = any_backend;

namespace {

any_backend::stream cuda() { return any_stream<cuda_backend>(); }

/// Steps that a run took after its first of the first epoch, and what the host sent to the device meanwhile.
struct Steps {
  std::int64_t steps = 0;
  std::size_t launches = 0, graphs = 0, made = 0;
};

class Watched {
 public:
  Steps all;
  RunObserver observer() {
    RunObserver o;
    o.on_step = [this](const StepReport& r) {
      const Steps now{r.steps, cuda_on_host::host_launches(), cuda_on_host::graph_launches(), cuda_on_host::graphs_instantiated()};
      if (r.steps == 1) first_ = now;
      if (r.epoch == 0) all = {now.steps - first_.steps, now.launches - first_.launches, now.graphs - first_.graphs, now.made - first_.made};
    };
    return o;
  }

 private:
  Steps first_;
};

/// Names of the weights and moments in which two runs differ.
std::string difference(const std::string& a, const std::string& b) {
  const Checkpoint x = read_checkpoint(a, last_checkpoint), y = read_checkpoint(b, last_checkpoint);
  std::string names = x.tensors.size() == y.tensors.size() ? "" : "number of tensors, ";
  for (const auto& [name, tensor] : x.tensors)
    if (!y.tensors.contains(name) || y.tensors.at(name).data != tensor.data) names += name + ", ";
  return names;
}

/// The same training with graphs and without: `train(config, folder, observer)`.
template <class Train> std::pair<Steps, Steps> both(Config config, const scratch::Folder& folder, Train train) {
  cuda_on_host::reset();
  Watched plain, recorded;
  train(config, folder.file("plain"), plain.observer());
  config.training.graphs = true;
  train(config, folder.file("graphs"), recorded.observer());
  CHECK(difference(folder.file("plain"), folder.file("graphs")) == "");
  CHECK(cuda_on_host::fault() == "");
  MESSAGE(plain.all.steps << " steps, launches of the host: " << plain.all.launches << ", with graphs " << recorded.all.launches << ", of them "
                          << recorded.all.graphs << " graphs, instantiated: " << recorded.all.made);
  CHECK(recorded.all.steps == plain.all.steps);
  CHECK(plain.all.graphs == 0);
  return {plain.all, recorded.all};
}

const ClickLog& clicks() {
  static const GeneratedClicks made = generate_clicks({.users = 10, .requests = 6, .behaviours = 8, .categories = 3, .items = 20});
  return made.log;
}

Config click_config() {
  Config config;
  set_config(config, std::vector<std::string>{"system=clicks", "clicks.kept=4", "click_model.embedding=4", "click_model.key_width=8", "click_model.query_width=4",
                                              "click_model.hidden=8", "click_model.head_hidden=8", "training.batch=8", "training.epochs=1", "training.warmup_steps=2",
                                              "training.learning_rate=0.01", "evaluation.batch=50", "click_model.behaviour=stim"});
  return config;
}

}  // namespace

TEST_CASE("a place model is trained to the same bits by graphs, one a pass") {
  const scratch::Folder folder;
  const CheckinTable table = tiny::city();
  Config config = tiny::config();
  config.model.dropout = 0.2, config.training.batch = 2, config.training.accumulate = 2, config.training.epochs = 2;
  const auto [plain, recorded] = both(config, folder, [&](const Config& c, const std::string& out, const RunObserver& observer) {
    Context<B> context(cuda());
    train_checkins(context, table, c, out, {}, observer);
  });
  CHECK(recorded.steps >= 3);
  CHECK(recorded.graphs > static_cast<std::size_t>(recorded.steps));  // two a step, but for an epoch's last
  CHECK(recorded.made < recorded.graphs);
  CHECK(recorded.launches < plain.launches / 2);  // what is left is AdamW's
}

TEST_CASE("STIM is trained to the same bits by graphs") {
  const scratch::Folder folder;
  const auto [plain, recorded] = both(click_config(), folder, [&](const Config& c, const std::string& out, const RunObserver& observer) {
    Context<B> context(cuda());
    train_clicks(context, clicks(), c, out, {}, 1, observer);
  });
  CHECK(recorded.steps >= 3);
  CHECK(recorded.graphs == static_cast<std::size_t>(recorded.steps));
  CHECK(recorded.made <= 1);  // the last batch is smaller
  CHECK(recorded.launches < plain.launches / 2);
}

TEST_CASE("graphs where there are none are refused with what to do") {
  Config config = tiny::config();
  config.training.graphs = true;
  const scratch::Folder folder;
  for (const std::string& backend : tiny::backends())
    CHECK_THROWS_WITH_AS(tiny::train(backend, tiny::city(), config, folder.file(backend)),
                         "training.graphs needs a backend with graphs, which is cuda: choose that, or leave it off", ConfigError);
}

namespace {

/// A model of one weight whose loss is what a sample says, or that reads the device while it computes.
struct Scripted {
  using backend = B;
  using Sample = double;
  struct Model {
    using backend = B;
    Parameter<B> weight;
    template <class V> void visit(V&& v) { v("weight", weight); }
  };

  Context<B>& context;
  Model weights;
  bool reads = false;

  Model& model() { return weights; }
  std::vector<double> samples(std::uint64_t) const { return {1, 2, 3}; }
  TaskLoss<B> loss(std::span<const double> some) {
    const Tensor<B> loss = sum(weights.weight() * some[0]);
    if (reads) loss.to_host<float>();
    return {loss, 1, 1};
  }
};

}  // namespace

TEST_CASE("a loss that is not finite leaves everything as it was, with graphs and without") {
  for (const bool graphs : {false, true}) {
    CAPTURE(graphs);
    cuda_on_host::reset();
    Context<B> context(cuda());
    Scripted task{context, {constant_parameter(context, {4}, 1)}};
    TrainingConfig config;
    config.graphs = graphs, config.batch = 1, config.accumulate = 2, config.warmup_steps = 0;
    Trainer trainer(context, task, config);
    const double nan = std::nan("");
    CHECK_THROWS_AS(trainer.step(std::vector<double>{1, nan}), Error);
    CHECK(task.weights.weight.gradient().empty());
    CHECK(task.weights.weight.value().to_host<float>() == std::vector<float>(4, 1));
    CHECK(trainer.step(std::vector<double>{1, 2}).loss == 6);
    CHECK(task.weights.weight.value().to_host<float>()[0] < 1);
  }
}

TEST_CASE("a task that reads the device cannot be trained as graphs, and is told so") {
  cuda_on_host::reset();
  Context<B> context(cuda());
  Scripted task{context, {constant_parameter(context, {4}, 1)}, true};
  TrainingConfig config;
  config.graphs = true;
  Trainer trainer(context, task, config);
  CHECK_THROWS_WITH_AS(trainer.step(std::vector<double>{1}), doctest::Contains("nothing can be read or waited for while a graph is being recorded"), BackendError);
  CHECK(task.weights.weight.gradient().empty());
  task.reads = false;
  CHECK(trainer.step(std::vector<double>{1}).loss == 4);
}

TEST_CASE("recommendations as graphs are the same, and one launch each") {
  const scratch::Folder folder;
  const CheckinTable table = tiny::city();
  Config config = tiny::config();
  config.training.epochs = 1;
  tiny::train(tiny::backends().front(), table, config, folder.file("m"));
  cuda_on_host::reset();
  Recommender plain(folder.file("m"), cuda()), recorded(folder.file("m"), cuda());
  recorded.use_graphs();
  for (std::size_t user = 0; user < 3; ++user) {
    const std::vector<Visit> history = visits_of(table, user);
    const auto ask = [&](const Recommender& r) { return r.recommend(history, history.back().utc + 3600, history.back().local + 3600, 20); };
    const auto wanted = ask(plain);
    const std::size_t launches = cuda_on_host::host_launches(), graphs = cuda_on_host::graph_launches();
    const auto got = ask(recorded);
    CHECK(cuda_on_host::graph_launches() - graphs == 1);
    CHECK(cuda_on_host::host_launches() - launches == 2);  // the graph, and the copy of the answer
    REQUIRE(got.size() == wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      CHECK(got[i].place == wanted[i].place);
      CHECK(got[i].probability == wanted[i].probability);
    }
  }
  CHECK(cuda_on_host::fault() == "");
  Recommender cpu(folder.file("m"), tiny::stream(tiny::backends().front()));
  CHECK_THROWS_AS(cpu.use_graphs(), ConfigError);
}

namespace {

/// A small world's logs, and a model of actions trained on them for a moment to rank.
struct Ranked {
  scratch::Folder folder;
  std::vector<LoggedAction> actions;  // of one user
  std::vector<WorldRequest> requests;

  Ranked() {
    const World world({.users = 12, .places = 200, .cities = 2, .days = 40, .actions_per_user = 30, .requests_per_user = 4});
    PlaceList places;
    for (std::uint32_t n = 0; n < world.places(); ++n) {
      const WorldPlace p = world.place(n);
      places.add({p.id, p.position.latitude, p.position.longitude, p.popularity, p.category});
    }
    GeoIndexFolder::create(folder.file("index"), places);
    ActionWriter log(folder.file("log.csv"));
    RequestWriter asked(folder.file("requests.csv"));
    for (std::uint32_t user = 0; user < 12; ++user) {
      const WorldUser u = world.user(user);
      for (const WorldAction& a : u.actions) log.write(a.action);
      for (const WorldRequest& r : u.requests) asked.write(r.request);
      if (!actions.empty() || u.robot) continue;
      for (const WorldAction& a : u.actions) actions.push_back(a.action);
      requests = u.requests;
    }
    log.finish(), asked.finish();
    Config config;
    set_config(config, {"system=actions", "actions.index=" + folder.file("index"), "model.layers=2", "model.width=24", "model.heads=2", "model.feed_forward=24",
                        "model.length=8", "model.geo_rows=32", "training.learning_rate=0.01", "training.warmup_steps=2", "training.epochs=1", "training.batch=8",
                        "evaluation.targets=10", "actions.embedding=6"});
    Context<B> context(tiny::stream(tiny::backends().front()));
    train_actions(context, actions_in(folder.file("log.csv")), config, folder.file("base"), {});
    set_config(config, {"stage.name=rank", "stage.from=" + folder.file("base")});
    train_stage(context, actions_in(folder.file("log.csv")), folder.file("requests.csv"), config, folder.file("model"), {});
  }
};

}  // namespace

TEST_CASE("sessions whose work goes as graphs answer the same") {
  const Ranked world;
  cuda_on_host::reset();
  const ActionServer plain(world.folder.file("model"), cuda());
  ActionServer recorded(world.folder.file("model"), cuda());
  recorded.use_graphs();
  PlaceSession ours(plain), theirs(recorded);
  for (std::size_t at = 0; at < std::min<std::size_t>(world.actions.size(), 12); at += 3) {
    const auto some = std::span(world.actions).subspan(at, 3);
    ours.append(some), theirs.append(some);
    const LoggedRequest& request = world.requests.front().request;
    const RequestContext now{request.time, request.user_position};
    const std::size_t launches = cuda_on_host::host_launches();
    const std::vector<double> clicks = theirs.rank(now, request.shown);
    CHECK(cuda_on_host::host_launches() - launches == 2);  // the graph, and the copy of the answer
    CHECK(clicks == ours.rank(now, request.shown));
    const auto wanted = ours.generate(now), got = theirs.generate(now);
    REQUIRE(got.size() == wanted.size());
    for (std::size_t i = 0; i < got.size(); ++i) CHECK((got[i].place == wanted[i].place && got[i].probability == wanted[i].probability));
  }
  CHECK(cuda_on_host::fault() == "");
}
