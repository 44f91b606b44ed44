#include "emulator/block.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <exception>
#include <numeric>
#include <vector>

#include "emulator/control.hpp"
#include "emulator/fibre.hpp"
#include "emulator/shared.hpp"
#include "emulator/warp.hpp"

namespace cuda_on_host {

namespace {

enum class State : std::uint8_t { ready, at_barrier, at_exchange, done };

struct Abandoned {};  // unwinds the threads of a block that cannot go on

/// Lanes that wait for one another.
struct Meeting {
  unsigned mask, arrived;
  Exchange kind;
  Site site;
  bool same(unsigned m, Exchange k, const Site& s) const { return mask == m && kind == k && site.line == s.line && site.file == s.file; }
};

struct Thread {
  State state = State::ready;
  Site site;          ///< of the barrier
  Meeting meets{};    ///< the exchange, with what the lane brings to it
  std::uint64_t bits = 0;
  int source = 0;
};

struct Warp {
  std::vector<Meeting> meetings;
  unsigned present = 0;               ///< lanes that exist and have not left the kernel
  std::uint64_t all_synced = 0;       ///< when all lanes last passed a __syncwarp together
  std::vector<std::uint64_t> synced;  ///< [lane][lane] when these two did, in a part of the warp; empty when never
};

std::string to_string(const dim3& d) {
  return "(" + std::to_string(d.x) + ", " + std::to_string(d.y) + ", " + std::to_string(d.z) + ")";
}

std::string to_string(const Site& site) {
  const std::string file = site.file;
  return file.substr(file.rfind('/') + 1) + ":" + std::to_string(site.line);
}

class Block {
 public:
  void run(const Kernel& kernel, dim3 index, Random& random);

  void barrier(Site site);
  std::uint64_t exchange(Exchange kind, unsigned mask, std::uint64_t bits, int source, Site site);
  void touched(History& history, Touch kind, const char* name, std::size_t element);
  void count_shared(std::size_t bytes);

  std::string where(int thread) const {
    return "kernel " + kernel_->name + ", block " + to_string(index_) + ", thread " + to_string(index_of(thread));
  }
  int current = -1;
  Fibre& fibre(int thread) { return fibres_[static_cast<std::size_t>(thread)]; }

 private:
  dim3 index_of(int thread) const {
    const auto t = static_cast<unsigned>(thread);
    const dim3& b = kernel_->block;
    return {t % b.x, t / b.x % b.y, t / b.x / b.y};
  }
  [[noreturn]] void fail(const std::string& what) const { throw Fault(where(current) + ": " + what); }
  int threads() const { return static_cast<int>(threads_.size()); }
  void start(const Kernel& kernel, dim3 index);
  void resume(int thread);
  void work();
  bool run_ready(const std::vector<int>& order);
  bool release_barrier();
  [[noreturn]] void stuck();
  void abandon();
  void wait(State state);
  void complete(int warp, const Meeting& meeting);
  void note_sync(Warp& warp, unsigned mask);
  bool ordered(int earlier, std::uint64_t when) const;
  const History::Access* conflicting(const History& history, Touch kind) const;
  [[noreturn]] void fail_touch(const History& history, const History::Access* other, Touch kind, const char* name, std::size_t at) const;

  const Kernel* kernel_ = nullptr;
  dim3 index_;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::deque<Fibre> fibres_;
  std::function<void()> work_ = [this] { work(); };
  std::exception_ptr failure_;
  bool abandoned_ = false;
  std::uint64_t clock_ = 0, barrier_passed_ = 0;
  std::size_t shared_bytes_ = 0;
};

void Block::start(const Kernel& kernel, dim3 index) {
  kernel_ = &kernel;
  index_ = index;
  ++running_block;
  const auto n = std::size_t{kernel.block.x} * kernel.block.y * kernel.block.z;
  threads_.assign(n, {});
  warps_.assign((n + 31) / 32, {});
  for (std::size_t t = 0; t < n; ++t) warps_[t / 32].present |= 1u << t % 32;
  while (fibres_.size() < n) fibres_.emplace_back();
  failure_ = nullptr;
  abandoned_ = false;
  shared_bytes_ = kernel.shared_bytes;
  barrier_passed_ = ++clock_;
}

void Block::work() {
  try {
    if (!abandoned_) kernel_->run();
  } catch (const Abandoned&) {
  } catch (...) {
    if (!failure_) failure_ = std::current_exception();
  }
  threads_[static_cast<std::size_t>(current)].state = State::done;
  warps_[static_cast<std::size_t>(current) / 32].present &= ~(1u << current % 32);
}

void Block::resume(int thread) {
  current = thread;
  threadIdx = index_of(thread);
  fibre(thread).resume();
}

/// Runs every thread that can go on as far as it can; whether there was one.
bool Block::run_ready(const std::vector<int>& order) {
  bool any = false;
  for (const int t : order) {
    if (threads_[static_cast<std::size_t>(t)].state != State::ready) continue;
    any = true;
    resume(t);
    if (failure_) return false;
  }
  return any;
}

void Block::run(const Kernel& kernel, dim3 index, Random& random) {
  start(kernel, index);
  blockIdx = index;
  std::vector<int> order(threads_.size());
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  for (const int t : order) fibre(t).give(&work_);
  try {
    for (;;) {
      while (run_ready(order)) {}
      if (failure_) std::rethrow_exception(failure_);
      if (std::all_of(threads_.begin(), threads_.end(), [](const Thread& t) { return t.state == State::done; })) break;
      if (!release_barrier()) stuck();
    }
  } catch (...) {
    abandon();
    current = -1;
    throw;
  }
  current = -1;
}

void Block::abandon() {
  abandoned_ = true;
  for (int t = 0; t < threads(); ++t)
    if (!fibre(t).resting()) resume(t);
}

void Block::wait(State state) {
  threads_[static_cast<std::size_t>(current)].state = state;
  const int self = current;
  fibre(self).pause();
  if (abandoned_) throw Abandoned();
}

void Block::barrier(Site site) {
  threads_[static_cast<std::size_t>(current)].site = site;
  wait(State::at_barrier);
}

bool Block::release_barrier() {
  const Site site = threads_[0].site;
  for (int t = 0; t < threads(); ++t) {
    const Thread& thread = threads_[static_cast<std::size_t>(t)];
    if (thread.state != State::at_barrier) return false;
    if (thread.site.line != site.line || thread.site.file != site.file) {
      current = t;
      fail("divergent barrier: it waits at " + to_string(thread.site) + ", thread (0, 0, 0) at " + to_string(site));
    }
  }
  barrier_passed_ = ++clock_;
  for (Thread& thread : threads_) thread.state = State::ready;
  return true;
}

/// Nobody can go on: says who waits for whom.
void Block::stuck() {
  int waiting = -1, missing = -1;
  for (int t = 0; t < threads(); ++t) {
    const State state = threads_[static_cast<std::size_t>(t)].state;
    if (state == State::at_barrier && waiting < 0) waiting = t;
    if (state != State::at_barrier && missing < 0) missing = t;
  }
  if (waiting >= 0 && threads_[static_cast<std::size_t>(missing)].state == State::done) {
    current = missing;
    fail("barrier not reached by all threads: thread " + to_string(index_of(waiting)) + " waits at " +
         to_string(threads_[static_cast<std::size_t>(waiting)].site) + ", this one has left the kernel");
  }
  for (int t = 0; t < threads(); ++t) {
    if (threads_[static_cast<std::size_t>(t)].state != State::at_exchange) continue;
    const Meeting& meets = threads_[static_cast<std::size_t>(t)].meets;
    for (unsigned left = meets.mask; left; left &= left - 1) {
      const State other = threads_[static_cast<std::size_t>(t / 32 * 32 + __builtin_ctz(left))].state;
      if (other == State::at_exchange) continue;
      current = t;
      fail("inactive lane: it waits at " + to_string(meets.site) + " for lane " + std::to_string(__builtin_ctz(left)) +
           (other == State::done ? ", which has left the kernel" : ", which waits at a barrier"));
    }
  }
  current = waiting < 0 ? 0 : waiting;
  fail("deadlock");
}

std::uint64_t Block::exchange(Exchange kind, unsigned mask, std::uint64_t bits, int source, Site site) {
  const int self = current, own = self % 32;
  const unsigned me = 1u << own;
  Warp& warp = warps_[static_cast<std::size_t>(self) / 32];
  if (!(mask & me)) fail("mask wrong: lane " + std::to_string(own) + " is not in its own mask at " + to_string(site));
  if (mask & ~warp.present)
    fail("inactive lane: lane " + std::to_string(__builtin_ctz(mask & ~warp.present)) + " of the mask at " + to_string(site) +
         " has left the kernel or does not exist");
  Meeting* meeting = nullptr;
  for (Meeting& other : warp.meetings) {
    if (other.same(mask, kind, site)) meeting = &other;
    else if (other.mask & me || other.arrived & mask)
      fail("mask wrong: at " + to_string(site) + ", while lane " + std::to_string(__builtin_ctz(other.arrived)) + " waits at " +
           to_string(other.site) + " under another mask or operation");
  }
  if (!meeting) meeting = &warp.meetings.emplace_back(Meeting{mask, 0, kind, site});
  meeting->arrived |= me;
  Thread& thread = threads_[static_cast<std::size_t>(self)];
  thread.bits = bits;
  thread.source = source;
  thread.meets = *meeting;
  if (meeting->arrived == mask) {
    warp.meetings.erase(warp.meetings.begin() + (meeting - warp.meetings.data()));
    complete(self / 32, thread.meets);
  } else {
    wait(State::at_exchange);
  }
  return threads_[static_cast<std::size_t>(self)].bits;
}

/// All lanes of the mask are there: each gets its result, computed from what all brought.
void Block::complete(int warp, const Meeting& meeting) {
  std::array<std::uint64_t, 32> brought;
  std::uint64_t votes = 0;
  Thread* const lanes = &threads_[static_cast<std::size_t>(warp) * 32];
  for (unsigned left = meeting.mask; left; left &= left - 1) {
    const auto lane = static_cast<std::size_t>(__builtin_ctz(left));
    brought[lane] = lanes[lane].bits;
    if (brought[lane]) votes |= std::uint64_t{1} << lane;
  }
  for (unsigned left = meeting.mask; left; left &= left - 1) {
    const int lane = __builtin_ctz(left);
    Thread& thread = lanes[lane];
    thread.state = State::ready;
    if (meeting.kind == Exchange::ballot) thread.bits = votes;
    if (meeting.kind != Exchange::shuffle) continue;
    if (thread.source < 0 || thread.source > 31 || !(meeting.mask >> thread.source & 1))
      fail("inactive lane: lane " + std::to_string(lane) + " reads from lane " + std::to_string(thread.source) +
           ", which is not in the mask at " + to_string(meeting.site));
    thread.bits = brought[static_cast<std::size_t>(thread.source)];
  }
  if (meeting.kind == Exchange::sync) note_sync(warps_[static_cast<std::size_t>(warp)], meeting.mask);
}

void Block::note_sync(Warp& warp, unsigned mask) {
  const std::uint64_t now = ++clock_;
  if (mask == 0xFFFFFFFFu) {
    warp.all_synced = now;
    return;
  }
  warp.synced.resize(32 * 32);
  for (std::size_t a = 0; a < 32; ++a)
    for (std::size_t b = 0; b < 32; ++b)
      if (mask >> a & 1 && mask >> b & 1) warp.synced[32 * a + b] = now;
}

/// Whether what `earlier` did at `when` comes before what the running thread does now, in every order of threads.
bool Block::ordered(int earlier, std::uint64_t when) const {
  if (earlier < 0 || earlier == current || when <= barrier_passed_) return true;
  if (earlier / 32 != current / 32) return false;
  const Warp& warp = warps_[static_cast<std::size_t>(current) / 32];
  if (when <= warp.all_synced) return true;
  return !warp.synced.empty() && when <= warp.synced[static_cast<std::size_t>(earlier % 32 * 32 + current % 32)];
}

void remember(History::Access (&latest)[2], int thread, std::uint64_t when) {
  if (latest[0].thread != thread) latest[1] = latest[0];
  latest[0] = {thread, when};
}

/// What the running thread may not touch an element after.
const History::Access* Block::conflicting(const History& h, Touch kind) const {
  const auto late = [&](const History::Access& other) { return !ordered(other.thread, other.when); };
  if (late(h.write)) return &h.write;
  for (const auto& other : h.atomic)
    if (kind != Touch::atomic && late(other)) return &other;
  for (const auto& other : h.read)
    if (kind != Touch::read && late(other)) return &other;
  return nullptr;
}

void Block::fail_touch(const History& h, const History::Access* other, Touch kind, const char* name, std::size_t at) const {
  const std::string element = std::string(name) + "[" + std::to_string(at) + "]";
  if (!other) fail("reads " + element + " of shared memory, which nobody has written in this block");
  const char* const does = kind == Touch::read ? "reads " : kind == Touch::write ? "writes " : "adds to ";
  const char* const did = other == &h.write ? "wrote" : other == &h.read[0] || other == &h.read[1] ? "read" : "added to";
  fail("shared memory race: " + (does + element) + ", which thread " + to_string(index_of(other->thread)) + " " + did + " without a barrier in between");
}

// No strings here: it is called for every element that a kernel reads.
void Block::touched(History& h, Touch kind, const char* name, std::size_t element) {
  const History::Access* const other = conflicting(h, kind);
  if (other || (kind != Touch::write && h.write.thread < 0)) fail_touch(h, other, kind, name, element);
  const std::uint64_t now = ++clock_;
  if (kind == Touch::write) h.write = {current, now};
  else remember(kind == Touch::read ? h.read : h.atomic, current, now);
}

void Block::count_shared(std::size_t bytes) {
  shared_bytes_ += bytes;
  if (shared_bytes_ > 48 * 1024) fail("the block uses " + std::to_string(shared_bytes_) + " bytes of shared memory, more than 48 KiB");
}

Block& block = *new Block;  // never destroyed: its fibres would have to be unwound

}  // namespace

std::uint64_t Random::next() {
  std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

void run_kernel(const Kernel& kernel, Random& random) {
  blockDim = kernel.block;
  gridDim = kernel.grid;
  const std::size_t n = std::size_t{kernel.grid.x} * kernel.grid.y * kernel.grid.z;
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  for (const std::size_t b : order)
    block.run(kernel, {static_cast<unsigned>(b % kernel.grid.x), static_cast<unsigned>(b / kernel.grid.x % kernel.grid.y),
                         static_cast<unsigned>(b / kernel.grid.x / kernel.grid.y)}, random);
}

std::string running_thread() { return block.current < 0 ? std::string() : block.where(block.current); }
bool stack_overflow(const void* address) { return block.current >= 0 && block.fibre(block.current).overflowed_to(address); }

void block_barrier(Site site) { block.barrier(site); }
std::uint64_t warp_exchange(Exchange kind, unsigned mask, std::uint64_t bits, int source, Site site) {
  return block.exchange(kind, mask, bits, source, site);
}
int lane() { return block.current % 32; }
void touch(History& history, Touch kind, const char* name, std::size_t element) { block.touched(history, kind, name, element); }
void out_of_shared(const char* name, std::size_t element, std::size_t size) {
  throw Fault(running_thread() + ": element " + std::to_string(element) + " of shared " + name + "[" + std::to_string(size) + "]");
}
void count_shared(std::size_t bytes) { block.count_shared(bytes); }

}  // namespace cuda_on_host
