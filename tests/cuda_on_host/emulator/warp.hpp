#pragma once
// Barriers, shuffles and votes. Each waits until all threads concerned have reached the same statement.

#include <cstdint>
#include <cstring>

namespace cuda_on_host {

/// Where in the source a barrier stands: all threads must come to the same one.
struct Site {
  const char* file = __builtin_FILE();
  int line = __builtin_LINE();
};

void block_barrier(Site site);

enum class Exchange : std::uint8_t { sync, shuffle, ballot };

/// Waits for the lanes of `mask`; gives the bits of lane `source` (shuffle) or of all lanes whose bits are not 0 (ballot).
std::uint64_t warp_exchange(Exchange kind, unsigned mask, std::uint64_t bits, int source, Site site);
int lane();

template <class T> T shuffle(unsigned mask, T value, int source, Site site) {
  static_assert(sizeof(T) <= 8);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = warp_exchange(Exchange::shuffle, mask, bits, source, site);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

}  // namespace cuda_on_host

inline constexpr int warpSize = 32;

inline void __syncthreads(cuda_on_host::Site site = {}) { cuda_on_host::block_barrier(site); }

inline void __syncwarp(unsigned mask = 0xFFFFFFFFu, cuda_on_host::Site site = {}) {
  cuda_on_host::warp_exchange(cuda_on_host::Exchange::sync, mask, 0, -1, site);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, cuda_on_host::Site site = {}) {
  return static_cast<unsigned>(cuda_on_host::warp_exchange(cuda_on_host::Exchange::ballot, mask, predicate != 0, -1, site));
}

template <class T> T __shfl_sync(unsigned mask, T value, int source, cuda_on_host::Site site = {}) {
  return cuda_on_host::shuffle(mask, value, source % 32, site);
}

/// Lanes without a partner keep their own value, as on a device.
template <class T> T __shfl_down_sync(unsigned mask, T value, unsigned delta, cuda_on_host::Site site = {}) {
  const int from = cuda_on_host::lane() + static_cast<int>(delta);
  return cuda_on_host::shuffle(mask, value, from < 32 ? from : cuda_on_host::lane(), site);
}

template <class T> T __shfl_up_sync(unsigned mask, T value, unsigned delta, cuda_on_host::Site site = {}) {
  const int from = cuda_on_host::lane() - static_cast<int>(delta);
  return cuda_on_host::shuffle(mask, value, from >= 0 ? from : cuda_on_host::lane(), site);
}

template <class T> T __shfl_xor_sync(unsigned mask, T value, int bits, cuda_on_host::Site site = {}) {
  return cuda_on_host::shuffle(mask, value, cuda_on_host::lane() ^ bits, site);
}

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(unsigned x) { return x == 0 ? 32 : __builtin_clz(x); }

/// Fibres change at barriers only, so an atomic operation on the device's memory is an ordinary one here.
template <class T> T atomicAdd(T* at, T x) {
  const T old = *at;
  *at = static_cast<T>(old + x);
  return old;
}
template <class T> T atomicCAS(T* at, T expected, T x) {
  const T old = *at;
  if (old == expected) *at = x;
  return old;
}
