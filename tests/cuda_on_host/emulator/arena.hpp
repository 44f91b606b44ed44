#pragma once
// The device's memory: one range of addresses, of which nothing can be touched but while kernels and copies run. Each
// block has pages of its own, between pages that are never open, and is filled with 0xFF when it comes to life. What
// the block does not use of its pages is a guard zone. Addresses are not used twice, so a freed block stays shut.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace cuda_on_host {

class Arena {
 public:
  Arena();

  /// Addresses for a block, which lives from begin_life on; null when there is no room. Throws nothing.
  void* reserve(std::size_t bytes, int device, std::uint64_t randomness);
  void begin_life(void* block);
  /// Throws Fault on a second free, a pointer that is no block, or a guard zone that was written to.
  void end_life(void* block);

  /// Between open and close the living blocks can be touched.
  void open();
  void close();

  /// Throws Fault when a guard zone was written to.
  void check_guards() const;
  /// Throws Fault unless [p, p + bytes) lies in one living block of the device.
  void check_inside(const void* p, std::size_t bytes, int device, const std::string& what) const;
  /// Throws Fault when no living block of the device is at or near p.
  void check_pointer(const void* p, int device, const std::string& what) const;

  bool contains(const void* p) const;
  /// "4 bytes behind a block of 128 bytes"
  std::string describe(const void* p) const;
  std::size_t live() const;

 private:
  enum class State : std::uint8_t { reserved, live, freed };
  struct Block {
    char* user;
    std::size_t bytes;
    char* pages;
    std::size_t span;  ///< of the pages, without those that are never open
    int device;
    State state;
  };
  const Block* near(const void* p) const;  ///< in whose pages p lies, or the page before or behind
  void check_guard(const Block& block) const;
  void protect(const Block& block, bool open) const;

  char *begin_, *next_;
  std::map<char*, Block> blocks_;  ///< by pages; freed ones too, the latest of them
  std::size_t freed_ = 0;
  bool open_ = false;
};

}  // namespace cuda_on_host
