#include "chronotope/train/nccl_communicator.hpp"
#include "cli/cuda_module/module.hpp"

using namespace chronotope;

extern "C" __attribute__((visibility("default"))) void chronotope_nccl_id_0_1(std::string& id) { id = NcclCommunicator::unique_id(); }

extern "C" __attribute__((visibility("default"))) void chronotope_nccl_connect_0_1(int rank, int size, const std::string& id, int device,
                                                                                   cli::Connection& made) {
  const auto nccl = std::make_shared<NcclCommunicator>(rank, size, id, device);
  made = {AnyCommunicator<any_backend>(nccl), [nccl] { nccl->abort(); }};
}
