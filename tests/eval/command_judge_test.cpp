// Commands as judges: good, slow, talkative, broken.
#include <doctest/doctest.h>

#include <sys/wait.h>

#include <cerrno>
#include <thread>

#include "chronotope/core/stopwatch.hpp"
#include "chronotope/eval/command_judge.hpp"
#include "data/scratch.hpp"
#include "nlohmann/json.hpp"

using namespace chronotope;

namespace {

JudgeCase small_case() {
  JudgeCase asked;
  asked.request = 42;
  asked.context = "Friday 18:30, near the station";
  asked.profile = "name: $(touch hacked)`touch hacked`'\"; age: 30\n\xE5\xBA\x97 \xff";
  asked.history = {"cafe, Monday", "bar; rm -rf x"};
  asked.a = {{"p1", "cafe", 1.5, "quiet"}, {"p2", "", {}, ""}};
  asked.b = {{"p3", "bar", 0.25, ""}};
  return asked;
}

std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

Verdict ask(const std::string& script, const CommandLimits& limits = {}) { return CommandJudge(shell(script), limits)(small_case()); }

bool nothing_is_left() { return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD; }

/// The fault of what the script does to the judge, whose message must have `part`.
void fails(const std::string& script, JudgeFault fault, const std::string& part, const CommandLimits& limits = {}) {
  CAPTURE(script);
  bool failed = false;
  try {
    ask(script, limits);
  } catch (const JudgeError& e) {
    const std::string message = e.what();
    CAPTURE(message);
    failed = true;
    CHECK(e.fault() == fault);
    CHECK(message.find(part) != message.npos);
    CHECK(message.find("request 42") != message.npos);
  }
  CHECK(failed);
  CHECK(nothing_is_left());
}

const std::string good = R"(echo '{"better": "b", "fit_a": 2, "fit_b": 0, "reason": "near"}')";

}  // namespace

TEST_CASE("command judge: the case goes in as one line, the verdict comes out") {
  const scratch::Folder folder;
  const std::string seen = folder.file("seen");
  const Verdict v = ask("cat > " + seen + "; " + good);
  CHECK(v.better == BetterList::b);
  CHECK(v.fit_a == 2);
  CHECK(v.fit_b == 0);
  const std::string line = scratch::bytes_of(seen);
  CHECK(line.find('\n') == line.size() - 1);
  const auto json = nlohmann::json::parse(line);
  CHECK(json["request"] == 42);
  CHECK(json["history"] == nlohmann::json(small_case().history));
  CHECK(json["profile"].get<std::string>().starts_with("name: $(touch hacked)`touch hacked`'\"; age: 30\n\xE5\xBA\x97"));
  CHECK(json["a"][0]["distance_km"] == 1.5);
  CHECK(json["a"][1]["distance_km"].is_null());
  CHECK(json["b"][0]["category"] == "bar");
  CHECK(folder.entries() == 1);
  CHECK(nothing_is_left());
  const CommandJudge by_path({"sh", "-c", good});
  CHECK(by_path(small_case()).better == BetterList::b);
}

TEST_CASE("command judge: a command need not read what it is told, nor read it soon") {
  JudgeCase large = small_case();
  large.history.assign(3, std::string(1 << 20, 'h'));
  CHECK(CommandJudge(shell(good))(large).fit_a == 2);
  CHECK(CommandJudge(shell("exec 0<&-; " + good + "; sleep 0.05"))(large).fit_a == 2);
  CHECK(CommandJudge(shell("sleep 0.05; test $(wc -c) -gt 3145728 && " + good))(large).fit_a == 2);
  CHECK(nothing_is_left());
}

TEST_CASE("command judge: answers that are none") {
  for (const char* answer : {"", "no JSON", "[1]", "{}", R"({"better": "c", "fit_a": 1, "fit_b": 1})", R"({"better": "a", "fit_a": 3, "fit_b": 1})",
                             R"({"better": "a", "fit_a": -1, "fit_b": 1})", R"({"better": "a", "fit_a": 1.0, "fit_b": 1})",
                             R"({"better": "a", "fit_a": 1})", R"({"better": 1, "fit_a": 1, "fit_b": 1})",
                             R"({"better": "a", "fit_a": 1, "fit_b": 1} and more)"})
    fails("printf '%s' '" + std::string(answer) + "'", JudgeFault::answer, "of at most 2 and 1");
  fails("printf '\\377\\000'", JudgeFault::answer, "answered");
  fails(good + ";" + good, JudgeFault::answer, "answered");
}

TEST_CASE("command judge: exit statuses, signals and programs that are not there") {
  fails(good + "; exit 3", JudgeFault::status, "exit status 3");
  fails("kill -9 $$", JudgeFault::status, "signal 9");
  const auto error = [](const std::vector<std::string>& command) {
    try {
      CommandJudge{command}(small_case());
    } catch (const JudgeError& e) {
      CHECK(e.fault() == JudgeFault::start);
      return std::string(e.what());
    }
    return std::string();
  };
  CHECK(error({"/no/such/program"}).find("No such file") != std::string::npos);
  CHECK(error({"no-such-program-in-the-path"}).find("No such file") != std::string::npos);
  CHECK_THROWS_AS(CommandJudge({}), ConfigError);
  CHECK_THROWS_AS(CommandJudge({""}), ConfigError);
  CHECK_THROWS_AS(CommandJudge({"sh", std::string("a\0b", 3)}), ConfigError);
  CHECK_THROWS_AS(CommandJudge({"sh"}, {.seconds = 0}), ConfigError);
  CHECK_THROWS_AS(CommandJudge({"sh"}, {.most_output = 0}), ConfigError);
  CHECK(nothing_is_left());
}

TEST_CASE("command judge: who takes too long is killed with all it started") {
  const CommandLimits short_time{.seconds = 0.15};
  const Stopwatch watch;
  fails("sleep 60", JudgeFault::time, "0.1 s", short_time);
  fails(good + "; exec 1>&-; sleep 60", JudgeFault::time, "killed", short_time);
  fails("sleep 60 & " + good, JudgeFault::time, "killed", short_time);  // holds the output open
  fails("trap '' TERM INT; while :; do sleep 1; done", JudgeFault::time, "killed", short_time);
  CHECK(ask("sleep 60 > /dev/null & " + good).fit_a == 2);  // what is left of the group is killed
  CHECK(watch.seconds() < 30);
}

TEST_CASE("command judge: megabytes of output are not taken") {
  const Stopwatch watch;
  fails("yes", JudgeFault::output, "more than 65536 bytes");
  fails("head -c 5000000 /dev/zero", JudgeFault::output, "wrote more than");
  fails("cat; " + good, JudgeFault::output, "more than 8 bytes", {.most_output = 8});
  CHECK(watch.seconds() < 30);
}

TEST_CASE("command judge: several threads may ask one judge") {
  const CommandJudge judge(shell("cat > /dev/null; " + good));
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  for (std::size_t t = 0; t < right.size(); ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) right[t] += judge(small_case()).fit_a == 2;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(right == std::vector<int>(4, 5));
}
