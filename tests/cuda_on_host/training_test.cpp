// The program with --backend cuda, the module being the emulated device's: a short training takes the steps it takes on Eigen, and
// what was trained serves. Skipped where ctest names no program.
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "chronotope/core/safetensors.hpp"
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

PROGRAM_TEST("steps of a training in tf32 or bf16 stay near those in IEEE arithmetic, with weights of f32") {
  const std::string town = world().file("town.csv.gz"), config = world().put("softmax.json", R"({
    "seed": 3,
    "model": {"head": "vocabulary", "layers": 1, "width": 24, "heads": 2, "feed_forward": 24, "length": 8, "geo_rows": 16},
    "training": {"learning_rate": 1e-2, "warmup_steps": 2, "epochs": 1, "batch": 2}
  })");
  works({"generate-city", "--out", town, "--users", "6", "--places", "50", "--checkins-per-user", "20", "--days", "40", "--seed", "3"});
  constexpr int steps = 5;
  const auto trained = [&](const std::string& math) {
    const std::string file = world().file(math + ".safetensors");
    works(on("cuda", {"dump-steps", "--config", config, "--data", town, "--out", file, "--steps", std::to_string(steps), "--math", math}));
    return chronotope::read_safetensors(file);
  };
  const auto wanted = trained("ieee");
  for (const auto& [math, near] : {std::pair{"tf32", 0x1p-11}, {"bf16", 0x1p-9}}) {
    const std::string mode = math;
    CAPTURE(mode);
    const auto got = trained(mode);
    double furthest = 0;
    for (int i = 0; i < steps; ++i) {
      const auto loss = [name = "step." + std::to_string(i) + ".loss"](const auto& run) { return run.tensors.at(name).template values<double>()[0]; };
      furthest = std::max(furthest, std::abs(loss(got) - loss(wanted)) / loss(wanted));
    }
    MESSAGE(mode << ": losses differ by " << furthest << " at most");
    CHECK(furthest < near);
    CHECK(furthest > 0);
    for (const auto& [name, tensor] : got.tensors)
      if (!name.starts_with("step.")) CHECK(tensor.dtype == chronotope::DType::f32);
  }
}

TEST_CASE("a module that is none is an error that names it" * doctest::skip(path().empty())) {
  const std::string good = std::getenv("CHRONOTOPE_CUDA_MODULE"), bad = world().put("none.so", "not a module");
  setenv("CHRONOTOPE_CUDA_MODULE", bad.c_str(), 1);
  fails(on("cuda", world().train(world().city, world().file("none"))), {"CUDA module", "none.so"});
  setenv("CHRONOTOPE_CUDA_MODULE", good.c_str(), 1);
}
