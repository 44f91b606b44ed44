// chronotope train under mpirun: as one process with a larger batch, killed and resumed, and started wrongly.

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "chronotope/data/click_cache.hpp"
#include "chronotope/data/generated_clicks.hpp"
#include "cli/program.hpp"
#include "train/tiny.hpp"

using namespace chronotope;
using nlohmann::json;
using program::Outcome;
using scratch::Folder;
using Words = std::vector<std::string>;

namespace {

Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Words mpirun(int processes) { return {CHRONOTOPE_MPIRUN, "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-np", std::to_string(processes)}; }

Outcome run(const Words& command) {
  const Folder folder;
  child::Process process(command, {}, folder.file("out"), folder.file("err"));
  Outcome outcome;
  outcome.end = process.wait();
  outcome.out = scratch::bytes_of(folder.file("out")), outcome.err = scratch::bytes_of(folder.file("err"));
  return outcome;
}

void works(const Words& command) {
  const Outcome o = run(command);
  CAPTURE(o.err);
  REQUIRE(o.end.code == 0);
}

void fails(const Words& command, const std::string& words) {
  const Outcome o = run(command);
  CAPTURE(o.err);
  CAPTURE(words);
  CHECK(o.end.code > 0);
  CHECK(o.err.find(words) != std::string::npos);
}

/// Settings of a training of seconds, and its data.
struct Run {
  Words command;

  Words operator()(const std::string& out, const Words& set = {}) const {
    Words words = command + Words{"--out", out};
    for (const std::string& s : set) words = words + Words{"--set", s};
    return words;
  }
};

Run places(const Folder& folder) {
  const std::string data = folder.file("city.csv.gz");
  if (!std::filesystem::exists(data)) program::works({"generate-city", "--out", data, "--users", "14", "--places", "60", "--checkins-per-user", "25", "--days", "60", "--seed", "2"});
  Config config = tiny::config();
  config.model.dropout = 0, config.training.eps = 1e-3, config.training.learning_rate = 1e-3;
  return {{program::path(), "train", "--threads", "1", "--data", data, "--config", folder.put("places.json", to_json(config))}};
}

Run clicks(const Folder& folder) {
  write_click_cache(generate_clicks({.users = 25, .requests = 12, .behaviours = 14, .categories = 3, .items = 20}).log, folder.file("log.clicks"));
  Config config;
  set_config(config, Words{"system=clicks", "clicks.kept=6", "click_model.embedding=4", "click_model.key_width=8", "click_model.query_width=4", "click_model.hidden=8",
                           "click_model.head_hidden=16", "click_model.dropout=0", "training.batch=24", "training.epochs=2", "training.learning_rate=1e-3", "training.warmup_steps=3", "training.eps=1e-3"});
  return {{program::path(), "train", "--threads", "1", "--data", folder.file("log.clicks"), "--config", folder.put("clicks.json", to_json(config))}};
}

std::vector<json> steps_of(const std::string& folder) {
  std::vector<json> steps;
  for (const std::string& line : program::lines(scratch::bytes_of(folder + "/log.jsonl")))
    if (const json j = json::parse(line); j.contains("step")) steps.push_back(j);
  return steps;
}

/// Largest distance of two numbers as a share of the first.
struct Apart {
  double loss = 0, norm = 0;
};

Apart compare(const std::string& one, const std::string& several) {
  const std::vector<json> a = steps_of(one), b = steps_of(several);
  REQUIRE(a.size() == b.size());
  REQUIRE(a.size() > 5);
  Apart apart;
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(i);
    for (const char* same : {"step", "epoch", "inputs", "targets", "learning_rate"}) CHECK(a[i].at(same) == b[i].at(same));
    const auto share = [&](const char* name) { return std::abs(a[i].at(name).get<double>() - b[i].at(name).get<double>()) / a[i].at(name).get<double>(); };
    apart.loss = std::max(apart.loss, share("loss")), apart.norm = std::max(apart.norm, share("gradient_norm"));
  }
  return apart;
}

/// Processes that mpirun has started, by their rank.
std::map<int, pid_t> started_by(pid_t mpirun) {
  std::map<int, pid_t> ranks;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (std::atoi(entry.path().filename().c_str()) == 0) continue;
    const std::string stat = scratch::bytes_of(entry.path().string() + "/stat"), rank = "OMPI_COMM_WORLD_RANK=";
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos || std::atoi(stat.c_str() + name_end + 4) != mpirun) continue;  // ") S parent"
    const std::string environment = scratch::bytes_of(entry.path().string() + "/environ");
    if (const std::size_t at = environment.find(rank); at != std::string::npos) ranks[std::atoi(environment.c_str() + at + rank.size())] = std::atoi(entry.path().filename().c_str());
  }
  return ranks;
}

template <class F> bool within(double seconds, F f) {
  for (int i = 0; i < seconds * 100; ++i) {
    if (f()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace

// Float sums of another order differ by some eps = 6e-8 of their size, gradients by a few times that, as terms of both signs cancel. With training.eps
// 1e-3 and a rate of 1e-3 Adam moves a weight by at most as much as its gradient, so differences pass on without being blown up (with the usual 1e-8 a
// gradient that is rounding noise alone moves a weight by the whole rate). What some dozen steps add up to stays below 16 eps; 2 were seen.
constexpr double rounding = 1e-6;

PROGRAM_TEST("two and three processes train as one with a batch as many times as large") {
  const Folder folder;
  const std::vector<std::pair<std::string, Words>> cases{{"plain", {}}, {"accumulated", {"training.accumulate=2"}}, {"lazy", {"training.embedding_updates=lazy"}}};
  const Run train = places(folder);
  for (const int n : {2, 3})
    for (const auto& [name, set] : cases) {
      CAPTURE(n);
      CAPTURE(name);
      const std::string one = folder.file("one" + name + std::to_string(n)), several = folder.file("several" + name + std::to_string(n));
      works(train(one, set + Words{"training.batch=" + std::to_string(2 * n)}));
      works(mpirun(n) + train(several, set + Words{"training.batch=2"}));
      const Apart apart = compare(one, several);
      MESSAGE(n << " processes, " << name << ": losses differ by " << apart.loss << " of their size, gradient norms by " << apart.norm);
      CHECK(apart.loss <= rounding);
      CHECK(apart.norm <= rounding);
      CHECK(read_checkpoint(several, last_checkpoint).state.ranks == n);
    }
}

PROGRAM_TEST("click models train alike, too") {
  const Folder folder;
  const Run train = clicks(folder);
  works(train(folder.file("one"), {"training.batch=48"}));
  works(mpirun(2) + train(folder.file("two")));
  const Apart apart = compare(folder.file("one"), folder.file("two"));
  MESSAGE("clicks: losses differ by " << apart.loss << " of their size, gradient norms by " << apart.norm);
  CHECK(apart.loss <= rounding);
  CHECK(apart.norm <= rounding);
}

PROGRAM_TEST("a run whose process is killed ends with an error and goes on from its checkpoint to the same bits") {
  const Folder folder;
  const Words set{"model.dropout=0.2", "training.checkpoint_seconds=0", "training.epochs=20", "training.batch=2"};
  const Run train = places(folder);
  const std::string whole = folder.file("whole"), last = std::string("/") + last_checkpoint;
  works(mpirun(2) + train(whole, set));
  for (const int victim : {0, 1}) {
    CAPTURE(victim);
    const std::string parts = folder.file("parts" + std::to_string(victim)), err = folder.file("err");
    child::Process job(mpirun(2) + train(parts, set), {}, "/dev/null", err);
    REQUIRE(within(60, [&] { return has_checkpoint(parts, last_checkpoint); }));
    const std::map<int, pid_t> ranks = started_by(job.id());
    REQUIRE(ranks.size() == 2);
    REQUIRE(::kill(ranks.at(victim), SIGKILL) == 0);
    const child::End end = job.wait();
    const std::string message = scratch::bytes_of(err);
    CAPTURE(message);
    CHECK(end.code > 0);
    CHECK(message.find("another of its processes has ended") != std::string::npos);
    const TrainingState state = read_checkpoint(parts, last_checkpoint).state;
    CHECK_FALSE(state.finished);
    CHECK(state.ranks == 2);
    const Words resume{program::path(), "train", "--threads", "1", "--data", folder.file("city.csv.gz"), "--resume", "--out", parts};
    fails(resume, "begun by 2 processes");
    fails(mpirun(3) + resume, "begun by 2 processes");
    works(mpirun(2) + resume);
    CHECK(tiny::difference(whole + last, parts + last) == "");
    CHECK(steps_of(parts).size() == steps_of(whole).size());
  }
}

PROGRAM_TEST("processes with other data or another config are told at the start, and what one cannot do ends all") {
  const Folder folder;
  const Run train = places(folder);
  const std::string other = folder.file("other.csv.gz"), out = folder.file("run");
  program::works({"generate-city", "--out", other, "--users", "14", "--places", "60", "--checkins-per-user", "25", "--days", "60", "--seed", "3"});
  const Words beside{":", "-np", "1"};
  Words foreign = train(out);
  foreign[5] = other;
  fails(mpirun(1) + train(out) + beside + foreign, "has read other data than process 0");
  fails(mpirun(1) + train(out) + beside + train(out, {"training.beta1=0.8"}), "runs under another config than process 0");
  foreign[5] = folder.file("nowhere.csv.gz");
  fails(mpirun(1) + train(out) + beside + foreign, "error: process 1 of 2: ");
  CHECK_FALSE(std::filesystem::exists(out + "/" + last_checkpoint));
  works(mpirun(2) + train(out, {"training.epochs=1"}));
  fails(mpirun(2) + train(out), "already holds a checkpoint");
}

PROGRAM_TEST("under mpirun the first process alone speaks, and one process trains as without") {
  const Folder folder;
  const Run train = places(folder);
  const Outcome two = run(mpirun(2) + train(folder.file("two")));
  CAPTURE(two.err);
  CHECK(two.end.code == 0);
  CHECK(program::lines(two.out).size() == 2);
  CHECK(two.err.find("2 processes, each ") != std::string::npos);
  CHECK(two.err.find("data: ") == two.err.rfind("data: "));
  works(train(folder.file("alone")));
  works(mpirun(1) + train(folder.file("one")));
  const std::string last = std::string("/") + last_checkpoint;
  CHECK(tiny::difference(folder.file("alone") + last, folder.file("one") + last) == "");
}
