#pragma once
// The device's memory: one range of addresses, of which nothing can be touched but while kernels and copies run. Each
// block has pages of its own, between pages that are never open, and is filled with 0xFF when it comes to life. What
// the block does not use of its pages is a guard zone. Addresses are not used twice, so a freed block stays shut.
// Pages are opened at their first touch, by the handler of SIGSEGV: a kernel's arguments need not be known.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace cuda_on_host {

class Arena {
 public:
  Arena();

  /// Addresses for a block, which lives from begin_life on; null when there is no room. Throws nothing.
  void* reserve(std::size_t bytes, int device, std::uint64_t randomness);
  void begin_life(void* block);
  /// Throws Fault on a second free, a pointer that is no block, or a guard zone that was written to.
  void end_life(void* block);

  /// Between open and close living blocks can be touched.
  void open() { running_ = true; }
  void close();
  /// Whether an address that could not be touched can be now.
  bool open_block_of(const void* p);

  /// Throws Fault when a guard zone was written to, of a block that was touched since open().
  void check_guards() const;
  /// Throws Fault unless [p, p + bytes) lies in one living block of the device.
  void check_inside(const void* p, std::size_t bytes, int device, const std::string& what) const;
  /// Throws Fault when p is not at a living block of the device.
  void check_pointer(const void* p, int device, const std::string& what) const;

  bool contains(const void* p) const;
  /// "4 bytes behind a block of 128 bytes"
  std::string describe(const void* p) const;
  std::size_t live() const;
  /// Bytes of the blocks that live, and the most they were since forget_peak().
  std::size_t live_bytes() const { return live_bytes_; }
  std::size_t peak_bytes() const { return peak_bytes_; }
  void forget_peak() { peak_bytes_ = live_bytes_; }

 private:
  enum class State : std::uint8_t { reserved, live, freed };
  struct Block {
    char* user;
    std::size_t bytes;
    char* pages;
    std::size_t span;  ///< of the pages, without those that are never open
    int device;
    State state = State::reserved;
    bool open = false;
  };
  using Blocks = std::map<char*, Block>;  ///< by pages
  static const Block* find(const Blocks& blocks, const void* p);
  const Block* near(const void* p) const;  ///< in whose pages p lies, or the page before or behind
  Block* living(const void* p) { return const_cast<Block*>(find(living_, p)); }
  void check_guard(const Block& block) const;
  void protect(Block& block, bool open);

  char *begin_, *next_;
  Blocks living_, freed_;      ///< of the freed ones the latest, for messages
  std::vector<Block*> open_;  ///< touched since open()
  bool running_ = false;
  std::size_t live_bytes_ = 0, peak_bytes_ = 0;
};

}  // namespace cuda_on_host
