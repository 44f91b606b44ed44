// Stream capture and graphs, one branch of nodes after another: what forks is not here.
#include "emulator/graph.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "emulator/device.hpp"

using namespace cuda_on_host;

struct cudaGraph {
  std::vector<Node> nodes;
};
struct cudaGraphExec {
  std::shared_ptr<const std::vector<Node>> nodes;  ///< launches before an update keep theirs
};

namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

/// Those that were made and not destroyed.
template <class T> std::set<T*>& living() {
  static std::set<T*>& all = *new std::set<T*>;
  return all;
}
template <class T> T* born(T made) { return *living<T>().insert(new T(std::move(made))).first; }
template <class T> cudaError_t destroy(T* object) {
  const Lock lock(device().mutex);
  if (living<T>().erase(object) == 0) return device().set_fault("a graph is destroyed that is none");
  delete object;
  return cudaSuccess;
}
template <class T> bool is_dead(T* object) {
  if (living<T>().contains(object)) return false;
  device().set_fault("use of a graph that was destroyed");
  return true;
}

bool may_replace(const std::vector<Node>& before, const std::vector<Node>& now) {
  return std::equal(before.begin(), before.end(), now.begin(), now.end(), [](const Node& a, const Node& b) { return a.kind == b.kind && a.identity == b.identity; });
}

}  // namespace

namespace cuda_on_host {

int& captures_of_thread() {
  thread_local int captures = 0;
  return captures;
}

cudaError_t capture_node(cudaStream& stream, Node node) {
  if (!stream.capture->valid) return device().refuse(cudaErrorStreamCaptureInvalidated);
  if (node.kind == NodeKind::graph) return unsupported(stream);  // a child graph on a device; nobody wants one
  if (node.kind == NodeKind::bookkeeping) return cudaSuccess;
  auto& spoils = stream.capture->spoils;
  if (node.kind == NodeKind::spoil) return spoils.push_back(std::move(node.run)), cudaSuccess;
  if (!spoils.empty())
    node.run = [before = std::exchange(spoils, {}), run = std::move(node.run)] {
      for (const auto& spoil : before) spoil();
      run();
    };
  stream.capture->nodes.push_back(std::move(node));
  return cudaSuccess;
}

cudaError_t unsupported(cudaStream& stream) {
  stream.capture->valid = false;
  return device().refuse(cudaErrorStreamCaptureUnsupported);
}

}  // namespace cuda_on_host

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  const Lock lock(device().mutex);
  if (!device().fault.empty()) return device().refuse(cudaErrorLaunchFailure);
  if (!stream) return device().refuse(cudaErrorStreamCaptureUnsupported);
  if (stream->capture) return device().refuse(cudaErrorInvalidValue);
  if (mode != cudaStreamCaptureModeRelaxed) return device().set_fault("a capture that is not relaxed: allocations aside would break it");
  stream->capture.emplace();
  ++captures_of_thread();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const Lock lock(device().mutex);
  *graph = nullptr;
  if (!stream->capture) return device().refuse(cudaErrorStreamCaptureUnmatched);
  Capture capture = std::move(*stream->capture);
  stream->capture.reset();
  --captures_of_thread();
  if (!device().fault.empty()) return device().refuse(cudaErrorLaunchFailure);
  if (!capture.valid) return device().refuse(cudaErrorStreamCaptureInvalidated);
  *graph = born(cudaGraph{std::move(capture.nodes)});
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  const Lock lock(device().mutex);
  if (is_dead(graph)) return cudaErrorLaunchFailure;
  if (nodes) return device().refuse(cudaErrorInvalidValue);  // only the number is asked for
  *count = graph->nodes.size();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long flags) {
  const Lock lock(device().mutex);
  if (is_dead(graph)) return cudaErrorLaunchFailure;
  if (flags != 0) return device().refuse(cudaErrorInvalidValue);
  *exec = born(cudaGraphExec{std::make_shared<const std::vector<Node>>(graph->nodes)});
  ++device().instantiations;
  return cudaSuccess;
}

cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphExecUpdateResultInfo* result) {
  const Lock lock(device().mutex);
  if (is_dead(exec) || is_dead(graph)) return cudaErrorLaunchFailure;
  if (!result) return device().refuse(cudaErrorInvalidValue);
  if (!may_replace(*exec->nodes, graph->nodes)) return device().refuse(cudaErrorGraphExecUpdateFailure);
  exec->nodes = std::make_shared<const std::vector<Node>>(graph->nodes);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const Lock lock(device().mutex);
  if (is_dead(exec)) return cudaErrorLaunchFailure;
  const auto run = [nodes = exec->nodes] {
    for (const Node& node : *nodes) node.run();
  };
  const cudaError_t status = device().enqueue(stream, {NodeKind::graph, nullptr, run});
  device().graph_launches += status == cudaSuccess;
  return status;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return destroy(graph); }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) { return destroy(exec); }
