#pragma once
// The processes that mpirun started to train together; without it, this one alone.

#include <functional>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/train/communicator.hpp"
#include "cli/device.hpp"

namespace chronotope::cli {

class Ranks {
 public:
  /// Throws BackendError when mpirun started several and this program was built without MPI.
  Ranks();

  /// Whether this is the process that speaks.
  bool first() const { return connection_.rank() == 0; }
  int size() const { return connection_.size(); }
  const AnyCommunicator<any_backend>& connection() const { return connection_; }
  /// CPU threads for each process, as many in all: `asked`, or with 0 its share of the machine. With one process what was asked.
  int threads(int asked);
  /// With --backend cuda each process takes a device: from `device.gpu` on, by its number on its machine. Throws ConfigError where two would have the same
  /// one, or others compute on CPUs.
  void choose_gpu(Device& device);
  /// Tensors then go from device to device by NCCL. Throws BackendError where the CUDA module was built without it.
  void connect_gpus(const Device& device);
  /// Does `work`. Where there are several processes, one that throws says so and ends all.
  void run(const std::function<void()>& work) const;

 private:
  AnyCommunicator<any_backend> connection_;
  std::function<void()> abort_;     ///< empty without MPI
  int here_ = 1, number_here_ = 0;  ///< processes on this machine, which of them this is
};

}  // namespace chronotope::cli
