#pragma once
// Processes started by mpirun (component mpi). For tensors in the host's memory: backends eigen and onednn.

#include <numeric>

#include "chronotope/train/communicator.hpp"

namespace chronotope {

/// A Communicator of all processes of an MPI job. Not for several threads at once. A process that fails must end the others, which would wait for it
/// for ever: the destructor does so where an exception passes through, and MPI where a process is killed.
class MpiCommunicator {
 public:
  /// Starts MPI unless the program has; the destructor ends it then. Once a process, for MPI does not start twice. Throws Error.
  MpiCommunicator();
  ~MpiCommunicator();
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  /// Processes of the job on this machine, this one among them.
  int here() const { return here_; }
  /// Which of these it is.
  int number_here() const { return number_here_; }

  /// f32 and f64. Throws DTypeError for others.
  template <Backend B> std::unique_ptr<Transfer> sum(const Tensor<B>& values) {
    B::synchronize(values.stream());
    return start_sum(values.view());
  }

  /// Throws Error for more than 2^31 - 1 values in all.
  template <Backend B> std::vector<Tensor<B>> gather(const Tensor<B>& values, std::span<const std::int64_t> lengths) {
    const Tensor<B> mine = dense(values), all(values.state(), {std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0})}, values.dtype());
    B::synchronize(values.stream());
    gather_bytes(all.view().data, mine.view().data, lengths, size_of(values.dtype()));
    std::vector<Tensor<B>> pieces;
    std::int64_t at = 0;
    for (const std::int64_t n : lengths) pieces.push_back(all.alias({n}, {1}, at)), at += n;
    return pieces;
  }

  std::vector<std::string> gather(const std::string& text);

  /// Ends all processes of the job with exit code 1.
  [[noreturn]] void abort() const;

 private:
  std::unique_ptr<Transfer> start_sum(const View& values);
  void gather_bytes(void* all, const void* mine, std::span<const std::int64_t> lengths, std::size_t size);

  int rank_ = 0, size_ = 1, here_ = 1, number_here_ = 0;
  int exceptions_;     ///< on their way when this was made
  bool ours_ = false;  ///< MPI was started here
};

}  // namespace chronotope
