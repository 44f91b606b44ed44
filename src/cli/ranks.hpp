#pragma once
// The processes that mpirun started to train together; without it, this one alone.

#include <functional>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/train/communicator.hpp"

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
  /// Does `work`. Where there are several processes, one that throws says so and ends all.
  void run(const std::function<void()>& work) const;

 private:
  AnyCommunicator<any_backend> connection_;
  std::function<void()> abort_;  ///< empty without MPI
  int here_ = 1;                 ///< processes on this machine
};

}  // namespace chronotope::cli
