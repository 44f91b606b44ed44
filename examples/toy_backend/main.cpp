// Runs the conformance suite on the toy backend: what the project that owns a backend has in its tests.
#include <chronotope/testing/conformance.hpp>
#include <iostream>

#include "toy_backend.hpp"

int main() {
  toy::toy_backend::stream stream;
  const auto report = chronotope::testing::run_conformance<toy::toy_backend>(stream);
  std::cout << report.text();
  return report.passed() ? 0 : 1;
}
