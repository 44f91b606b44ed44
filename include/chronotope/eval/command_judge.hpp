#pragma once
// A judge behind a command that the user names.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "chronotope/core/error.hpp"
#include "chronotope/eval/judge.hpp"

namespace chronotope {

enum class JudgeFault : std::uint8_t {
  start,   ///< it cannot be run
  time,    ///< no end in time
  output,  ///< more output than a verdict can need
  status,  ///< another exit status than 0, or a signal
  answer   ///< what it wrote is no verdict
};

/// A judge that gave no verdict.
class JudgeError : public Error {
 public:
  JudgeError(JudgeFault fault, const std::string& message) : Error(message), fault_(fault) {}
  JudgeFault fault() const { return fault_; }

 private:
  JudgeFault fault_;
};

struct CommandLimits {
  double seconds = 120;                             ///< from the start to the end of the command
  std::size_t most_output = std::size_t{64} << 10;  ///< bytes
};

/// Runs a command for every case. It gets the case as one line of JSON on its standard input:
///   {"request": 7, "context": "…", "profile": "…", "history": ["…"], "a": [P], "b": [P]}
///   P = {"place": "…", "category": "…", "distance_km": 1.2 or null, "description": "…"}
/// and answers with one line of JSON on its standard output, and exit status 0:
///   {"better": "a", "b" or "even", "fit_a": 3, "fit_b": 5}
/// with the number of places of either list that fit the user; other keys are not looked at. Its standard error is this
/// process's. No shell is involved unless the command is one. The command leads a process group of its own, which is
/// killed when time or output runs out, and whatever is left of it at the end. Safe to call from several threads.
class CommandJudge {
 public:
  /// `command`: the program, looked for in PATH unless it has a '/', and its arguments. Throws ConfigError for no
  /// program, a zero byte, or limits that are not above 0.
  explicit CommandJudge(std::vector<std::string> command, const CommandLimits& limits = {});

  /// Throws JudgeError that names the command, the request and what happened.
  Verdict operator()(const JudgeCase& asked) const;

 private:
  std::vector<std::string> command_;
  CommandLimits limits_;
};

}  // namespace chronotope
