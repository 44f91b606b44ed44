#include "cli/device.hpp"

#include <CLI/CLI.hpp>
#include <map>
#include <thread>
#include <vector>

#include "chronotope/core/error.hpp"
#include "cli/cuda_loader.hpp"
#ifdef CHRONOTOPE_HAVE_EIGEN
#include "chronotope/backend/eigen_backend.hpp"
#endif
#ifdef CHRONOTOPE_HAVE_ONEDNN
#include "chronotope/backend/onednn_backend.hpp"
#endif

namespace chronotope::cli {
namespace {

/// The fastest on a CPU first: it is the default.
std::vector<std::string> built_backends() {
  std::vector<std::string> names;
#ifdef CHRONOTOPE_HAVE_ONEDNN
  names.push_back("onednn");
#endif
#ifdef CHRONOTOPE_HAVE_EIGEN
  names.push_back("eigen");
#endif
  if (!cuda_module().empty()) names.push_back("cuda");
  return names;
}

const std::map<std::string, MathMode> math_modes{{"ieee", MathMode::ieee}, {"tf32", MathMode::tf32}, {"bf16", MathMode::bf16}};

std::string name_of(MathMode math) {
  for (const auto& [name, mode] : math_modes)
    if (mode == math) return name;
  return "";
}

void add_cuda_options(Device& device, CLI::App& command) {
  command.add_option("--gpu", device.gpu, "which device computes with --backend cuda; under mpirun that of a machine's first process, the others take the next")
      ->check(CLI::Range(0, 63))
      ->capture_default_str();
  command.add_option("--math", device.math, "with --backend cuda, how f32 are multiplied; weights and sums stay f32. Unless given: ieee")
      ->transform(CLI::CheckedTransformer(math_modes))
      ->option_text("ieee|tf32|bf16");
}

template <Backend B> any_backend::stream make(typename B::stream s, const std::shared_ptr<Timings>& timings) {
  if (timings) return any_stream<timed<B>>({std::move(s), timings});
  return any_stream<B>(std::move(s));
}

}  // namespace

void Device::add_to(CLI::App& command) {
  const std::vector<std::string> names = built_backends();
  if (!names.empty()) backend = names.front();
  command.add_option("--backend", backend, "what computes")->check(CLI::IsMember(names))->capture_default_str();
  if (!names.empty() && names.back() == "cuda") add_cuda_options(*this, command);
  command.add_option("--threads", threads, "CPU threads; 0: all there are")->check(CLI::Range(0, 1024))->capture_default_str();
}

any_backend::stream Device::stream(const std::shared_ptr<Timings>& timings) const {
  if (math && backend != "cuda") throw ConfigError("--math " + name_of(*math) + " needs --backend cuda");
#ifdef CHRONOTOPE_HAVE_ONEDNN
  if (backend == "onednn") return make<onednn_backend>(onednn_backend::stream(usable_threads()), timings);
#endif
#ifdef CHRONOTOPE_HAVE_EIGEN
  if (backend == "eigen") return make<eigen_backend>({usable_threads()}, timings);
#endif
  if (backend == "cuda") return cuda_stream(gpu, math.value_or(MathMode::ieee), timings);
  throw BackendError("this program was built without the backend \"" + backend + "\"");
}

int Device::usable_threads() const { return threads > 0 ? threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

std::string Device::describe() const {
  if (backend == "cuda") return "cuda, device " + std::to_string(gpu) + ", " + name_of(math.value_or(MathMode::ieee));
  const int n = usable_threads();
  return backend + ", " + std::to_string(n) + (n == 1 ? " thread" : " threads");
}

}  // namespace chronotope::cli
