#pragma once
// One thread of a block: a stack of its own that can stop in the middle of a kernel. Fibres are made once and used again.

#include <boost/context/fiber.hpp>
#include <cstddef>
#include <functional>

namespace cuda_on_host {

class Fibre {
 public:
  Fibre();
  Fibre(const Fibre&) = delete;
  Fibre& operator=(const Fibre&) = delete;

  /// What the next resume() starts; only while the fibre rests.
  void give(const std::function<void()>* work) { work_ = work; }
  /// Runs until pause() or the end of the work. From outside.
  void resume();
  /// Back to whoever resumed. From inside.
  void pause();
  bool resting() const { return work_ == nullptr; }
  /// Whether an address lies in the page below the stack.
  bool overflowed_to(const void* address) const;

 private:
  struct Stack {
    using traits_type = boost::context::stack_traits;
    boost::context::stack_context allocate();
    void deallocate(boost::context::stack_context&) {}
    Fibre* owner;
  };
  [[noreturn]] void run();

  char* bottom_ = nullptr;  ///< of the stack, above its guard page
  const std::function<void()>* work_ = nullptr;
  boost::context::fiber inside_, outside_;
  // What AddressSanitizer wants to know of a change of stacks.
  void *fake_inside_ = nullptr, *fake_outside_ = nullptr;
  const void* outer_bottom_ = nullptr;
  std::size_t outer_size_ = 0;
};

}  // namespace cuda_on_host
