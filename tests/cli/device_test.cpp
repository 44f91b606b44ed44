// Which device computes, and how: options that are there only beside the CUDA module.

#include "cli/world.hpp"

using namespace program;

namespace {

/// A module of that name; nothing of it is loaded where another backend computes.
struct SomeModule {
  SomeModule() { setenv("CHRONOTOPE_CUDA_MODULE", world().put("module.so", "not a module").c_str(), 1); }
  ~SomeModule() { unsetenv("CHRONOTOPE_CUDA_MODULE"); }
};

}  // namespace

PROGRAM_TEST("--math is there beside the CUDA module, and an error with another backend") {
  world();
  const SomeModule scope;
  CHECK(works({"train", "--help"}).out.find("--math") != std::string::npos);
  const auto before = snapshot(world().root());
  for (const char* math : {"ieee", "tf32", "bf16"})
    fails(with(world().train(world().city, world().file("new")), {"--math", math}), {std::string("--math ") + math + " needs --backend cuda"});
  fails({"evaluate", "--checkpoint", world().model, "--data", world().city, "--math", "tf32"}, {"--math tf32 needs --backend cuda"});
  fails(with(world().train(world().city, world().file("new")), {"--backend", "cuda", "--math", "fp8"}), {"--math"});
  CHECK(snapshot(world().root()) == before);
}
