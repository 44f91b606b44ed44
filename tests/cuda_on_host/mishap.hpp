#pragma once
// Runs something that should go wrong in a process of its own.

#include <functional>
#include <string>

namespace cuda_on_host {

/// What went wrong: the fault, an exception, or what a process that was ended wrote. Empty when nothing did.
std::string mishap(const std::function<void()>& f);

}  // namespace cuda_on_host
