// The tests of this folder on a real device; without one they are skipped (77).
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "chronotope/backend/cuda_backend.hpp"

int main(int argc, char** argv) {
  if (chronotope::cuda_backend::device_count() == 0) {
    std::puts("no CUDA device: skipped");
    return 77;
  }
  doctest::Context context;
  context.setOption("no-path-filenames", true);
  context.applyCommandLine(argc, argv);
  return context.run();
}
