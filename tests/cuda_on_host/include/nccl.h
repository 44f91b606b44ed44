#pragma once
// Stand-in for NVIDIA's header: what src/nccl uses of NCCL. Ranks are threads or processes of this machine (emulator/meeting.hpp).

#include <cuda_runtime.h>

#include <cstddef>

struct ncclComm;
using ncclComm_t = ncclComm*;
struct ncclUniqueId {
  char internal[128];
};

enum ncclResult_t {
  ncclSuccess = 0,
  ncclUnhandledCudaError = 1,
  ncclSystemError = 2,
  ncclInternalError = 3,
  ncclInvalidArgument = 4,
  ncclInvalidUsage = 5,
  ncclRemoteError = 6,
  ncclInProgress = 7
};
enum ncclDataType_t { ncclInt8 = 0, ncclFloat32 = 7, ncclFloat64 = 8 };
enum ncclRedOp_t { ncclSum = 0 };

const char* ncclGetErrorString(ncclResult_t);
/// Of the calling thread.
const char* ncclGetLastError(ncclComm_t);

ncclResult_t ncclGetUniqueId(ncclUniqueId*);
/// Waits for all `ranks`.
ncclResult_t ncclCommInitRank(ncclComm_t*, int ranks, ncclUniqueId, int rank);
/// Waits for what is queued, and for the others to destroy theirs.
ncclResult_t ncclCommDestroy(ncclComm_t);
/// What is queued does nothing any more; the others find ncclRemoteError, as over a network.
ncclResult_t ncclCommAbort(ncclComm_t);
ncclResult_t ncclCommGetAsyncError(ncclComm_t, ncclResult_t* state);

ncclResult_t ncclAllReduce(const void* from, void* to, std::size_t count, ncclDataType_t, ncclRedOp_t, ncclComm_t, cudaStream_t);
ncclResult_t ncclBroadcast(const void* from, void* to, std::size_t count, ncclDataType_t, int root, ncclComm_t, cudaStream_t);
/// Calls in between are queued as one; an error in one is that of all.
ncclResult_t ncclGroupStart();
ncclResult_t ncclGroupEnd();
