// Captured streams and graphs of the emulated device: what a mistake leads to.
#include <doctest/doctest.h>

#include <cuda_runtime.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "bench.hpp"
#include "emulator/control.hpp"

using namespace cuda_on_host;

namespace {

/// A bench whose stream is captured. Its memory is there.
struct Captured : Bench {
  Captured() : Bench(64) {
    REQUIRE(cudaStreamSynchronize(queue.stream) == cudaSuccess);
    REQUIRE(cudaStreamBeginCapture(queue.stream, cudaStreamCaptureModeRelaxed) == cudaSuccess);
  }
  ~Captured() { end(); }
  cudaGraph_t end() {
    cudaGraph_t graph = nullptr;
    status = cudaStreamEndCapture(queue.stream, &graph);
    return graph;
  }
  cudaGraphExec_t instantiated() {
    const cudaGraph_t graph = end();
    cudaGraphExec_t exec = nullptr;
    REQUIRE(cudaGraphInstantiate(&exec, graph, 0) == cudaSuccess);
    REQUIRE(cudaGraphDestroy(graph) == cudaSuccess);
    return exec;
  }
  cudaError_t status = cudaSuccess;
};

std::string of_capture(const std::function<void(Captured&)>& f) {
  return mishap([&] {
    Captured bench;
    f(bench);
  });
}

}  // namespace

TEST_CASE("what a captured stream is given runs when its graph does, as often as that is launched") {
  cuda_on_host::reset();
  Captured bench;
  launch(bench.queue, "number", own_number, 1, 64, bench.data);
  const cudaGraphExec_t exec = bench.instantiated();
  CHECK(bench.fetch() == std::vector<int>(64, -1));
  const std::size_t before = cuda_on_host::kernels_run(), sent = cuda_on_host::host_launches();
  cudaGraphLaunch(exec, bench.queue.stream), cudaGraphLaunch(exec, bench.queue.stream);
  CHECK(cuda_on_host::host_launches() == sent + 2);
  CHECK(bench.fetch()[63] == 63);
  CHECK(cuda_on_host::kernels_run() == before + 2);
  CHECK(cudaGraphExecDestroy(exec) == cudaSuccess);
}

TEST_CASE("wrong uses of a stream that is captured are refused") {
  says(of_capture([](Captured& b) {
         void* more = nullptr;
         cudaMallocAsync(&more, 64, b.queue.stream);
       }),
       "it would become a node of the graph");
  says(of_capture([](Captured& b) { cudaFreeAsync(b.data, b.queue.stream); }), "it would become a node of the graph");
  says(mishap([] {
         Bench bench(64);
         cudaStreamBeginCapture(bench.queue.stream, cudaStreamCaptureModeGlobal);
       }),
       "not relaxed");
  cuda_on_host::reset();
  Captured b;
  cudaEvent_t event = nullptr;
  cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
  CHECK(cudaEventRecord(event, b.queue.stream) == cudaSuccess);
  CHECK(cudaEventQuery(event) == cudaErrorCapturedEvent);
  CHECK(cudaEventSynchronize(event) == cudaErrorCapturedEvent);
  CHECK(cudaEventDestroy(event) == cudaSuccess);
  CHECK(cudaFreeHost(nullptr) == cudaErrorStreamCaptureUnsupported);
  CHECK(cudaStreamBeginCapture(b.queue.stream, cudaStreamCaptureModeRelaxed) == cudaErrorInvalidValue);
  CHECK(cudaStreamSynchronize(b.queue.stream) == cudaErrorStreamCaptureUnsupported);
  CHECK_THROWS(launch(b.queue, "late", own_number, 1, 64, b.data));
  CHECK(cudaGetLastError() == cudaSuccess);
  CHECK(b.end() == nullptr);  // the wait has broken it
  CHECK(b.status == cudaErrorStreamCaptureInvalidated);
  CHECK(b.end() == nullptr);
  CHECK(b.status == cudaErrorStreamCaptureUnmatched);
  CHECK(cudaStreamSynchronize(b.queue.stream) == cudaSuccess);
}

TEST_CASE("wrong uses of graphs are refused") {
  says(of_capture([](Captured& b) {
         const cudaGraphExec_t exec = b.instantiated();
         cudaGraphExecDestroy(exec);
         cudaGraphLaunch(exec, b.queue.stream);
       }),
       "use of a graph that was destroyed");
  says(of_capture([](Captured& b) {
         const cudaGraph_t graph = b.end();
         cudaGraphDestroy(graph), cudaGraphDestroy(graph);
       }),
       "a graph is destroyed that is none");
  says(of_capture([](Captured& b) {  // what was freed since
         launch(b.queue, "number", own_number, 1, 64, b.data);
         const cudaGraphExec_t exec = b.instantiated();
         cudaFreeAsync(b.data, b.queue.stream);
         cudaGraphLaunch(exec, b.queue.stream);
         cudaStreamSynchronize(b.queue.stream);
       }),
       "an argument points to byte 0 of a freed block");
}

TEST_CASE("a graph takes the arguments of an equal one, and those only; launches before keep theirs") {
  cuda_on_host::reset();
  Captured bench;
  const auto capture = [&](int offset, void (*kernel)(int*, int) = write_at) {
    launch(bench.queue, "write", kernel, 1, 64, bench.data, offset);
    return bench.end();
  };
  const auto again = [&] { cudaStreamBeginCapture(bench.queue.stream, cudaStreamCaptureModeRelaxed); };
  const cudaGraph_t first = capture(3);
  again();
  const cudaGraph_t second = capture(5);
  again();
  const cudaGraph_t other = capture(5, read_at);
  cudaGraphExec_t exec = nullptr;
  cudaGraphExecUpdateResultInfo why{};
  REQUIRE(cudaGraphInstantiate(&exec, first, 0) == cudaSuccess);
  cudaGraphLaunch(exec, bench.queue.stream);
  CHECK(cudaGraphExecUpdate(exec, other, &why) == cudaErrorGraphExecUpdateFailure);
  CHECK(cudaGraphExecUpdate(exec, second, &why) == cudaSuccess);
  cudaGetLastError();
  cudaGraphLaunch(exec, bench.queue.stream);
  cudaGraphExecDestroy(exec);
  for (const cudaGraph_t graph : {first, second, other}) cudaGraphDestroy(graph);
  const std::vector<int> seen = bench.fetch();
  CHECK(seen[3] == 7);
  CHECK(seen[5] == 7);
}

TEST_CASE("a graph reads pinned memory when it runs: filling it again too early shows") {
  cuda_on_host::reset();
  void* pinned = nullptr;
  REQUIRE(cudaHostAlloc(&pinned, 256, cudaHostAllocDefault) == cudaSuccess);
  std::memset(pinned, 1, 256);
  {
    Captured bench;
    cudaMemcpyAsync(bench.data, pinned, 256, cudaMemcpyHostToDevice, bench.queue.stream);
    const cudaGraphExec_t exec = bench.instantiated();
    cudaGraphLaunch(exec, bench.queue.stream);
    std::memset(pinned, 2, 256);
    CHECK(bench.fetch()[0] == 0x02020202);
    cudaGraphExecDestroy(exec);
  }
  CHECK(cudaFreeHost(pinned) == cudaSuccess);
}
