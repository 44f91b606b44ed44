#pragma once
// Several numbers side by side that are loaded and stored at once, 16 bytes where they are as long.

#include <cstdint>

namespace chronotope::cuda {

template <class T, int V> struct alignas(sizeof(T) * V < 16 ? sizeof(T) * V : 16) Pack {
  T value[V];
};
/// What multiplications of tiles take at a time.
template <class T> using Quad = Pack<T, 4>;

/// Numbers of a pack of 16 bytes.
template <class T> inline constexpr int pack_of = static_cast<int>(16 / sizeof(T));

template <class T, int V> bool fits_packs(const T* p) { return reinterpret_cast<std::uintptr_t>(p) % alignof(Pack<T, V>) == 0; }

}  // namespace chronotope::cuda
