#include "emulator/fibre.hpp"

#include <sys/mman.h>

#include <memory>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#else
namespace {
void __sanitizer_start_switch_fiber(void**, const void*, std::size_t) {}
void __sanitizer_finish_switch_fiber(void*, const void**, std::size_t*) {}
}  // namespace
#endif

namespace cuda_on_host {

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t stack_bytes = std::size_t{256} << 10;
#else
constexpr std::size_t stack_bytes = std::size_t{64} << 10;
#endif
constexpr std::size_t page = 4096;

}  // namespace

boost::context::stack_context Fibre::Stack::allocate() {
  void* const memory = mmap(nullptr, page + stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  mprotect(memory, page, PROT_NONE);
  owner->bottom_ = static_cast<char*>(memory) + page;
  boost::context::stack_context context;
  context.size = stack_bytes;
  context.sp = owner->bottom_ + stack_bytes;
  return context;
}

Fibre::Fibre()
    : inside_(std::allocator_arg, Stack{this}, [this](boost::context::fiber&& outside) -> boost::context::fiber {
        outside_ = std::move(outside);
        run();
      }) {}

void Fibre::run() {
  __sanitizer_finish_switch_fiber(nullptr, &outer_bottom_, &outer_size_);
  for (;;) {
    (*work_)();
    work_ = nullptr;
    pause();
  }
}

void Fibre::resume() {
  __sanitizer_start_switch_fiber(&fake_outside_, bottom_, stack_bytes);
  inside_ = std::move(inside_).resume();
  __sanitizer_finish_switch_fiber(fake_outside_, nullptr, nullptr);
}

void Fibre::pause() {
  __sanitizer_start_switch_fiber(&fake_inside_, outer_bottom_, outer_size_);
  outside_ = std::move(outside_).resume();
  __sanitizer_finish_switch_fiber(fake_inside_, &outer_bottom_, &outer_size_);
}

bool Fibre::overflowed_to(const void* address) const {
  const char* const p = static_cast<const char*>(address);
  return p < bottom_ && p >= bottom_ - page;
}

}  // namespace cuda_on_host
