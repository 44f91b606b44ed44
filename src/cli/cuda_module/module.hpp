#pragma once
// What the CUDA module exports. Both sides are of one build: the names have the version.

#include <functional>
#include <memory>
#include <string>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/backend/timed.hpp"
#include "chronotope/train/communicator.hpp"

#define CHRONOTOPE_CUDA_MODULE_NAME "chronotope_cuda_stream_0_1"
#define CHRONOTOPE_CUDA_MODULE_ID_NAME "chronotope_nccl_id_0_1"
#define CHRONOTOPE_CUDA_MODULE_CONNECT_NAME "chronotope_nccl_connect_0_1"

namespace chronotope::cli {

/// Makes a stream of a device; with timings every operation is timed into them. Throws BackendError.
using CudaModuleFunction = void(int device, MathMode math, const std::shared_ptr<Timings>& timings, any_backend::stream& made);

/// Processes with a device each.
struct Connection {
  AnyCommunicator<any_backend> ranks;
  std::function<void()> abort;  ///< ends what is under way on this process's device
};
/// There where the module was built with NCCL: the name of a new group of processes, and one of them. Made here because tensors are known by the module's
/// own copy of the backend. Both throw BackendError.
using CudaModuleId = void(std::string& id);
using CudaModuleConnect = void(int rank, int size, const std::string& id, int device, Connection& made);

}  // namespace chronotope::cli
