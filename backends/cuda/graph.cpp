#include "graph.hpp"

#include <algorithm>
#include <memory>

#include "chronotope/core/error.hpp"

namespace chronotope {

using cuda::check;

namespace {

constexpr const char* operation = "as_graph";

/// Whether it could take these arguments. Work of it that is under way keeps those it had.
bool update(cudaGraphExec_t exec, cudaGraph_t recorded) {
  cudaGraphExecUpdateResultInfo why{};
  const cudaError_t status = cudaGraphExecUpdate(exec, recorded, &why);
  if (status != cudaErrorGraphExecUpdateFailure) check(status, operation);
  else cudaGetLastError();
  return status == cudaSuccess;
}

}  // namespace

cuda_backend::graph::Impl::~Impl() {
  for (const Executable& e : kept) cudaGraphExecDestroy(e.exec);  // one that runs goes when it has run
}

void cuda_backend::graph::Impl::launch(cudaGraph_t recorded, cudaStream_t stream) {
  std::size_t nodes = 0;
  check(cudaGraphGetNodes(recorded, nullptr, &nodes), operation);
  if (nodes == 0) return;
  const auto found = std::find_if(kept.begin(), kept.end(), [&](const Executable& e) { return e.nodes == nodes && update(e.exec, recorded); });
  if (found != kept.end()) {
    std::rotate(kept.begin(), found, found + 1);
  } else {
    kept.reserve(most + 1);
    cudaGraphExec_t exec = nullptr;
    check(cudaGraphInstantiate(&exec, recorded, 0), operation);
    kept.insert(kept.begin(), {nodes, exec});
    ++made;
    if (kept.size() > most) cudaGraphExecDestroy(kept.back().exec), kept.pop_back();
  }
  check(cudaGraphLaunch(kept.front().exec, stream), operation);
}

cuda_backend::graph::graph() : impl_(std::make_unique<Impl>()) {}
cuda_backend::graph::~graph() = default;
cuda_backend::graph::graph(graph&&) noexcept = default;
cuda_backend::graph& cuda_backend::graph::operator=(graph&&) noexcept = default;
std::size_t cuda_backend::graph::instantiated() const { return impl_->made; }

void cuda_backend::as_graph(stream& s, graph& g, const std::function<void()>& work) {
  stream::Impl& impl = s.impl();
  if (impl.recording) throw BackendError("[cuda] as_graph: a graph is being recorded already");
  const cuda::DeviceGuard guard(impl.device, operation);
  impl.blas(), impl.plans.handle();  // take memory and wait
  cuda::Recording recording(impl, g.impl());
  work();
  recording.launch();
}

namespace cuda {

Recording::Recording(cuda_backend::stream::Impl& stream, cuda_backend::graph::Impl& graph) : stream_(stream), graph_(graph) { begin(); }

Recording::~Recording() {
  if (!capturing_) return;
  cudaError_t status = cudaSuccess;
  if (const cudaGraph_t recorded = end(status)) cudaGraphDestroy(recorded);
  if (status != cudaSuccess) cudaGetLastError();  // what went wrong was thrown where it did
  let_go();
}

void Recording::begin() {
  stream_.memory.begin_recording(*this);
  stream_.staging.begin_recording();
  // Relaxed: memory is taken from another stream meanwhile, and kernels are loaded when they are first used.
  const cudaError_t status = cudaStreamBeginCapture(stream_.stream, cudaStreamCaptureModeRelaxed);
  if (status != cudaSuccess) let_go();
  check(status, operation);
  capturing_ = stream_.recording = true;
}

cudaGraph_t Recording::end(cudaError_t& status) noexcept {
  capturing_ = stream_.recording = false;
  cudaGraph_t recorded = nullptr;
  status = cudaStreamEndCapture(stream_.stream, &recorded);
  return recorded;
}

void Recording::let_go() noexcept {
  stream_.staging.end_recording(stream_.stream);
  stream_.memory.end_recording();
}

void Recording::launch() {
  cudaError_t status = cudaSuccess;
  const std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, cudaError_t (*)(cudaGraph_t)> recorded(end(status), cudaGraphDestroy);
  try {
    check(status, operation);
    graph_.launch(recorded.get(), stream_.stream);
  } catch (...) {
    let_go();
    throw;
  }
  let_go();
}

void Recording::cut() {
  launch();
  begin();
}

}  // namespace cuda
}  // namespace chronotope
