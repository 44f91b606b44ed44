#include "chronotope/train/nccl_communicator.hpp"

#include <nccl.h>

#include <chrono>
#include <cstring>
#include <exception>
#include <thread>
#include <utility>

#include "cuda/staging.hpp"
#include "cuda/status.hpp"

namespace chronotope {
namespace {

using cuda::check;
using cuda::DeviceGuard;
using cuda::Scratch;

void check(ncclResult_t status, const char* operation, ncclComm_t comm = nullptr) {
  if (status == ncclSuccess) return;
  const char* more = ncclGetLastError(comm);
  throw BackendError("[nccl] " + std::string(operation) + ": " + ncclGetErrorString(status) + (more && *more ? ": " + std::string(more) : ""));
}

ncclDataType_t float_type(DType dtype) {
  if (dtype == DType::f32) return ncclFloat32;
  if (dtype == DType::f64) return ncclFloat64;
  throw DTypeError(std::string("[sum] processes add up f32 and f64, not ") + to_string(dtype));
}

/// Calls of NCCL that it is to see together.
template <class F> void in_group(F&& calls) {
  check(ncclGroupStart(), "group");
  try {
    calls();
  } catch (...) {
    ncclGroupEnd();
    throw;
  }
  check(ncclGroupEnd(), "group");
}

/// A point in a queue.
class Event {
 public:
  explicit Event(cudaStream_t at) {
    check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "event");
    if (const cudaError_t status = cudaEventRecord(event_, at); status != cudaSuccess) cudaEventDestroy(event_), check(status, "event");
  }
  ~Event() { cudaEventDestroy(event_); }  // who waits for it goes on waiting
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void hold(cudaStream_t stream) const { check(cudaStreamWaitEvent(stream, event_, 0), "event"); }

 private:
  cudaEvent_t event_ = nullptr;
};

struct Stream {
  Stream() {
    int lowest = 0, highest = 0;
    check(cudaDeviceGetStreamPriorityRange(&lowest, &highest), "stream");
    check(cudaStreamCreateWithPriority(&native, cudaStreamNonBlocking, highest), "stream");  // others wait for this one's work
  }
  ~Stream() { cudaStreamDestroy(native); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t native = nullptr;
};

cudaStream_t native(const cuda_backend::stream& s) { return static_cast<cudaStream_t>(s.native()); }

}  // namespace

struct NcclCommunicator::Impl {
  Impl(int my_rank, int of, const std::string& id, int on) : rank(my_rank), size(of), device(on), exceptions(std::uncaught_exceptions()) {
    ncclUniqueId name;
    if (id.size() != sizeof name.internal) throw BackendError("[nccl] start: the id has " + std::to_string(id.size()) + " bytes, one of unique_id() has 128");
    std::memcpy(name.internal, id.data(), id.size());
    check(ncclCommInitRank(&comm, size, name, rank), "start");
  }
  ~Impl() {
    if (comm && std::uncaught_exceptions() > exceptions) ncclCommAbort(comm);
    else if (comm) ncclCommDestroy(comm);
    cudaStreamSynchronize(queue.native);
  }

  ncclComm_t alive() const {
    if (!comm) throw BackendError("[nccl] this communicator was aborted");
    return comm;
  }
  /// The same for a tensor's stream.
  ncclComm_t alive(const cuda_backend::stream& s) const {
    if (s.device() != device)
      throw BackendError("[nccl] a tensor of device " + std::to_string(s.device()) + " came to the communicator of device " + std::to_string(device));
    return alive();
  }
  /// Throws Error when NCCL noticed that something went wrong since.
  void check_others() const {
    ncclResult_t state = ncclSuccess;
    check(ncclCommGetAsyncError(alive(), &state), "state", comm);
    if (state == ncclSuccess || state == ncclInProgress) return;
    throw Error("the connection to the other processes of this training is lost: " + std::string(ncclGetErrorString(state)) + ": " + ncclGetLastError(comm) +
                "; the last checkpoint is whole, resume from it");
  }
  /// Waits for all that is queued, asking NCCL meanwhile: in a wait of CUDA's own nothing would be noticed.
  void complete() const {
    constexpr int awake = 2000;
    for (int tries = 0;; ++tries) {
      const cudaError_t status = cudaStreamQuery(queue.native);
      if (status == cudaSuccess) return;
      if (status != cudaErrorNotReady) check(status, "gather");
      cudaGetLastError();  // not being ready is no error to others
      check_others();
      if (tries < awake) std::this_thread::yield();
      else std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
  /// Queues that `all` gets the pieces of all processes, one behind another, each in units of `unit` bytes.
  void gather_pieces(void* all, const void* mine, std::span<const std::int64_t> lengths, std::size_t unit) const {
    in_group([&] {
      auto* to = static_cast<std::byte*>(all);
      for (int root = 0; root < size; ++root) {
        const std::size_t bytes = static_cast<std::size_t>(lengths[static_cast<std::size_t>(root)]) * unit;
        if (bytes > 0) check(ncclBroadcast(root == rank ? mine : to, to, bytes, ncclInt8, root, comm, queue.native), "gather", comm);
        to += bytes;
      }
    });
  }
  /// The same for bytes on the host; waits.
  void gather_on_host(void* all, const void* mine, std::span<const std::int64_t> lengths, std::size_t unit) {
    const std::size_t own = static_cast<std::size_t>(lengths[static_cast<std::size_t>(rank)]) * unit;
    const std::size_t total = static_cast<std::size_t>(std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0})) * unit;
    if (total == 0) return;
    const cuda::Queue at{queue.native, nullptr};
    const Scratch from(at, own, "gather"), to(at, total, "gather");
    staging.upload(queue.native, from.as<void>(), mine, own);
    gather_pieces(to.as<void>(), from.as<void>(), lengths, unit);
    complete();
    check(cudaMemcpyAsync(all, to.as<void>(), total, cudaMemcpyDeviceToHost, queue.native), "gather");
    check(cudaStreamSynchronize(queue.native), "gather");
  }

  int rank, size, device;
  int exceptions;  ///< on their way when this was made
  Stream queue;
  cuda::Staging staging;
  ncclComm_t comm = nullptr;
};

class NcclCommunicator::Sum final : public Transfer {
 public:
  Sum(const Impl& of, cudaStream_t tensors) : of_(of), tensors_(tensors), done_(of.queue.native) {}
  void wait() override {
    const DeviceGuard guard(of_.device, "sum");
    of_.check_others();
    done_.hold(tensors_);
  }

 private:
  const Impl& of_;
  cudaStream_t tensors_;
  Event done_;
};

const cuda_backend::stream& detail::cuda_stream(const any_backend::stream& s) {
  // Not by name: timed<cuda_backend> has it too.
  if (s.table == &AnyTableOf<cuda_backend>::table()) return *static_cast<const cuda_backend::stream*>(s.get());
  throw BackendError("[nccl] GPUs of cuda_backend are connected, not backend " + std::string(s.table->name()) + " behind this stream");
}

std::string NcclCommunicator::unique_id() {
  ncclUniqueId id;
  check(ncclGetUniqueId(&id), "unique_id");
  return std::string(id.internal, sizeof id.internal);
}

NcclCommunicator::NcclCommunicator(int rank, int size, const std::string& id, int device) {
  const DeviceGuard guard(device, "start");
  impl_ = std::make_unique<Impl>(rank, size, id, device);
}

NcclCommunicator::~NcclCommunicator() {
  int before = impl_->device;
  cudaGetDevice(&before);
  cudaSetDevice(impl_->device);
  impl_.reset();
  cudaSetDevice(before);
}

int NcclCommunicator::rank() const { return impl_->rank; }
int NcclCommunicator::size() const { return impl_->size; }

std::unique_ptr<Transfer> NcclCommunicator::start_sum(const View& values, const cuda_backend::stream& s) {
  const ncclDataType_t type = float_type(values.dtype);
  const ncclComm_t comm = impl_->alive(s);
  const DeviceGuard guard(impl_->device, "sum");
  Event(native(s)).hold(impl_->queue.native);
  const auto n = static_cast<std::size_t>(values.elements());
  if (n > 0) check(ncclAllReduce(values.data, values.data, n, type, ncclSum, comm, impl_->queue.native), "sum", comm);
  return std::make_unique<Sum>(*impl_, native(s));
}

void NcclCommunicator::gather_values(const View& all, const View& mine, std::span<const std::int64_t> lengths, const cuda_backend::stream& s) {
  impl_->alive(s);
  if (lengths.size() != static_cast<std::size_t>(size()))
    throw ShapeError("[gather] " + std::to_string(lengths.size()) + " lengths for " + std::to_string(size()) + " processes");
  if (const std::int64_t own = lengths[static_cast<std::size_t>(rank())]; own != mine.elements())
    throw ShapeError("[gather] " + std::to_string(mine.elements()) + " values of process " + std::to_string(rank()) + ", which has " + std::to_string(own) +
                     " by its length");
  const DeviceGuard guard(impl_->device, "gather");
  Event(native(s)).hold(impl_->queue.native);
  impl_->gather_pieces(all.data, mine.data, lengths, size_of(mine.dtype));
  Event(impl_->queue.native).hold(native(s));
}

std::vector<std::string> NcclCommunicator::gather(const std::string& text) {
  impl_->alive();
  const DeviceGuard guard(impl_->device, "gather");
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(size())), ones(lengths.size(), 1);
  const auto own = static_cast<std::int64_t>(text.size());
  impl_->gather_on_host(lengths.data(), &own, ones, sizeof own);
  std::string all(static_cast<std::size_t>(std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0})), '\0');
  impl_->gather_on_host(all.data(), text.data(), lengths, 1);
  std::vector<std::string> texts;
  std::size_t at = 0;
  for (const std::int64_t n : lengths) texts.push_back(all.substr(at, static_cast<std::size_t>(n))), at += static_cast<std::size_t>(n);
  return texts;
}

void NcclCommunicator::abort() noexcept {
  if (ncclComm_t comm = std::exchange(impl_->comm, nullptr)) ncclCommAbort(comm);
}

}  // namespace chronotope
