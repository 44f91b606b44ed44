#pragma once
// Shared memory that knows who touched what since when: CHRONOTOPE_SHARED(T, name, N) declares `name[N]` of a block.
// An element touched by two threads, by one of them to write, needs a barrier in between; __syncwarp counts between the
// lanes of its mask, a shuffle does not: it orders no memory.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#define CHRONOTOPE_SHARED(T, name, N) static ::cuda_on_host::Shared<T, N> name(#name)
#define CHRONOTOPE_NAME_LAUNCH(name) ::cuda_on_host::name_launch(name)
#define CHRONOTOPE_MOST_BLOCKS 3  // small operands too are more than a grid covers
#define CHRONOTOPE_LOGIT_SIDE 64  // and small vocabularies more than a block of logits
#define CHRONOTOPE_CHUNK_BYTES (32 << 10)  // or than a chunk
#define CHRONOTOPE_TOPK_PART 32
#define CHRONOTOPE_SCRATCH_STEP 1   // so that guard zones begin where scratch memory ends
#define CHRONOTOPE_SCRATCH_SLACK 1
#define CHRONOTOPE_SPOIL(data, bytes, stream) ::cuda_on_host::spoil(data, bytes, stream)

namespace cuda_on_host {

/// Who touched an element last: the two latest threads of each kind.
struct History {
  struct Access {
    int thread = -1;
    std::uint64_t when = 0;
  };
  Access write, atomic[2], read[2];
};

enum class Touch : std::uint8_t { read, write, atomic };

/// Throws Fault unless the running thread may do this now; notes that it did.
void touch(History& history, Touch kind, const char* name, std::size_t element);
[[noreturn]] void out_of_shared(const char* name, std::size_t element, std::size_t size);
/// Number of the block that runs: a block's shared memory begins unwritten.
inline std::uint64_t running_block = 0;
/// Throws Fault when the block uses more than there is.
void count_shared(std::size_t bytes);

template <class T, std::size_t N> class Shared {
  static_assert(std::is_trivially_default_constructible_v<T>, "shared memory cannot be initialised");

 public:
  explicit Shared(const char* name) : name_(name) {}

  class Pointer {
   public:
    Pointer(Shared& shared, std::size_t at) : shared_(shared), at_(at) {}
    T atomic_add(T x) const {
      touch(shared_.history_[at_], Touch::atomic, shared_.name_, at_);
      const T old = shared_.values_[at_];
      shared_.values_[at_] = static_cast<T>(old + x);
      return old;
    }

   private:
    Shared& shared_;
    std::size_t at_;
  };

  class Element {
   public:
    Element(Shared& shared, std::size_t at) : shared_(shared), at_(at) {}
    operator T() const {
      touch(shared_.history_[at_], Touch::read, shared_.name_, at_);
      return shared_.values_[at_];
    }
    const Element& operator=(T value) const {
      touch(shared_.history_[at_], Touch::write, shared_.name_, at_);
      shared_.values_[at_] = value;
      return *this;
    }
    const Element& operator=(const Element& other) const { return *this = static_cast<T>(other); }
    const Element& operator+=(T value) const { return *this = static_cast<T>(static_cast<T>(*this) + value); }
    Pointer operator&() const { return {shared_, at_}; }

   private:
    Shared& shared_;
    std::size_t at_;
  };

  Element operator[](std::size_t i) {
    if (i >= N) out_of_shared(name_, i, N);
    if (block_ != running_block) begin_block();
    return {*this, i};
  }

 private:
  void begin_block() {
    block_ = running_block;
    count_shared(sizeof values_);
    history_.fill({});
    std::memset(static_cast<void*>(values_.data()), 0xFF, sizeof values_);
  }

  const char* name_;
  std::uint64_t block_ = 0;
  std::array<T, N> values_;
  std::array<History, N> history_{};
};

template <class P, class T> auto atomicAdd(const P& at, T x) -> decltype(at.atomic_add(x)) { return at.atomic_add(x); }

}  // namespace cuda_on_host
