#pragma once
// The CUDA backend as a module beside the program, loaded when it is asked for: cuBLAS alone is half a gigabyte, and a machine
// without CUDA's libraries can run the program all the same.

#include <memory>
#include <string>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/backend/timed.hpp"

namespace chronotope::cli {

/// The module's file: what CHRONOTOPE_CUDA_MODULE says, else beside the program or in the lib folder beside its own. Empty: there is none.
std::string cuda_module();
/// A stream of the device. Throws BackendError where the module cannot be loaded or the device not be used.
any_backend::stream cuda_stream(int device, MathMode math, const std::shared_ptr<Timings>& timings);

}  // namespace chronotope::cli
