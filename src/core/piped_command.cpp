#include "core/piped_command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "chronotope/core/error.hpp"

extern char** environ;

namespace chronotope {
namespace {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& o) noexcept : number_(std::exchange(o.number_, -1)) {}
  Descriptor& operator=(Descriptor&& o) noexcept { return std::swap(number_, o.number_), *this; }
  ~Descriptor() { close(); }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }
  int get() const { return number_; }

 private:
  int number_ = -1;
};

/// What is written to `in` is read from `out`. Closed in other programs unless they are given it.
struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      throw FileError("no pipe to another program can be made: " + std::error_code(errno, std::generic_category()).message());
    out = Descriptor(ends[0]), in = Descriptor(ends[1]);
  }
  Descriptor out, in;
};

void never_wait(const Descriptor& d) { ::fcntl(d.get(), F_SETFL, ::fcntl(d.get(), F_GETFL) | O_NONBLOCK); }

/// Writing to a program that has ended must give an error, not end this one; other threads are left alone.
class SigpipeBlocked {
 public:
  SigpipeBlocked() {
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE);
    ::sigemptyset(&sigpipe_);
    ::sigaddset(&sigpipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~SigpipeBlocked() {
    const timespec at_once{};
    if (!was_pending_) ::sigtimedwait(&sigpipe_, nullptr, &at_once);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeBlocked(const SigpipeBlocked&) = delete;
  SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;

  const sigset_t& mask_before() const { return before_; }
  const sigset_t& sigpipe() const { return sigpipe_; }

 private:
  sigset_t sigpipe_, before_;
  bool was_pending_;
};

class Child {
 public:
  /// `error` is 0 or why it was not started.
  Child(const std::vector<std::string>& command, const Pipe& input, const Pipe& output, const SigpipeBlocked& signals) {
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_adddup2(&files, input.out.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&files, output.in.get(), STDOUT_FILENO);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    ::posix_spawnattr_setsigmask(&attributes, &signals.mask_before());
    ::posix_spawnattr_setsigdefault(&attributes, &signals.sigpipe());
    std::vector<char*> words;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    error = ::posix_spawnp(&id_, words[0], &files, &attributes, words.data(), environ);
    if (error != 0) id_ = -1;
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&files);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }

  bool running() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(id_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
  }

  /// Kills what is left of the group while the leader's number is still taken, then takes the leader's status.
  CommandEnd end() {
    CommandEnd ended;
    if (id_ < 0) return ended;
    ::kill(-id_, SIGKILL);
    int status = 0;
    pid_t taken;
    do taken = ::waitpid(id_, &status, 0);
    while (taken < 0 && errno == EINTR);
    if (taken == std::exchange(id_, -1)) {
      ended.how = WIFSIGNALED(status) ? CommandEnd::How::by_signal : CommandEnd::How::exited;
      ended.number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    }
    return ended;
  }

  int error = 0;

 private:
  pid_t id_ = -1;
};

using Clock = std::chrono::steady_clock;

/// Feeds the child and takes its output until it closes it.
class Exchange {
 public:
  Exchange(Descriptor in, Descriptor out, std::string_view input, std::size_t most_output, Clock::time_point deadline)
      : in_(std::move(in)), out_(std::move(out)), input_(input), most_output_(most_output), deadline_(deadline) {
    never_wait(in_), never_wait(out_);
  }

  /// `exited` when the output ended.
  CommandEnd::How run() {
    while (out_.get() >= 0) {
      pollfd ends[2] = {{in_.get(), POLLOUT, 0}, {out_.get(), POLLIN, 0}};
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
      if (left <= 0) return CommandEnd::How::too_slow;
      if (::poll(ends, 2, static_cast<int>(std::min<decltype(left)>(left, 60000))) <= 0) continue;
      if (ends[0].revents) feed();
      if (ends[1].revents) take();
      if (output.size() > most_output_) return CommandEnd::How::too_much_output;
    }
    return CommandEnd::How::exited;
  }

  std::string output;

 private:
  void feed() {
    const ssize_t written = ::write(in_.get(), input_.data(), input_.size());
    if (written >= 0) input_.remove_prefix(static_cast<std::size_t>(written));
    else if (errno == EAGAIN || errno == EINTR) return;
    if (written < 0 || input_.empty()) in_.close();  // it has all, or wants no more
  }
  void take() {
    char piece[4096];
    const ssize_t got = ::read(out_.get(), piece, sizeof piece);
    if (got > 0) output.append(piece, static_cast<std::size_t>(got));
    else if (got == 0 || (errno != EAGAIN && errno != EINTR)) out_.close();
  }

  Descriptor in_, out_;
  std::string_view input_;
  std::size_t most_output_;
  Clock::time_point deadline_;
};

bool ends_before(const Child& child, Clock::time_point deadline) {
  for (std::chrono::milliseconds nap{1}; child.running(); nap = std::min(2 * nap, std::chrono::milliseconds{20})) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(nap);
  }
  return true;
}

}  // namespace

CommandEnd run_piped(const std::vector<std::string>& command, std::string_view input, double seconds,
                     std::size_t most_output) {
  const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(seconds, 1e8)));
  const SigpipeBlocked signals;
  Pipe to, from;
  Child child(command, to, from, signals);
  if (child.error != 0) return {CommandEnd::How::not_started, child.error, {}};
  to.out.close(), from.in.close();
  Exchange exchange(std::move(to.in), std::move(from.out), input, most_output, deadline);
  CommandEnd::How how = exchange.run();
  if (how == CommandEnd::How::exited && !ends_before(child, deadline)) how = CommandEnd::How::too_slow;
  CommandEnd ended = child.end();
  if (how != CommandEnd::How::exited) ended.how = how;
  ended.output = std::move(exchange.output);
  return ended;
}

}  // namespace chronotope
