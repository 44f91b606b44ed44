#pragma once
// What tests ask of the emulated device.

#include <cstdint>
#include <stdexcept>
#include <string>

namespace cuda_on_host {

/// Something that a GPU would not have noticed, or not said. The next synchronisation returns it as an error.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Order of blocks, warps and lanes, and whether blocks of memory lie against their front or their back guard.
void set_seed(std::uint64_t seed);
std::uint64_t seed();

/// The first fault since reset(), empty when there was none. It sticks: every later call on a stream fails.
const std::string& fault();
/// Forgets the fault and the digest.
void reset();

/// Of all bytes that were copied to the host since reset(): equal digests, equal results.
std::uint64_t digest();

/// Blocks that were allocated and not freed.
std::size_t live_blocks();
/// Kernels and products of cuBLAS that ran, and how often the host waited for a stream.
std::size_t kernels_run();
std::size_t products_run();
std::size_t waits();

/// Which of the algorithms that cuBLASLt's heuristics name it then refuses: those of a draw by the seed, or all.
enum class Refusals : std::uint8_t { drawn, all };
void set_refusals(Refusals);
/// Of those products, the ones of cuBLASLt; algorithms it refused; and how often its heuristics were asked.
std::size_t planned_products_run();
std::size_t algorithms_refused();
std::size_t algorithms_asked_for();
/// What the host sent to the device: kernels, products, copies, and graphs, each of which is one; graphs among them, and how many were instantiated.
std::size_t host_launches();
std::size_t graph_launches();
std::size_t graphs_instantiated();

/// Bytes of the device's memory that live blocks have, and the most they had since forget_peak(). In the order of the stream.
std::size_t live_bytes();
std::size_t peak_bytes();
void forget_peak();

/// From here on an allocation fails that would take what was asked for and not given back, by the order of calls, above this; 0: no limit.
void limit_memory(std::size_t bytes);

/// Exit status of a process that touched memory it must not touch (the text is on stderr).
inline constexpr int touched_memory = 86;

}  // namespace cuda_on_host
