#include "emulator/arena.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "emulator/control.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) (static_cast<void>(p), static_cast<void>(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) (static_cast<void>(p), static_cast<void>(n))
#endif

namespace cuda_on_host {

namespace {

constexpr std::size_t page = 4096, range = std::size_t{256} << 30, alignment = 256, most_freed = 10000;
constexpr std::size_t device_memory = std::size_t{8} << 30;

/// NaN as f32, huge as f64, negative as an integer, and not what a fresh block is filled with.
constexpr std::uint64_t guard_word = 0xFFA5FFA5FFA5FFA5u;
unsigned char guard_byte(const char* p) { return reinterpret_cast<std::uintptr_t>(p) & 1 ? 0xFF : 0xA5; }

/// Where whole words begin in [p, end).
template <class P> P aligned(P p, const char* end) {
  while (reinterpret_cast<std::uintptr_t>(p) % 8 != 0 && p < end) ++p;
  return p;
}

/// `to` is a multiple of 8, as pages and blocks begin at.
void fill_guard(char* from, const char* to) {
  char* const words = aligned(from, to);
  for (char* p = from; p < words; ++p) *p = static_cast<char>(guard_byte(p));
  for (char* p = words; p < to; p += 8) std::memcpy(p, &guard_word, 8);
}

__attribute__((no_sanitize_address)) const char* first_changed(const char* from, const char* to) {
  const char *p = from, *const words = aligned(from, to);
  while (p < words && static_cast<unsigned char>(*p) == guard_byte(p)) ++p;
  if (p < words) return p;
  while (p < to && *reinterpret_cast<const std::uint64_t*>(p) == guard_word) p += 8;
  while (p < to && static_cast<unsigned char>(*p) == guard_byte(p)) ++p;
  return p < to ? p : nullptr;
}

}  // namespace

Arena::Arena() {
  void* const memory = mmap(nullptr, range, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  begin_ = next_ = static_cast<char*>(memory);
}

void* Arena::reserve(std::size_t bytes, int device, std::uint64_t randomness) {
  if (bytes == 0 || bytes > device_memory) return nullptr;
  const std::size_t used = (bytes + alignment - 1) / alignment * alignment;
  const std::size_t span = (used + page - 1) / page * page + page;  // at least a page's worth of guard
  if (span + 2 * page > static_cast<std::size_t>(begin_ + range - next_)) return nullptr;
  char* const pages = next_ + page;
  next_ = pages + span;
  // The end of the block at the end of its pages, or its begin at their begin.
  char* const user = randomness % 2 ? pages + span - used : pages;
  living_[pages] = {user, bytes, pages, span, device};
  return user;
}

void Arena::protect(Block& block, bool open) {
  if (mprotect(block.pages, block.span, open ? PROT_READ | PROT_WRITE : PROT_NONE) != 0)
    throw Fault("mprotect failed: too many blocks of memory");
  block.open = open;
  if (open) open_.push_back(&block);
  else std::erase(open_, &block);
}

bool Arena::open_block_of(const void* p) {
  Block* const block = running_ ? living(p) : nullptr;
  const auto* const at = static_cast<const char*>(p);
  if (!block || block->state != State::live || block->open || at < block->pages || at >= block->pages + block->span) return false;
  protect(*block, true);
  return true;
}

void Arena::close() {
  running_ = false;
  while (!open_.empty()) protect(*open_.back(), false);
}

void Arena::begin_life(void* user) {
  Block& block = *living(user);
  block.state = State::live;
  live_bytes_ += block.bytes;
  peak_bytes_ = std::max(peak_bytes_, live_bytes_);
  protect(block, true);
  fill_guard(block.pages, block.user);
  std::memset(block.user, 0xFF, block.bytes);
  fill_guard(block.user + block.bytes, block.pages + block.span);
  ASAN_POISON_MEMORY_REGION(block.pages, static_cast<std::size_t>(block.user - block.pages));
  ASAN_POISON_MEMORY_REGION(block.user + block.bytes, static_cast<std::size_t>(block.pages + block.span - block.user) - block.bytes);
}

void Arena::end_life(void* user) {
  const Block* const known = near(user);
  if (!known || known->user != user) throw Fault("free of " + describe(user) + ", which is not the begin of a block");
  if (known->state == State::freed) throw Fault("second free of a block of " + std::to_string(known->bytes) + " bytes");
  Block& block = *living(user);
  if (block.open) check_guard(block);
  block.state = State::freed;
  live_bytes_ -= block.bytes;
  ASAN_UNPOISON_MEMORY_REGION(block.pages, block.span);
  protect(block, false);
  madvise(block.pages, block.span, MADV_DONTNEED);
  if (freed_.size() == most_freed) freed_.erase(freed_.begin());
  freed_.insert(living_.extract(block.pages));
}

void Arena::check_guard(const Block& b) const {
  const char* changed = first_changed(b.pages, b.user);
  if (!changed) changed = first_changed(b.user + b.bytes, b.pages + b.span);
  if (changed) throw Fault("guard zone overwritten: " + describe(changed));
}

void Arena::check_guards() const {
  for (const Block* block : open_) check_guard(*block);
}

const Arena::Block* Arena::find(const Blocks& blocks, const void* p) {
  const auto* const at = static_cast<const char*>(p);
  auto found = blocks.upper_bound(const_cast<char*>(at) + page);
  if (found == blocks.begin()) return nullptr;
  const Block& block = (--found)->second;
  return at < block.pages + block.span + page ? &block : nullptr;
}

const Arena::Block* Arena::near(const void* p) const {
  const Block* const block = find(living_, p);
  return block ? block : find(freed_, p);
}

bool Arena::contains(const void* p) const { return p >= begin_ && p < begin_ + range; }

std::string Arena::describe(const void* p) const {
  const Block* const block = near(p);
  if (!contains(p)) return "an address outside the device's memory";
  if (!block) return "device memory where there never was a block, or one freed long ago";
  const std::ptrdiff_t from_begin = static_cast<const char*>(p) - block->user;
  const auto size = static_cast<std::ptrdiff_t>(block->bytes);
  const std::string where = from_begin < 0       ? std::to_string(-from_begin) + " bytes before"
                            : from_begin >= size ? std::to_string(from_begin - size) + " bytes behind the end of"
                                                 : "byte " + std::to_string(from_begin) + " of";
  const char* const state = block->state == State::freed ? " freed" : block->state == State::reserved ? "n unborn" : "";
  return where + " a" + state + " block of " + std::to_string(size) + " bytes";
}

void Arena::check_inside(const void* p, std::size_t bytes, int device, const std::string& what) const {
  const auto* const at = static_cast<const char*>(p);
  const Block* const block = near(p);
  if (!block || block->state != State::live || at < block->user || at + bytes > block->user + block->bytes)
    throw Fault(what + ": " + std::to_string(bytes) + " bytes from " + describe(p) + " are not a part of one block that lives");
  if (block->device != device) throw Fault(what + ": memory of device " + std::to_string(block->device) + " on device " + std::to_string(device));
}

void Arena::check_pointer(const void* p, int device, const std::string& what) const {
  const Block* const block = near(p);
  if (!block || block->state != State::live) throw Fault(what + ": an argument points to " + describe(p));
  if (block->device != device)
    throw Fault(what + ": an argument points to memory of device " + std::to_string(block->device) + ", the stream is of device " + std::to_string(device));
}

std::size_t Arena::live() const { return living_.size(); }

}  // namespace cuda_on_host
