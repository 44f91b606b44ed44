#pragma once
// Trainings of seconds under mpirun, and what is asked of them.

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "chronotope/data/click_cache.hpp"
#include "chronotope/data/generated_clicks.hpp"
#include "cli/program.hpp"
#include "train/tiny.hpp"

namespace job {

using namespace chronotope;
using nlohmann::json;
using program::Outcome;
using scratch::Folder;
using Words = std::vector<std::string>;

inline Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline Words mpirun(int processes) { return {CHRONOTOPE_MPIRUN, "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-np", std::to_string(processes)}; }

inline Outcome run(const Words& command) {
  const Folder folder;
  child::Process process(command, {}, folder.file("out"), folder.file("err"));
  Outcome outcome;
  outcome.end = process.wait();
  outcome.out = scratch::bytes_of(folder.file("out")), outcome.err = scratch::bytes_of(folder.file("err"));
  return outcome;
}

inline void works(const Words& command) {
  const Outcome o = run(command);
  CAPTURE(o.err);
  REQUIRE(o.end.code == 0);
}

inline void fails(const Words& command, const std::string& words) {
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

inline Run places(const Folder& folder) {
  const std::string data = folder.file("city.csv.gz");
  if (!std::filesystem::exists(data)) program::works({"generate-city", "--out", data, "--users", "14", "--places", "60", "--checkins-per-user", "25", "--days", "60", "--seed", "2"});
  Config config = tiny::config();
  config.model.dropout = 0, config.training.eps = 1e-3, config.training.learning_rate = 1e-3;
  return {{program::path(), "train", "--threads", "1", "--data", data, "--config", folder.put("places.json", to_json(config))}};
}

inline Run clicks(const Folder& folder) {
  write_click_cache(generate_clicks({.users = 25, .requests = 12, .behaviours = 14, .categories = 3, .items = 20}).log, folder.file("log.clicks"));
  Config config;
  set_config(config, Words{"system=clicks", "clicks.kept=6", "click_model.embedding=4", "click_model.key_width=8", "click_model.query_width=4", "click_model.hidden=8",
                           "click_model.head_hidden=16", "click_model.dropout=0", "training.batch=24", "training.epochs=2", "training.learning_rate=1e-3", "training.warmup_steps=3", "training.eps=1e-3"});
  return {{program::path(), "train", "--threads", "1", "--data", folder.file("log.clicks"), "--config", folder.put("clicks.json", to_json(config))}};
}

inline std::vector<json> steps_of(const std::string& folder) {
  std::vector<json> steps;
  for (const std::string& line : program::lines(scratch::bytes_of(folder + "/log.jsonl")))
    if (const json j = json::parse(line); j.contains("step")) steps.push_back(j);
  return steps;
}

/// Largest distance of two numbers as a share of the first.
struct Apart {
  double loss = 0, norm = 0;
};

inline Apart compare(const std::string& one, const std::string& several) {
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
inline std::map<int, pid_t> started_by(pid_t mpirun) {
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

/// Kills one of the two processes of a job that trains, when it has its first checkpoint. It ends with an error, and the checkpoint is whole.
inline void kill_one(const Words& command, const std::string& out, int victim) {
  CAPTURE(victim);
  const Folder folder;
  const std::string err = folder.file("err");
  child::Process job(command, {}, "/dev/null", err);
  REQUIRE(within(60, [&] { return has_checkpoint(out, last_checkpoint); }));
  const std::map<int, pid_t> ranks = started_by(job.id());
  REQUIRE(ranks.size() == 2);
  REQUIRE(::kill(ranks.at(victim), SIGKILL) == 0);
  const child::End end = job.wait();
  const std::string message = scratch::bytes_of(err);
  CAPTURE(message);
  CHECK(end.code > 0);
  CHECK(message.find("another of its processes has ended") != std::string::npos);
  const TrainingState state = read_checkpoint(out, last_checkpoint).state;
  CHECK_FALSE(state.finished);
  CHECK(state.ranks == 2);
}

// Float sums of another order differ by some eps = 6e-8 of their size, gradients by a few times that, as terms of both signs cancel. With training.eps
// 1e-3 and a rate of 1e-3 Adam moves a weight by at most as much as its gradient, so differences pass on without being blown up (with the usual 1e-8 a
// gradient that is rounding noise alone moves a weight by the whole rate). What some dozen steps add up to stays below 16 eps; 2 were seen.
inline constexpr double rounding = 1e-6;

}  // namespace job
