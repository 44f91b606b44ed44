#pragma once
// Runs the built program. ctest names it in CHRONOTOPE_PROGRAM; without that the tests of this folder are skipped.

#include <doctest/doctest.h>

#include <cstdlib>
#include <map>

#include "data/scratch.hpp"
#include "train/child.hpp"

namespace program {

struct Outcome {
  child::End end;
  std::string out, err;
};

inline std::string path() {
  const char* name = std::getenv("CHRONOTOPE_PROGRAM");
  return name ? name : "";
}

inline Outcome run(const std::vector<std::string>& arguments, const std::string& out = "") {
  const scratch::Folder folder;
  std::vector<std::string> command{path()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  child::Process process(command, {"OMP_WAIT_POLICY=passive"}, out.empty() ? folder.file("out") : out, folder.file("err"));
  Outcome outcome;
  outcome.end = process.wait();
  outcome.out = out.empty() ? scratch::bytes_of(folder.file("out")) : "";
  outcome.err = scratch::bytes_of(folder.file("err"));
  return outcome;
}

/// Every file below a folder with its content.
inline std::map<std::string, std::string> snapshot(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    files[entry.path().string()] = entry.is_regular_file() ? scratch::bytes_of(entry.path().string()) : "";
  return files;
}

inline std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> list;
  std::string line;
  for (std::istringstream in(text); std::getline(in, line);) list.push_back(line);
  return list;
}

/// It worked: exit code 0 and no word of an error.
inline Outcome works(const std::vector<std::string>& arguments) {
  Outcome o = run(arguments);
  CAPTURE(o.err);
  REQUIRE(o.end.signal == 0);
  REQUIRE(o.end.code == 0);
  CHECK(o.err.find("error") == std::string::npos);
  return o;
}

/// Exit code 1 and one message, the last on stderr, with these words; continued lines are indented.
inline void fails(const std::vector<std::string>& arguments, const std::vector<std::string>& words) {
  const Outcome o = run(arguments);
  CAPTURE(arguments[0]);
  CAPTURE(o.err);
  CHECK(o.end.signal == 0);
  CHECK(o.end.code == 1);
  const std::vector<std::string> all = lines(o.err);
  std::string message;
  int messages = 0;
  for (const std::string& line : all) {
    if (line.rfind("error: ", 0) == 0) ++messages, message.clear();
    else if (messages) CHECK(line.rfind("  ", 0) == 0);
    message += line + "\n";
  }
  CHECK(messages == 1);
  CAPTURE(message);
  for (const std::string& word : words) {
    CAPTURE(word);
    CHECK(message.find(word) != std::string::npos);
  }
}

}  // namespace program

/// A test case that needs the program.
#define PROGRAM_TEST(name) TEST_CASE(name * doctest::skip(program::path().empty()))
