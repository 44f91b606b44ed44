// The stand-in for NCCL must be able to fail: what ranks do wrong is told, and what a rank that is gone means for the other.
#include <doctest/doctest.h>

#include <nccl.h>

#include <cstdlib>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "chronotope/core/error.hpp"
#include "chronotope/train/nccl_communicator.hpp"
#include "data/scratch.hpp"
#include "emulator/control.hpp"
#include "mishap.hpp"

using namespace chronotope;
using cuda_on_host::mishap;

namespace {

/// Ranks that end in the middle leave their meetings there.
struct Temporary {
  Temporary() { setenv("TMPDIR", folder.file("").c_str(), 1); }
  scratch::Folder folder;
} const temporary;

/// A rank with its device: a communicator, a stream, and 8 numbers there.
struct Rank {
  Rank(int self, int of, const ncclUniqueId& id, int device) : number(self) {
    cudaSetDevice(device);
    cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    cudaMallocAsync(reinterpret_cast<void**>(&data), 8 * sizeof(float), stream);
    joined = ncclCommInitRank(&comm, of, id, self);
  }
  Rank(const Rank&) = delete;
  Rank& operator=(const Rank&) = delete;
  ncclResult_t sum(std::size_t n, ncclDataType_t type = ncclFloat32) { return ncclAllReduce(data, data, n, type, ncclSum, comm, stream); }
  cudaError_t wait() { return cudaStreamSynchronize(stream); }

  int number;
  cudaStream_t stream = nullptr;
  float* data = nullptr;
  ncclComm_t comm = nullptr;
  ncclResult_t joined;
};

ncclUniqueId new_id() {
  ncclUniqueId id;
  REQUIRE(ncclGetUniqueId(&id) == ncclSuccess);
  return id;
}

/// What goes wrong where two ranks, with a thread and a device each, do this.
std::string of_two(const std::function<void(Rank&)>& f) {
  return mishap([&] {
    const ncclUniqueId id = new_id();
    const auto run = [&](int number) {
      Rank rank(number, 2, id, number);
      f(rank);
    };
    std::thread other(run, 1);
    run(0);
    other.join();
  });
}

/// What goes wrong where one rank alone does this.
std::string of_one(const std::function<void(Rank&)>& f) {
  return mishap([&] {
    Rank rank(0, 1, new_id(), 0);
    f(rank);
  });
}

void says(const std::string& text, const std::string& part) {
  CAPTURE(text);
  CAPTURE(part);
  CHECK(text.find(part) != std::string::npos);
}

[[noreturn]] void tell(const std::string& text) { throw cuda_on_host::Fault(text); }

}  // namespace

TEST_CASE("ranks that do not call alike are told both calls") {
  says(of_two([](Rank& r) { r.sum(r.number ? 8 : 4), r.wait(); }), "AllReduce of 8 float32");
  says(of_two([](Rank& r) { r.sum(4, r.number ? ncclFloat64 : ncclFloat32), r.wait(); }), "AllReduce of 4 float64");
  says(of_two([](Rank& r) { ncclBroadcast(r.data, r.data, 8, ncclInt8, r.number, r.comm, r.stream), r.wait(); }), "Broadcast from rank 1 of 8 int8");
  CHECK(of_two([](Rank& r) { r.sum(8), r.wait(), ncclCommDestroy(r.comm), cudaStreamDestroy(r.stream); }) == "");
}

TEST_CASE("memory must be the device's, and of the size that is said") {
  says(of_one([](Rank& r) {
         std::vector<float> host(8);
         ncclAllReduce(host.data(), host.data(), 8, ncclFloat32, ncclSum, r.comm, r.stream), r.wait();
       }),
       "NCCL, AllReduce of 8 float32");
  says(of_one([](Rank& r) { r.sum(9), r.wait(); }), "NCCL, AllReduce of 9 float32");
  says(of_one([](Rank& r) { ncclAllReduce(r.data, r.data + 2, 4, ncclFloat32, ncclSum, r.comm, r.stream), r.wait(); }), "overlap");
}

TEST_CASE("wrong uses of communicators are refused") {
  says(mishap([] {
         const ncclUniqueId id = new_id();
         std::thread other([&] { Rank(1, 2, id, 0); });
         const Rank rank(0, 2, id, 0);
         other.join();
         if (rank.joined != ncclSuccess) tell(ncclGetLastError(nullptr));
       }),
       "two ranks on device 0");
  says(of_one([](Rank& r) {
         ncclCommDestroy(r.comm);
         if (r.sum(8) != ncclSuccess) tell(ncclGetLastError(nullptr));
       }),
       "was destroyed");
  says(of_one([](Rank& r) {
         ncclGroupStart(), r.sum(8), ncclBroadcast(r.data, r.data, 8, ncclInt8, 1, r.comm, r.stream);
         if (ncclGroupEnd() != ncclSuccess) tell(ncclGetLastError(nullptr));
       }),
       "there is no rank 1");
}

TEST_CASE("a stream waits for an event of another, which may be gone by then") {
  const std::string text = mishap([] {
    cudaStream_t first = nullptr, second = nullptr;
    cudaEvent_t event = nullptr;
    cudaStreamCreateWithFlags(&first, cudaStreamNonBlocking), cudaStreamCreateWithFlags(&second, cudaStreamNonBlocking);
    float* data = nullptr;
    cudaMallocAsync(reinterpret_cast<void**>(&data), 4, first);
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaEventRecord(event, first);
    cudaStreamWaitEvent(second, event, 0), cudaEventDestroy(event);
    cudaMemsetAsync(data, 0, 4, second);  // without the event its memory would not be there yet
    if (cudaStreamQuery(second) != cudaErrorNotReady || cudaStreamQuery(second) != cudaSuccess) tell("a queue is ready when it has run, and not before");
    cudaStreamDestroy(first), cudaStreamDestroy(second);
  });
  CHECK(text == "");
}

TEST_CASE("a tensor is summed when its stream has waited, not before, whatever its other rank's host waits for") {
  const std::string id = NcclCommunicator::unique_id();
  std::promise<void> read, summed;
  std::thread other([&] {
    Context<cuda_backend> c(cuda_backend::stream(1));
    NcclCommunicator all(1, 2, id, 1);
    const auto t = Tensor<cuda_backend>::from_host(c, std::vector<float>{2}, {1});
    read.get_future().wait();
    const std::unique_ptr<Transfer> sum = all.sum(t);
    summed.get_future().wait();  // nothing here waits for the device
    sum->wait();
    CHECK(t.to_host<float>() == std::vector<float>{3});
  });
  Context<cuda_backend> c(cuda_backend::stream(0));
  {
    NcclCommunicator all(0, 2, id, 0);
    const auto t = Tensor<cuda_backend>::from_host(c, std::vector<float>{1}, {1});
    const std::unique_ptr<Transfer> sum = all.sum(t);
    CHECK(t.to_host<float>() == std::vector<float>{1});
    read.set_value();
    sum->wait();
    CHECK(t.to_host<float>() == std::vector<float>{3});
    summed.set_value();
  }
  other.join();
}

TEST_CASE("a rank that was aborted is missed where the other waits on the host, which can end then") {
  const std::string id = NcclCommunicator::unique_id();
  std::thread other([&] { NcclCommunicator(1, 2, id, 1).abort(); });
  Context<cuda_backend> c(cuda_backend::stream(0));
  const auto t = Tensor<cuda_backend>::from_host(c, std::vector<float>{1}, {1});
  try {
    NcclCommunicator all(0, 2, id, 0);
    const std::unique_ptr<Transfer> sum = all.sum(t);
    all.gather("is anybody there?");
    FAIL("nobody is");
  } catch (const Error& e) {
    CHECK(std::string(e.what()).find("the connection to the other processes of this training is lost: remote process exited") == 0);
  }
  other.join();
  CHECK(t.to_host<float>().size() == 1);  // whatever it holds, its stream does not hang
}
