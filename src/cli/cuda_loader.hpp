#pragma once
// The CUDA backend as a module beside the program, loaded when it is asked for: cuBLAS alone is half a gigabyte, and a machine
// without CUDA's libraries can run the program all the same.

#include <memory>
#include <string>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/backend/timed.hpp"
#include "cli/cuda_module/module.hpp"

namespace chronotope::cli {

/// The module's file: what CHRONOTOPE_CUDA_MODULE says, else beside the program or in the lib folder beside its own. Empty: there is none.
std::string cuda_module();
/// A stream of the device. Throws BackendError where the module cannot be loaded or the device not be used.
any_backend::stream cuda_stream(int device, MathMode math, const std::shared_ptr<Timings>& timings);
/// The name of a new group of processes with a device each, and this process as one of them, who waits for the others. Both throw BackendError, also where
/// the module was built without NCCL.
std::string nccl_id();
Connection connect_by_nccl(int rank, int size, const std::string& id, int device);

}  // namespace chronotope::cli
