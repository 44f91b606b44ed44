#include "cli/ranks.hpp"

#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "chronotope/core/error.hpp"
#include "cli/cuda_loader.hpp"
#ifdef CHRONOTOPE_HAVE_MPI
#include "chronotope/train/mpi_communicator.hpp"
#endif

namespace chronotope::cli {
namespace {

/// How many processes the launcher started, by what it leaves in the environment (OpenMPI, MPICH).
int launched() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"})
    if (const char* value = std::getenv(name)) return std::atoi(value);
  return 1;
}

#ifdef CHRONOTOPE_HAVE_MPI
/// mpirun ends processes by SIGTERM when one of them is gone.
extern "C" void tell_the_end(int) {
  constexpr char text[] = "\nerror: mpirun ends this training: it was interrupted, or another of its processes has ended. The last checkpoint is whole; go on with "
                          "mpirun and as many processes: chronotope train --resume\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, sizeof text - 1);
  ::_exit(1);
}
#endif

/// Processors that this process may use.
int allowed_processors(int all) {
  cpu_set_t set;
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : all;
}

/// Texts go between the processes, tensors between their GPUs.
struct GpuRanks {
  AnyCommunicator<any_backend> processes, gpus;
  int rank() const { return processes.rank(); }
  int size() const { return processes.size(); }
  std::unique_ptr<Transfer> sum(const Tensor<any_backend>& values) { return gpus.sum(values); }
  std::vector<Tensor<any_backend>> gather(const Tensor<any_backend>& values, std::span<const std::int64_t> lengths) { return gpus.gather(values, lengths); }
  std::vector<std::string> gather(const std::string& text) { return processes.gather(text); }
};

const std::string cpus = "CPUs";

std::string name_of_machine() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "this machine";
}

/// Throws ConfigError unless all compute on CPUs, or each on a device of its own.
void check_places(const std::vector<std::string>& places) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    if ((places[i] == cpus) != (places[0] == cpus))
      throw ConfigError("process 0 would compute on " + places[0] + ", process " + std::to_string(i) + " on " + places[i] + ": give all the same --backend");
    const auto same = std::find(places.begin(), places.end(), places[i]) - places.begin();
    if (places[i] != cpus && same < static_cast<std::ptrdiff_t>(i))
      throw ConfigError("processes " + std::to_string(same) + " and " + std::to_string(i) + " would both compute on " + places[i] +
                        ": give all the same --gpu, the first device, of which each takes the next");
  }
}

}  // namespace

Ranks::Ranks() {
  const int processes = launched();
  if (processes <= 1) return;
#ifdef CHRONOTOPE_HAVE_MPI
  const auto mpi = std::make_shared<MpiCommunicator>();
  connection_ = AnyCommunicator<any_backend>(mpi);
  abort_ = [mpi] { mpi->abort(); };
  here_ = mpi->here(), number_here_ = mpi->number_here();
  if (mpi->rank() < 2) ::signal(SIGTERM, tell_the_end);  // one is enough, and one of two is left
#else
  throw BackendError("mpirun started " + std::to_string(processes) + " processes, but this program was built without MPI, so that each would train by itself: "
                     "install libopenmpi-dev and build it again, or start it without mpirun");
#endif
}

int Ranks::threads(int asked) {
  if (size() == 1) return asked;
  const int all = static_cast<int>(std::thread::hardware_concurrency()), share = std::max(1, all / here_), allowed = allowed_processors(all);
  if (first() && asked == 0 && allowed < share)
    std::fprintf(stderr, "mpirun holds each process to %d of its %d processors: mpirun --bind-to none lets it use them\n", allowed, share);
  int least = asked > 0 ? asked : std::min(share, allowed);
  for (const std::string& threads : connection_.gather(std::to_string(least))) least = std::min(least, std::atoi(threads.c_str()));
  return least;
}

void Ranks::choose_gpu(Device& device) {
  if (size() == 1) return;
  const bool gpu = device.backend == "cuda";
  if (gpu) device.gpu += number_here_;
  check_places(connection_.gather(gpu ? "device " + std::to_string(device.gpu) + " of " + name_of_machine() : cpus));
}

void Ranks::connect_gpus(const Device& device) {
  if (size() == 1 || device.backend != "cuda") return;
  const std::string id = connection_.gather(first() ? nccl_id() : "").front();
  Connection gpus = connect_by_nccl(connection_.rank(), size(), id, device.gpu);
  connection_ = AnyCommunicator<any_backend>(std::make_shared<GpuRanks>(GpuRanks{connection_, std::move(gpus.ranks)}));
  abort_ = [gpu = std::move(gpus.abort), all = std::move(abort_)] { gpu(), all(); };
}

void Ranks::run(const std::function<void()>& work) const {
  if (!abort_) return work();
  try {
    work();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: process %d of %d: %s\n", connection_.rank(), size(), e.what());
    abort_();
  }
}

}  // namespace chronotope::cli
