#pragma once
// What the CUDA module exports. Both sides are of one build: the name has the version.

#include <memory>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/backend/timed.hpp"

#define CHRONOTOPE_CUDA_MODULE_NAME "chronotope_cuda_stream_0_1"

namespace chronotope::cli {

/// Makes a stream of a device; with timings every operation is timed into them. Throws BackendError.
using CudaModuleFunction = void(int device, MathMode math, const std::shared_ptr<Timings>& timings, any_backend::stream& made);

}  // namespace chronotope::cli
