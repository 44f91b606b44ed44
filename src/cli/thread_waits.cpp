// How long threads of a parallel loop spin while they wait for each other. GNU's OpenMP library, which oneDNN uses too, spins
// for about a millisecond: on a machine that other programs use as well, a thread that lost its processor then holds up all
// the others (a training step took ten times as long beside one busy program). Shorter waits cost nothing when the machine
// is quiet. The library reads its settings when it is loaded, before main(), so this comes earlier still. Who sets either
// variable keeps it.

#include <cstdlib>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

void shorten_waits(int, char**, char**) {
  if (!std::getenv("OMP_WAIT_POLICY")) setenv("GOMP_SPINCOUNT", "10000", 0);
}

[[gnu::section(".preinit_array"), gnu::used]] void (*const before_libraries)(int, char**, char**) = &shorten_waits;

}  // namespace

#endif
