#pragma once
// Child processes: a program with its output in files, killed after a while or left to end.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

extern char** environ;

namespace child {

/// How a process ended: its exit code, or the signal that ended it.
struct End {
  int code = -1;
  int signal = 0;
};

class Process {
 public:
  /// `environment` are NAME=VALUE beside those of this process. Output goes to the files named, "/dev/null" for none.
  Process(const std::vector<std::string>& command, const std::vector<std::string>& environment, const std::string& out, const std::string& err) {
    std::vector<std::string> variables(environment);
    for (char** e = environ; *e; ++e) variables.emplace_back(*e);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    const int failed = posix_spawn(&id_, command[0].c_str(), &files, nullptr, pointers(command).data(), pointers(variables).data());
    posix_spawn_file_actions_destroy(&files);
    if (failed) throw std::system_error(failed, std::generic_category(), "starting " + command[0]);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (id_ > 0) kill_now(), wait();
  }

  pid_t id() const { return id_; }
  void kill_now() const { ::kill(id_, SIGKILL); }
  End wait() {
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {}
    id_ = -1;
    if (WIFSIGNALED(status)) return {-1, WTERMSIG(status)};
    return {WEXITSTATUS(status), 0};
  }
  /// Kills it after `delay` unless it has ended by then.
  End kill_after(std::chrono::duration<double> delay) {
    std::this_thread::sleep_for(delay);
    kill_now();
    return wait();
  }

 private:
  static std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> list;
    for (const std::string& word : words) list.push_back(const_cast<char*>(word.c_str()));
    list.push_back(nullptr);
    return list;
  }

  pid_t id_ = -1;
};

}  // namespace child
