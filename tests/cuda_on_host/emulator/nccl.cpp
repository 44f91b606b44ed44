// The functions of include/nccl.h, as strict as NCCL's documentation, and where it leaves matters undefined they are errors: ranks that call
// differently, memory that is not the device's. Sums are made in the order of ranks, in the type, by each rank for itself, so all get the same bits.
#include <nccl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include "emulator/control.hpp"
#include "emulator/device.hpp"
#include "emulator/meeting.hpp"

using namespace cuda_on_host;

namespace {

using Lock = std::lock_guard<std::recursive_mutex>;

thread_local std::string last_text;
ncclResult_t fail(ncclResult_t result, const std::string& text) { return last_text = text, result; }
void rest() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

/// One collective of a rank.
struct Call {
  ncclComm* comm;
  cudaStream* stream;
  const void* from;
  void* to;
  std::size_t count;
  ncclDataType_t type;
  int root;  ///< of a broadcast; -1: a sum

  std::size_t bytes() const { return count * (type == ncclFloat64 ? 8 : type == ncclFloat32 ? 4 : 1); }
  std::string describe() const {
    const char* const name = type == ncclFloat64 ? " float64" : type == ncclFloat32 ? " float32" : " int8";
    return (root < 0 ? "AllReduce of " : "Broadcast from rank " + std::to_string(root) + " of ") + std::to_string(count) + name;
  }
  bool brings(int rank) const { return root < 0 || root == rank; }
};

/// The calls of a group, or one: what a communicator does at a time.
struct Step {
  std::vector<Call> calls;
  std::string name;
  bool brought = false, done = false;
};

template <class T> void add(char* to, const char* from, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    T a, b;
    std::memcpy(&a, to + i * sizeof(T), sizeof(T)), std::memcpy(&b, from + i * sizeof(T), sizeof(T));
    a += b;
    std::memcpy(to + i * sizeof(T), &a, sizeof(T));
  }
}

std::string described(const std::vector<Call>& calls) {
  std::string text;
  for (const Call& call : calls) text += (text.empty() ? "" : ", ") + call.describe();
  return text;
}

}  // namespace

struct ncclComm {
  ncclComm(Meeting where, int on) : meeting(std::move(where)), device(on), helper([this] { help(); }) {}

  /// Tries to go on with a step, in its turn on its stream.
  bool run(Step& step) {
    if (aborted || step.done) return true;
    if (!step.brought) meeting.bring(step.name, own_part(step)), step.brought = true;
    if (!meeting.all(step.name)) return false;
    finish(step);
    if (!former.empty()) meeting.forget(former);  // who brought something to this step has read all of the one before
    former = step.name;
    return step.done = true;
  }
  /// A stream runs when it is waited for, here or by another rank.
  void help() {
    for (; !leaving; rest()) {
      const Lock lock(cuda_on_host::device().mutex);
      while (!steps.empty() && (steps.front().expired() || steps.front().lock()->done)) steps.pop_front();
      if (aborted || steps.empty()) continue;
      const std::shared_ptr<Step> next = steps.front().lock();
      if (meeting.any(next->name)) cuda_on_host::device().drain(*next->calls[0].stream, [&] { return !next->done; });
    }
  }
  bool lost() const { return meeting.any("aborted"); }

  Meeting meeting;
  int device;
  cudaStream* stream = nullptr;           ///< of the first call; one for all
  std::deque<std::weak_ptr<Step>> steps;  ///< their streams have them; a fault takes them away
  std::size_t number = 0;
  std::string former;
  bool aborted = false;
  std::atomic<bool> leaving = false;
  std::thread helper;

 private:
  std::string own_part(const Step& step) const {
    std::string part = described(step.calls) + "\n";
    for (const Call& call : step.calls) {
      Arena& arena = cuda_on_host::device().arena;
      arena.check_inside(call.to, call.bytes(), device, "NCCL, " + call.describe());
      if (!call.brings(meeting.rank())) continue;
      arena.check_inside(call.from, call.bytes(), device, "NCCL, " + call.describe());
      const auto *from = static_cast<const char*>(call.from), *to = static_cast<const char*>(call.to);
      if (from != to && from < to + call.bytes() && to < from + call.bytes()) throw Fault("NCCL, " + call.describe() + ": what is sent and what is received overlap");
      part.append(from, call.bytes());
    }
    return part;
  }
  void finish(const Step& step) const {
    std::vector<std::istringstream> parts;
    for (int rank = 0; rank < meeting.size(); ++rank) {
      parts.emplace_back(meeting.read(rank, step.name));
      std::string said;
      std::getline(parts.back(), said);
      if (const std::string own = described(step.calls); said != own)
        throw Fault("NCCL: rank " + std::to_string(meeting.rank()) + " calls " + own + ", rank " + std::to_string(rank) + " calls " + said);
    }
    for (const Call& call : step.calls) receive(call, parts);
  }
  void receive(const Call& call, std::vector<std::istringstream>& parts) const {
    std::string result, part(call.bytes(), '\0');
    for (int rank = 0; rank < meeting.size(); ++rank) {
      if (!call.brings(rank)) continue;
      parts[static_cast<std::size_t>(rank)].read(part.data(), static_cast<std::streamsize>(part.size()));
      if (result.empty()) result = part;
      else if (call.type == ncclFloat32) add<float>(result.data(), part.data(), call.count);
      else add<double>(result.data(), part.data(), call.count);
    }
    std::memcpy(call.to, result.data(), result.size());
  }
};

namespace {

/// Communicators that may be used. What is queued has its own share of them.
struct Known {
  std::mutex mutex;
  std::map<ncclComm_t, std::shared_ptr<ncclComm>> comms;
};
Known& known() {
  static Known& one = *new Known;
  return one;
}
std::shared_ptr<ncclComm> find(ncclComm_t comm) {
  const std::lock_guard lock(known().mutex);
  const auto found = known().comms.find(comm);
  return found == known().comms.end() ? nullptr : found->second;
}
std::shared_ptr<ncclComm> take_away(ncclComm_t comm) {
  const std::lock_guard lock(known().mutex);
  const auto found = known().comms.extract(comm);
  return found ? found.mapped() : nullptr;
}
ncclResult_t unknown() { return fail(ncclInvalidArgument, "this communicator is none, or was destroyed"); }

struct Group {
  int depth = 0;
  ncclResult_t result = ncclSuccess;
  std::vector<Call> calls;
};
thread_local Group group;

ncclResult_t enqueue(std::vector<Call> calls) {
  const Lock lock(device().mutex);
  const std::shared_ptr<ncclComm> comm = find(calls[0].comm);
  cudaStream* const stream = calls[0].stream;
  if (!comm->stream) comm->stream = stream;
  for (const Call& call : calls)
    if (call.stream != comm->stream) return fail(ncclInvalidUsage, "one communicator on two streams is not emulated");
  const auto step = std::make_shared<Step>(Step{std::move(calls), std::to_string(comm->number++)});
  comm->steps.push_back(step);
  const cudaError_t status = device().enqueue_waiting(stream, [comm, step] { return comm->run(*step); });
  return status == cudaSuccess ? ncclSuccess : fail(ncclUnhandledCudaError, cudaGetErrorString(status));
}

/// What can be said when it is called.
ncclResult_t check(const Call& call) {
  if (!find(call.comm)) return unknown();
  if (!call.from || !call.to) return fail(ncclInvalidArgument, "null is no memory");
  if (call.root >= call.comm->meeting.size()) return fail(ncclInvalidArgument, "there is no rank " + std::to_string(call.root));
  if (!call.stream || call.stream->device != call.comm->device) return fail(ncclInvalidArgument, "the stream is not of the communicator's device");
  return ncclSuccess;
}

ncclResult_t take(const Call& call) {
  const ncclResult_t result = check(call);
  if (group.depth == 0) return result == ncclSuccess ? enqueue({call}) : result;
  if (result != ncclSuccess) group.result = result;
  group.calls.push_back(call);
  return result;
}

/// What is wrong with the ranks that met.
std::string misfit(const Meeting& meeting) {
  std::set<std::string> devices;
  for (int rank = 0; rank < meeting.size(); ++rank) {
    std::istringstream hello(meeting.read(rank, "hello"));
    std::string ranks, device;
    hello >> ranks >> device;
    if (ranks != std::to_string(meeting.size())) return "rank " + std::to_string(rank) + " is of " + ranks;
    if (!devices.insert(device).second) return "two ranks on device " + device;
  }
  return "";
}

void end(ncclComm& comm) {
  comm.leaving = true;
  comm.helper.join();
  comm.meeting.leave();
}

}  // namespace

const char* ncclGetErrorString(ncclResult_t result) {
  switch (result) {
    case ncclSuccess: return "no error";
    case ncclUnhandledCudaError: return "unhandled cuda error";
    case ncclSystemError: return "unhandled system error";
    case ncclInternalError: return "internal error";
    case ncclInvalidArgument: return "invalid argument";
    case ncclInvalidUsage: return "invalid usage";
    case ncclRemoteError: return "remote process exited or there was a network error";
    case ncclInProgress: return "NCCL operation in progress";
  }
  return "unknown result code";
}
const char* ncclGetLastError(ncclComm_t) { return last_text.c_str(); }

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  const std::string folder = Meeting::make();
  if (folder.size() >= sizeof id->internal) return fail(ncclSystemError, "the name of " + folder + " is too long");
  std::memset(id->internal, 0, sizeof id->internal);
  std::memcpy(id->internal, folder.data(), folder.size());
  return ncclSuccess;
}

ncclResult_t ncclCommInitRank(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank) {
  if (!comm || ranks < 1 || rank < 0 || rank >= ranks || id.internal[sizeof id.internal - 1]) return fail(ncclInvalidArgument, "a rank of ranks and an id");
  Meeting meeting(id.internal, rank, ranks);
  if (!meeting.is_free()) return fail(ncclInvalidUsage, "nobody made this id, or there is a rank " + std::to_string(rank) + " already");
  meeting.bring("hello", std::to_string(ranks) + " " + std::to_string(current_device()));
  while (!meeting.all("hello")) rest();
  if (const std::string text = misfit(meeting); !text.empty()) return fail(ncclInvalidUsage, text);
  const auto made = std::make_shared<ncclComm>(std::move(meeting), current_device());
  const std::lock_guard lock(known().mutex);
  known().comms.emplace(*comm = made.get(), made);
  return ncclSuccess;
}

ncclResult_t ncclCommDestroy(ncclComm_t named) {
  const std::shared_ptr<ncclComm> comm = take_away(named);
  if (!comm) return unknown();
  if (comm->stream) wait_for(*comm->stream, [] { return true; });
  comm->meeting.bring("end", "");
  while (!comm->meeting.all("end") && !comm->lost()) rest();
  end(*comm);
  return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t named) {
  const std::shared_ptr<ncclComm> comm = take_away(named);
  if (!comm) return unknown();
  {
    const Lock lock(device().mutex);
    comm->aborted = true;
    comm->meeting.bring("aborted", "");
  }
  end(*comm);
  return ncclSuccess;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t named, ncclResult_t* state) {
  const std::shared_ptr<ncclComm> comm = find(named);
  if (!comm) return unknown();
  *state = comm->lost() ? fail(ncclRemoteError, "a rank was aborted") : ncclSuccess;
  return ncclSuccess;
}

ncclResult_t ncclAllReduce(const void* from, void* to, std::size_t count, ncclDataType_t type, ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream) {
  if (type == ncclInt8 || op != ncclSum) return fail(ncclInvalidArgument, "sums of floats are emulated");
  return take({comm, stream, from, to, count, type, -1});
}
ncclResult_t ncclBroadcast(const void* from, void* to, std::size_t count, ncclDataType_t type, int root, ncclComm_t comm, cudaStream_t stream) {
  if (root < 0) return fail(ncclInvalidArgument, "there is no rank " + std::to_string(root));
  return take({comm, stream, from, to, count, type, root});
}

ncclResult_t ncclGroupStart() {
  ++group.depth;
  return ncclSuccess;
}
ncclResult_t ncclGroupEnd() {
  if (group.depth == 0) return fail(ncclInvalidUsage, "no group was begun");
  if (--group.depth > 0) return ncclSuccess;
  const Group all = std::exchange(group, {});
  if (all.result != ncclSuccess || all.calls.empty()) return all.result;
  if (std::any_of(all.calls.begin(), all.calls.end(), [&](const Call& call) { return call.comm != all.calls[0].comm; }))
    return fail(ncclInvalidUsage, "a group over two communicators is not emulated");
  return enqueue(all.calls);
}
