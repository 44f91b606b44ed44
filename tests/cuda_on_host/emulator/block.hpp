#pragma once
// Runs the blocks of a kernel, one after another, each block's threads as fibres in an order that the seed decides.

#include <cstdint>
#include <string>

#include "emulator/launch.hpp"

namespace cuda_on_host {

/// SplitMix64 (Steele et al. 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }

 private:
  std::uint64_t state_;
};

/// Throws Fault at the first thing that is wrong.
void run_kernel(const Kernel& kernel, Random& random);

/// "kernel reduce, block (0, 0, 0), thread (5, 0, 0)" while a thread runs, otherwise empty.
std::string running_thread();
/// Whether the running thread has used up its stack and came to `address`.
bool stack_overflow(const void* address);

}  // namespace cuda_on_host
