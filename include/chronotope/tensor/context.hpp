#pragma once
// Where tensors live: a stream, a caching allocator and the state of the random numbers. Made by the user; there is no
// default device and no hidden seed.

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "chronotope/backend/concepts.hpp"

namespace chronotope {

/// Position in the counter-based random stream. Equal positions draw equal numbers on every backend.
struct RandomState {
  std::uint64_t seed = 0;
  std::uint64_t counter = 0;
};

/// How much memory a context holds, in bytes.
struct MemoryStats {
  std::size_t in_use = 0;  ///< held by tensors
  std::size_t peak = 0;    ///< largest in_use so far
  std::size_t cached = 0;  ///< kept for reuse
};

namespace detail {

/// Device memory as the allocator deals it out: as large as was asked for or larger.
struct Block {
  void* data = nullptr;
  std::size_t bytes = 0;
};

/// Shared by a context and its tensors, so that tensors may outlive the context. Not thread-safe: one host thread at a time.
template <Backend B> class ContextState {
 public:
  explicit ContextState(typename B::stream s, std::uint64_t seed) : stream(std::move(s)), random{seed, 0} {}
  ContextState(const ContextState&) = delete;
  ContextState& operator=(const ContextState&) = delete;
  ~ContextState() { trim(); }

  Block allocate(std::size_t bytes) {
    const std::size_t size = size_class(bytes);
    Block block = take_cached(size);
    if (!block.data) {
      if (memory.cached > memory.peak) trim();  // shapes keep changing: do not hoard
      block = {allocate_new(size), size};
    }
    memory.in_use += block.bytes;
    memory.peak = std::max(memory.peak, memory.in_use);
    return block;
  }

  void release(Block block) noexcept {
    memory.in_use -= block.bytes;
    try {
      free_[block.bytes].push_back(block.data);
      memory.cached += block.bytes;
    } catch (...) {
      B::deallocate(stream, block.data);
    }
  }

  void trim() noexcept {
    for (auto& [size, free] : free_) {
      for (void* p : free) B::deallocate(stream, p);
      memory.cached -= size * free.size();
      free.clear();
    }
    if constexpr (requires { B::trim(stream); }) B::trim(stream);  // optional: what a backend keeps of its own
  }

  typename B::stream stream;
  std::size_t slack = 1;  ///< how many times as large as asked for a cached block may be
  RandomState random;
  MemoryStats memory;

 private:
  /// The smallest cached block that fits and is not too large; no data when there is none.
  Block take_cached(std::size_t size) {
    for (auto at = free_.lower_bound(size); at != free_.end() && at->first <= slack * size; ++at) {
      if (at->second.empty()) continue;
      const Block block{at->second.back(), at->first};
      at->second.pop_back();
      memory.cached -= block.bytes;
      return block;
    }
    return {};
  }

  /// What is cached goes back before an allocation is given up.
  void* allocate_new(std::size_t size) {
    try {
      return B::allocate(stream, size);
    } catch (...) {
      if (memory.cached == 0) throw;
    }
    trim();
    return B::allocate(stream, size);
  }

  /// Eight classes an octave: at most 12.5 % is wasted and near-equal shapes share blocks.
  static std::size_t size_class(std::size_t bytes) {
    std::size_t step = 64;
    while (step * 16 < bytes) step *= 2;
    return (std::max<std::size_t>(bytes, 1) + step - 1) / step * step;
  }

  std::map<std::size_t, std::vector<void*>> free_;
};

/// While it lives, tensors of a context may take cached blocks of up to twice their size. For what does not stay: weights and moments would
/// hold the rest of their blocks for good.
template <Backend B> class LooseFit {
 public:
  explicit LooseFit(std::shared_ptr<ContextState<B>> state) : state_(std::move(state)), before_(std::exchange(state_->slack, 2)) {}
  ~LooseFit() { state_->slack = before_; }
  LooseFit(const LooseFit&) = delete;
  LooseFit& operator=(const LooseFit&) = delete;

 private:
  std::shared_ptr<ContextState<B>> state_;
  std::size_t before_;
};

}  // namespace detail

template <Backend B> class Context {
 public:
  using backend = B;

  /// Takes the user's stream. `seed` starts the random stream of this context.
  explicit Context(typename B::stream stream = typename B::stream(), std::uint64_t seed = 0)
      : state_(std::make_shared<detail::ContextState<B>>(std::move(stream), seed)) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  Context(Context&&) noexcept = default;
  Context& operator=(Context&&) noexcept = default;

  typename B::stream& stream() { return state_->stream; }
  RandomState& random() { return state_->random; }
  const MemoryStats& memory() const { return state_->memory; }
  /// Gives cached memory back to the device.
  void trim() { state_->trim(); }
  void synchronize() { B::synchronize(state_->stream); }

  const std::shared_ptr<detail::ContextState<B>>& state() const { return state_; }

 private:
  std::shared_ptr<detail::ContextState<B>> state_;
};

}  // namespace chronotope
