// select: one of two elements.
#include "kernels.hpp"
#include "map.hpp"

namespace chronotope::cuda {

namespace {

struct Choose {
  template <class T> __device__ T operator()(std::uint8_t condition, T a, T b) const { return condition ? a : b; }
};

template <class T> void select_bits(const Queue& queue, const View& out, const View& cond, const View& a, const View& b) {
  map<T, std::uint8_t, T, T>(queue, "select", Choose(), out, cond, a, b);
}

}  // namespace

void select(const Queue& queue, const View& out, const View& cond, const View& a, const View& b) {
  switch (size_of(out.dtype)) {
    case 1: return select_bits<std::uint8_t>(queue, out, cond, a, b);
    case 4: return select_bits<std::uint32_t>(queue, out, cond, a, b);
    default: return select_bits<std::uint64_t>(queue, out, cond, a, b);
  }
}

}  // namespace chronotope::cuda
