// fill: one value everywhere.
#include "kernels.hpp"
#include "map.hpp"

namespace chronotope::cuda {

namespace {

template <class T> struct Constant {
  T value;
  __device__ T operator()() const { return value; }
};

}  // namespace

void fill(const Queue& queue, const View& out, double value) {
  dispatch(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    map<T>(queue, "fill", Constant<T>{cpu::convert<T>(value)}, out);
  });
}

}  // namespace chronotope::cuda
