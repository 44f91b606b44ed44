// The main of every test executable. Prints failures and the closing counts, nothing else.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

int main(int argc, char** argv) {
  doctest::Context context;
  context.setOption("no-intro", true);
  context.setOption("no-path-filenames", true);
  context.applyCommandLine(argc, argv);
  return context.run();
}
