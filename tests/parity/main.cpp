// The parity table: every operation on every backend that is linked, against references in long double and compositions in f64.
//   parity [--write FILE] [--read FILE…]    exit status 1 when something is out of its tolerance
// Two backends cannot be in one program: cuda on a device, and the same sources on the host. So one program writes, the other reads.
#define DOCTEST_CONFIG_IMPLEMENT  // tests/fused has checks too
#include <doctest/doctest.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "chronotope/core/error.hpp"
#include "parity/measure.hpp"
#ifdef CHRONOTOPE_HAVE_ONEDNN
#include "chronotope/backend/onednn_backend.hpp"
#endif
#ifdef CHRONOTOPE_PARITY_OF_CUDA
#include "fused/math_modes.hpp"
#endif

using namespace chronotope;
using parity::measure;
using parity::Measured;

namespace {

#ifdef CHRONOTOPE_PARITY_OF_CUDA
void add_cuda(Measured& all) {
  const std::string name = CHRONOTOPE_PARITY_OF_CUDA;
  if (cuda_backend::device_count() == 0) return all.left_out.push_back(name + ": no device on this machine");
  all.add(measure<cuda_backend>(name, cuda_backend::stream(), {.reports_bad_ids = false}));
  for (const test::Mode& mode : test::math_modes) {
    const test::InMode scope(mode.math);
    test::product_cases([&](const test::FusedCase& use, const auto& run) {
      parity::Row& row = parity::row_of(all, use.operation + " " + mode.name, name, DType::f32);
      row.hook = true;
      ++row.compared;
      parity::raise(row.share, test::worst_share(mode, run.template run<cuda_backend>(DType::f32), run.template run<test::Reference>(DType::f64), use.terms));
    });
  }
}
#endif

Measured measured() {
  Measured all;
#ifdef CHRONOTOPE_HAVE_ONEDNN
  all.add(measure<eigen_backend>("eigen", {}));
  all.add(measure<onednn_backend>("onednn", onednn_backend::stream()));
#endif
#ifdef CHRONOTOPE_PARITY_OF_CUDA
  add_cuda(all);
#else
  all.left_out.push_back("cuda: built without it (no nvcc)");
#endif
  return all;
}

int run(int argc, char** argv) {
  CLI::App app("How far every operation is from its reference, on every backend");
  std::string out;
  std::vector<std::string> in;
  app.add_option("--write", out, "a file for what was measured, instead of the table");
  app.add_option("--read", in, "files of other programs' --write, to stand in the table too");
  CLI11_PARSE(app, argc, argv);
  Measured all = measured();
  for (const std::string& path : in) all.add(parity::read(path));
  if (out.empty()) std::fputs(parity::table(all).c_str(), stdout);
  else parity::write(out, all);
  return all.in_parity() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 2;
  }
}
