#pragma once
// Processes that train together on a GPU each (component nccl). For tensors of cuda_backend, also behind any_backend.

#include <numeric>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/backend/cuda_backend.hpp"
#include "chronotope/train/communicator.hpp"

namespace chronotope {

namespace detail {

inline const cuda_backend::stream& cuda_stream(const cuda_backend::stream& s) { return s; }
/// The stream that was put behind any_stream<cuda_backend>. Throws BackendError where another backend is there, or one loaded with another copy of this library.
const cuda_backend::stream& cuda_stream(const any_backend::stream& s);

}  // namespace detail

/// A Communicator over NCCL: of processes, or of threads of one. All work is done by the GPU in one queue of the communicator's own, beside the tensors'
/// streams, which wait for it only where Transfer::wait says so; the host waits in gather(text) alone. Not for several threads at once.
/// Transfers must not outlive it; the tensors' streams should, for they end by waiting. NCCL notices a lost process only where it talks over a network:
/// whoever starts the processes must end the others.
/// Every operation throws BackendError with NCCL's text when it fails here, and Error when NCCL says that the others are lost.
class NcclCommunicator {
 public:
  /// The name of a new group. One process makes it, and whoever starts the processes carries it to all, as MpiCommunicator::gather(text) can.
  static std::string unique_id();

  /// Waits until all `size` have made theirs with the same id, each on another device.
  NcclCommunicator(int rank, int size, const std::string& id, int device);
  /// Ends what is under way where an exception passes through; else waits for it, and for the others to get here too.
  ~NcclCommunicator();
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  int rank() const;
  int size() const;

  /// f32 and f64. Throws DTypeError for others, BackendError for a tensor of another device.
  template <Backend B>
    requires requires(typename B::stream& s) { detail::cuda_stream(s); }
  std::unique_ptr<Transfer> sum(const Tensor<B>& values) {
    return start_sum(values.view(), detail::cuda_stream(values.stream()));
  }

  /// Throws ShapeError when `lengths` are not of all processes or not of these values, BackendError for a tensor of another device.
  template <Backend B>
    requires requires(typename B::stream& s) { detail::cuda_stream(s); }
  std::vector<Tensor<B>> gather(const Tensor<B>& values, std::span<const std::int64_t> lengths) {
    const Tensor<B> mine = dense(values), all(values.state(), {std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0})}, values.dtype());
    gather_values(all.view(), mine.view(), lengths, detail::cuda_stream(values.stream()));
    std::vector<Tensor<B>> pieces;
    std::int64_t at = 0;
    for (const std::int64_t n : lengths) pieces.push_back(all.alias({n}, {1}, at)), at += n;
    return pieces;
  }

  std::vector<std::string> gather(const std::string& text);

  /// Ends what is under way on this GPU, whatever the others do. All that is asked for afterwards throws BackendError.
  void abort() noexcept;

 private:
  struct Impl;
  class Sum;
  std::unique_ptr<Transfer> start_sum(const View& values, const cuda_backend::stream& s);
  void gather_values(const View& all, const View& mine, std::span<const std::int64_t> lengths, const cuda_backend::stream& s);

  std::unique_ptr<Impl> impl_;
};

}  // namespace chronotope
