// How long threads of a parallel loop spin while they wait for each other. GNU's OpenMP library, which oneDNN uses too, spins
// for about a millisecond: on a machine that other programs use as well, a thread that lost its processor then holds up all
// the others (a training step took ten times as long beside one busy program). Shorter waits cost nothing when the machine
// is quiet. The library reads its settings once, when it is loaded, so the program starts itself again with the setting
// in its environment. Who sets either variable keeps it.

#include <cstdlib>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <unistd.h>

namespace {

// Before main(), so that benchmarks, whose main() is not ours, have it too.
[[gnu::constructor]] void shorten_waits(int, char** argv, char**) {
  if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT")) return;
  if (setenv("GOMP_SPINCOUNT", "1000", 0) == 0) execv("/proc/self/exe", argv);
  // Where that is not possible the program goes on as it is.
}

}  // namespace

#endif
