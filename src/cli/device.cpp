#include "cli/device.hpp"

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

template <Backend B> any_backend::stream make(typename B::stream s, const std::shared_ptr<Timings>& timings) {
  if (timings) return any_stream<timed<B>>({std::move(s), timings});
  return any_stream<B>(std::move(s));
}

}  // namespace

void Device::add_to(CLI::App& command) {
  const std::vector<std::string> names = built_backends();
  if (!names.empty()) backend = names.front();
  command.add_option("--backend", backend, "what computes")->check(CLI::IsMember(names))->capture_default_str();
  if (!names.empty() && names.back() == "cuda") command.add_option("--gpu", gpu, "which device computes with --backend cuda")->check(CLI::Range(0, 63))->capture_default_str();
  command.add_option("--threads", threads, "CPU threads; 0: all there are")->check(CLI::Range(0, 1024))->capture_default_str();
}

any_backend::stream Device::stream(const std::shared_ptr<Timings>& timings) const {
#ifdef CHRONOTOPE_HAVE_ONEDNN
  if (backend == "onednn") return make<onednn_backend>(onednn_backend::stream(usable_threads()), timings);
#endif
#ifdef CHRONOTOPE_HAVE_EIGEN
  if (backend == "eigen") return make<eigen_backend>({usable_threads()}, timings);
#endif
  if (backend == "cuda") return cuda_stream(gpu, timings);
  throw BackendError("this program was built without the backend \"" + backend + "\"");
}

int Device::usable_threads() const { return threads > 0 ? threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

std::string Device::describe() const {
  if (backend == "cuda") return "cuda, device " + std::to_string(gpu);
  const int n = usable_threads();
  return backend + ", " + std::to_string(n) + (n == 1 ? " thread" : " threads");
}

}  // namespace chronotope::cli
