#include "cli/ranks.hpp"

#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "chronotope/core/error.hpp"
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

}  // namespace

Ranks::Ranks() {
  const int processes = launched();
  if (processes <= 1) return;
#ifdef CHRONOTOPE_HAVE_MPI
  const auto mpi = std::make_shared<MpiCommunicator>();
  connection_ = AnyCommunicator<any_backend>(mpi);
  abort_ = [mpi] { mpi->abort(); };
  here_ = mpi->here();
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
