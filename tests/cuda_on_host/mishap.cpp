#include "mishap.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <stdexcept>

#include "emulator/control.hpp"

namespace cuda_on_host {

namespace {

/// In the child: says what went wrong on stderr, status 1.
[[noreturn]] void run(const std::function<void()>& f) {
  std::string text;
  try {
    reset();
    f();
    text = fault();
  } catch (const std::exception& e) {
    text = e.what();
    if (text.empty()) text = "an exception without a text";
  }
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
  _exit(text.empty() ? 0 : 1);
}

std::string read_all(int from) {
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = read(from, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

}  // namespace

std::string mishap(const std::function<void()>& f) {
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no fork");
  if (child == 0) {
    dup2(ends[1], 2);
    close(ends[0]);
    run(f);
  }
  close(ends[1]);
  const std::string text = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
  return text.empty() ? "the process died without a word" : text;
}

}  // namespace cuda_on_host
