// kill -9 at random moments, most of which fall into the writing of a checkpoint; and a disk that fills up. The trainings
// run in processes of their own: this executable, asked for the test case "child" alone.

#include "train/child.hpp"

#include <sys/resource.h>

#include <cstdlib>
#include <random>

#include "train/tiny.hpp"

using namespace chronotope;
using scratch::Folder;

namespace {

Config busy() {
  Config config = tiny::config();
  config.training.epochs = 6, config.training.batch = 2, config.training.checkpoint_seconds = 0;  // a checkpoint after every step
  return config;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

child::Process start(const std::string& backend, const std::string& folder, const std::string& limit = "") {
  return child::Process({"/proc/self/exe", "--no-skip", "--test-case=child"},
                        {"TINY_BACKEND=" + backend, "TINY_FOLDER=" + folder, "TINY_FILE_LIMIT=" + limit, "OMP_WAIT_POLICY=passive"}, "/dev/null", "/dev/null");
}

bool leftovers(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().filename().string().find(".tmp-") != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("child" * doctest::skip()) {
  const std::string folder = variable("TINY_FOLDER"), limit = variable("TINY_FILE_LIMIT");
  REQUIRE(!folder.empty());
  if (!limit.empty()) {
    const rlimit bytes{std::stoul(limit), std::stoul(limit)};
    signal(SIGXFSZ, SIG_IGN);  // then writing beyond the limit fails as on a full disk
    REQUIRE(setrlimit(RLIMIT_FSIZE, &bytes) == 0);
  }
  const auto train = [&] { tiny::train(variable("TINY_BACKEND"), tiny::city(), busy(), folder, has_checkpoint(folder, last_checkpoint)); };
  if (limit.empty()) CHECK_NOTHROW(train());
  else CHECK_THROWS_WITH_AS(train(), doctest::Contains("cannot be written"), FileError);
}

TEST_CASE("killed at random moments, a training still ends with the same bits") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  int kills = 0, in_writing = 0, finished = 0;
  for (const std::string& backend : tiny::backends()) {
    CAPTURE(backend);
    const Folder folder;
    const std::string whole = folder.file("whole"), last = std::string("/") + last_checkpoint, best = std::string("/") + best_checkpoint;
    const auto began = std::chrono::steady_clock::now();
    REQUIRE(start(backend, whole).wait().code == 0);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    std::uniform_real_distribution<double> delay(0.1 * seconds, 0.6 * seconds);
    std::string parts = folder.file("parts0");
    const auto check_end = [&] {
      CHECK(tiny::difference(whole + last, parts + last) == "");
      CHECK(tiny::difference(whole + best, parts + best) == "");
      CHECK_FALSE(leftovers(parts));
    };
    for (int i = 0; i < 8; ++i) {
      const child::End end = start(backend, parts).kill_after(std::chrono::duration<double>(delay(random)));
      if (end.signal == 0) {  // it was faster than the killer: begin anew
        REQUIRE(end.code == 0);
        check_end();
        parts = folder.file("parts" + std::to_string(++finished));
        continue;
      }
      ++kills;
      in_writing += leftovers(parts);
      for (const char* name : {last_checkpoint, best_checkpoint})
        if (has_checkpoint(parts, name)) CHECK_NOTHROW(read_checkpoint(parts, name));
    }
    REQUIRE(start(backend, parts).wait().code == 0);
    check_end();
    CHECK_NOTHROW(read_trained(parts));
  }
  MESSAGE("seed " << seed << ": " << kills << " kills, " << in_writing << " of them while a checkpoint was being written");
  CHECK(kills > 0);
}

TEST_CASE("a full disk is an error and leaves the old checkpoint") {
  const std::string backend = tiny::backends().front();
  const Folder folder;
  RunObserver observer;
  observer.on_epoch = [](const EpochReport&) { throw tiny::Stop{}; };
  CHECK_THROWS_AS(tiny::train(backend, tiny::city(), busy(), folder.file("m"), false, observer), tiny::Stop);
  const std::string last = folder.file("m/") + last_checkpoint, before = scratch::bytes_of(last);
  REQUIRE(before.size() > 40000);
  CHECK(start(backend, folder.file("m"), "20000").wait().code == 0);  // the child has checked its error
  CHECK(scratch::bytes_of(last) == before);
  CHECK_FALSE(leftovers(folder.file("m")));
  CHECK(start(backend, folder.file("fresh"), "2000").wait().code == 0);
  CHECK_FALSE(has_checkpoint(folder.file("fresh"), last_checkpoint));
  CHECK_FALSE(leftovers(folder.file("fresh")));
  CHECK(start(backend, folder.file("m")).wait().code == 0);  // there is room again
}
