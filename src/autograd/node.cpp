#include "chronotope/autograd/node.hpp"

#include <atomic>

namespace chronotope::detail {

std::uint64_t next_sequence() {
  static std::atomic<std::uint64_t> counter{0};
  return ++counter;
}

}  // namespace chronotope::detail
