#include "chronotope/train/mpi_communicator.hpp"

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <limits>
#include <thread>

#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

constexpr std::int64_t most = std::numeric_limits<int>::max();  // MPI counts in int

void check(int code) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Error("the connection to the other processes of this training is lost: " + std::string(text, static_cast<std::size_t>(length)) +
              "; the last checkpoint is whole, resume from it");
}

/// Waits, for the first moments awake, then leaving the processor to those who are waited for.
void complete(MPI_Request& request) {
  constexpr int awake = 2000;
  for (int tries = 0, done = 0;; ++tries) {
    check(MPI_Test(&request, &done, MPI_STATUS_IGNORE));
    if (done) return;
    if (tries < awake) std::this_thread::yield();
    else std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

MPI_Datatype float_type(DType dtype) {
  if (dtype == DType::f32) return MPI_FLOAT;
  if (dtype == DType::f64) return MPI_DOUBLE;
  throw DTypeError(std::string("[sum] processes add up f32 and f64, not ") + to_string(dtype));
}

class Sum final : public Transfer {
 public:
  explicit Sum(const View& values) {
    const MPI_Datatype type = float_type(values.dtype);
    for (std::int64_t at = 0, n = values.elements(); at < n; at += most) {
      auto* begin = static_cast<std::byte*>(values.data) + at * static_cast<std::int64_t>(size_of(values.dtype));
      requests_.push_back(MPI_REQUEST_NULL);
      check(MPI_Iallreduce(MPI_IN_PLACE, begin, static_cast<int>(std::min(most, n - at)), type, MPI_SUM, MPI_COMM_WORLD, &requests_.back()));
    }
  }
  void advance() override {
    int done = 0;
    check(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE));
  }
  void wait() override {
    for (MPI_Request& request : requests_) complete(request);
  }

 private:
  std::vector<MPI_Request> requests_;
};

/// Pieces of `unit` bytes of all processes, one behind another.
void gather_pieces(void* all, const void* mine, std::span<const std::int64_t> lengths, int unit, int rank) {
  std::vector<int> counts, begins;
  std::int64_t total = 0;
  for (const std::int64_t n : lengths) {
    begins.push_back(static_cast<int>(total)), counts.push_back(static_cast<int>(n)), total += n;
    if (total > most) throw Error("[gather] " + std::to_string(total) + " values of all processes are more than MPI can count; try a smaller training.batch");
  }
  MPI_Datatype type = MPI_DATATYPE_NULL;
  check(MPI_Type_contiguous(unit, MPI_BYTE, &type));
  check(MPI_Type_commit(&type));
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Iallgatherv(mine, counts[static_cast<std::size_t>(rank)], type, all, counts.data(), begins.data(), type, MPI_COMM_WORLD, &request));
  complete(request);
  check(MPI_Type_free(&type));
}

}  // namespace

MpiCommunicator::MpiCommunicator() : exceptions_(std::uncaught_exceptions()) {
  int there = 0, level = 0;
  MPI_Initialized(&there);
  if (!there) check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &level));
  ours_ = !there;
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
  check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_));
  check(MPI_Comm_size(MPI_COMM_WORLD, &size_));
  MPI_Comm machine = MPI_COMM_NULL;
  check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine));
  check(MPI_Comm_size(machine, &here_));
  check(MPI_Comm_rank(machine, &number_here_));
  check(MPI_Comm_free(&machine));
}

MpiCommunicator::~MpiCommunicator() {
  if (std::uncaught_exceptions() > exceptions_) abort();
  if (ours_) MPI_Finalize();
}

std::vector<std::string> MpiCommunicator::gather(const std::string& text) {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(size_)), ones(lengths.size(), 1);
  const auto own = static_cast<std::int64_t>(text.size());
  gather_pieces(lengths.data(), &own, ones, sizeof own, rank_);
  std::string all(static_cast<std::size_t>(std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0})), '\0');
  gather_pieces(all.data(), text.data(), lengths, 1, rank_);
  std::vector<std::string> texts;
  std::size_t at = 0;
  for (const std::int64_t n : lengths) texts.push_back(all.substr(at, static_cast<std::size_t>(n))), at += static_cast<std::size_t>(n);
  return texts;
}

void MpiCommunicator::abort() const {
  MPI_Abort(MPI_COMM_WORLD, 1);
  std::abort();  // MPI_Abort does not return
}

std::unique_ptr<Transfer> MpiCommunicator::start_sum(const View& values) { return std::make_unique<Sum>(values); }

void MpiCommunicator::gather_bytes(void* all, const void* mine, std::span<const std::int64_t> lengths, std::size_t size) {
  gather_pieces(all, mine, lengths, static_cast<int>(size), rank_);
}

}  // namespace chronotope
