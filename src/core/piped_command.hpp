#pragma once
// Another program run to its end, with text in and text out.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace chronotope {

struct CommandEnd {
  enum class How {
    exited,            // `number` is the exit status
    by_signal,         // `number` is the signal
    not_started,       // `number` is the errno
    too_slow,          // it was killed
    too_much_output,   // it was killed
    unknown            // this process ignores SIGCHLD, so the system keeps no exit status
  };
  How how = How::unknown;
  int number = 0;
  std::string output;  // what it wrote, up to the limit
};

/// Runs `command` (the program, looked for in PATH, and its arguments) in a process group of its own with `input` as its
/// standard input. A command that does not read all of it is no error. The whole group is killed at the end: nothing of
/// it, and no zombie, is left. Throws FileError when the system has no pipes left.
CommandEnd run_piped(const std::vector<std::string>& command, std::string_view input, double seconds,
                     std::size_t most_output);

}  // namespace chronotope
