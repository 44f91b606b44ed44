#pragma once
// One line of the parity table: how far the results of one operation on one backend in one dtype were from the reference.

#include <string>
#include <vector>

#include "chronotope/core/dtype.hpp"

namespace chronotope::parity {

struct Row {
  std::string operation;      ///< "unary exp", "rms_norm"
  std::string backend;        ///< "onednn"
  DType dtype;
  std::int64_t compared = 0;  ///< cases of a hook, values of a primitive
  double share = 0;           ///< the largest error as a share of its tolerance; 0: exact; above 1, or NaN: no parity
  bool hook = false;          ///< one of backend/fused.hpp; else a primitive
  bool composed = false;      ///< a hook that this backend lacks, or left to primitives in every case
};

/// What was measured, and what was not, with the reason: "cuda: no device on this machine".
struct Measured {
  std::vector<Row> rows;
  std::vector<std::string> left_out;

  void add(const Measured& more);
  bool in_parity() const;
};

/// Operations down, backends and dtypes across. Hooks stand behind primitives.
std::string table(const Measured& measured);

/// Throws FileError or FormatError, naming the file.
Measured read(const std::string& path);
void write(const std::string& path, const Measured& measured);

}  // namespace chronotope::parity
