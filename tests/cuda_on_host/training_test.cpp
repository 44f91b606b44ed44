// The program with --backend cuda, the module being the emulated device's: a short training takes the steps it takes on Eigen, and
// what was trained serves. Skipped where ctest names no program.
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "cli/world.hpp"

using namespace program;

namespace {

/// The losses of all steps that a run's log has.
std::vector<double> losses(const std::string& run) {
  std::vector<double> all;
  std::ifstream log(run + "/log.jsonl");
  for (std::string line; std::getline(log, line);) {
    const auto entry = nlohmann::json::parse(line);
    if (entry.contains("loss")) all.push_back(entry.at("loss").get<double>());
  }
  return all;
}

std::vector<std::string> on(const char* backend, std::vector<std::string> arguments) { return with(std::move(arguments), {"--backend", backend}); }

}  // namespace

PROGRAM_TEST("a training on the CUDA backend takes the steps of one on Eigen") {
  const std::string ours = world().file("cuda"), reference = world().file("eigen");
  works(on("cuda", with(world().train(world().city, ours), {"--set", "training.epochs=1"})));
  works(on("eigen", with(world().train(world().city, reference), {"--set", "training.epochs=1"})));
  const std::vector<double> got = losses(ours), wanted = losses(reference);
  REQUIRE(got.size() == wanted.size());
  REQUIRE(got.size() >= 8);
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(got[i] - wanted[i]) <= 1e-3 * wanted[i]);  // rounding, carried on through all the steps
  }
  const auto recommend = [&](const char* backend) {
    return works(on(backend, {"recommend", "--checkpoint", ours, "--data", world().city, "--user", first_user(), "--top", "5", "--json"})).out;
  };
  CHECK(nlohmann::json::parse(recommend("cuda")).at("recommendations").size() == 5);
}

PROGRAM_TEST("a training in tf32 or bf16 stays near one in IEEE arithmetic, and its checkpoint is f32") {
  const std::string city = world().file("hamlet.csv.gz");
  works({"generate-city", "--out", city, "--users", "6", "--places", "30", "--checkins-per-user", "20", "--days", "40", "--seed", "3"});
  const auto train = [&](const std::string& run, const char* math) {
    works(on("cuda", with(world().train(city, run), {"--set", "training.batch=2", "--set", "training.epochs=1", "--math", math})));
    return losses(run);
  };
  const std::vector<double> wanted = train(world().file("ieee"), "ieee");
  REQUIRE(wanted.size() >= 4);
  for (const auto& [math, near] : {std::pair{"tf32", 2e-3}, {"bf16", 1e-2}}) {
    CAPTURE(math);
    const std::vector<double> got = train(world().file(math), math);
    REQUIRE(got.size() == wanted.size());
    double furthest = 0;
    for (std::size_t i = 0; i < got.size(); ++i) furthest = std::max(furthest, std::abs(got[i] - wanted[i]) / wanted[i]);
    MESSAGE(math << ": losses differ by " << furthest << " at most");
    CHECK(furthest < near);
    CHECK(furthest > 0);
    const std::string tensors = works({"info", "--checkpoint", world().file(math), "--tensors"}).out;
    CHECK(tensors.find(" f32 [") != std::string::npos);
    CHECK(tensors.find(" bf16 ") == std::string::npos);
  }
}

TEST_CASE("a module that is none is an error that names it" * doctest::skip(path().empty())) {
  const std::string good = std::getenv("CHRONOTOPE_CUDA_MODULE"), bad = world().put("none.so", "not a module");
  setenv("CHRONOTOPE_CUDA_MODULE", bad.c_str(), 1);
  fails(on("cuda", world().train(world().city, world().file("none"))), {"CUDA module", "none.so"});
  setenv("CHRONOTOPE_CUDA_MODULE", good.c_str(), 1);
}
