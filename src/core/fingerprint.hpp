#pragma once
// A number that stands for data: equal data give the same, other data almost surely another. Not against intent.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

namespace chronotope {

/// FNV-1a (Fowler, Noll, Vo) byte by byte for single numbers; arrays word by word, for they may be gigabytes.
class Fingerprint {
 public:
  void add(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) step(value >> shift & 255);
  }

  template <class T> void add(std::span<const T> values) {
    static_assert(std::has_unique_object_representations_v<T> || std::is_floating_point_v<T>);
    const auto bytes = std::as_bytes(values);
    add(bytes.size());
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at, std::min(sizeof word, bytes.size() - at));
      step(word);
      hash_ ^= hash_ >> 32;  // or high bits of words would never reach low bits
    }
  }

  /// Never 0, which stands for "not known".
  std::uint64_t value() const { return std::max<std::uint64_t>(hash_, 1); }

 private:
  void step(std::uint64_t word) { hash_ = (hash_ ^ word) * 0x100000001b3u; }

  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

}  // namespace chronotope
