#pragma once
// A queued kernel: its arguments are copied at the launch, as on a device.

#include <cstddef>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

/// Set for the thread that runs; kernels read them.
inline dim3 threadIdx{0, 0, 0}, blockIdx{0, 0, 0}, blockDim, gridDim;

struct cudaStream;

namespace cuda_on_host {

struct Kernel {
  dim3 grid, block;
  std::size_t shared_bytes;
  std::string name;
  const void* function;
  std::vector<const void*> pointers;  ///< arguments that are pointers: they must be the device's
  std::function<void()> run;          ///< one thread
};

struct Bound {
  std::vector<const void*> pointers;
  std::function<void()> run;
};

template <class... P, std::size_t... I> Bound bind(void (*kernel)(P...), void** arguments, std::index_sequence<I...>) {
  std::tuple<P...> values(*static_cast<P*>(arguments[I])...);
  Bound bound;
  const auto note = [&](const auto& value) {
    if constexpr (std::is_pointer_v<std::decay_t<decltype(value)>>) bound.pointers.push_back(value);
  };
  (note(std::get<I>(values)), ...);
  bound.run = [kernel, values] { std::apply(kernel, values); };
  return bound;
}

/// False, with cudaGetLastError() saying why, when the launch itself is wrong.
bool enqueue_kernel(Kernel kernel, cudaStream* stream);

/// What the next kernel is called in messages.
void name_launch(const char* name);
/// Memory that is kept and used again holds anything, as fresh memory does. In the order of the stream; counts as no work of the host's.
void spoil(void* data, std::size_t bytes, cudaStream* stream);
std::string take_launch_name();

}  // namespace cuda_on_host
