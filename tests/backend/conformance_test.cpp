// The conformance suite on the reference backend, and bare and behind each adaptor.
#ifdef CHRONOTOPE_HAVE_EIGEN
#include "chronotope/testing/conformance.hpp"

#include <doctest/doctest.h>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/backend/eigen_backend.hpp"
#include "chronotope/backend/primitives_only.hpp"
#include "cpu/loops.hpp"

using namespace chronotope;
using testing::ConformanceOptions;
using testing::run_conformance;

namespace {

/// The product of the portable loops, which the reference backend takes for integers only.
struct loops_backend : eigen_backend {
  static void matmul(stream&, const View& out, const View& a, const View& b, double beta) {
    cpu::matmul(out, a, b, beta);
  }
};

template <Backend B> void check_conforms(typename B::stream stream, const ConformanceOptions& options = {}) {
  const auto report = run_conformance<B>(stream, options);
  INFO(report.text());
  CHECK(report.passed());
  CHECK(report.cases > 1000);
}

}  // namespace

TEST_CASE("eigen_backend meets the conformance suite") {
  check_conforms<eigen_backend>({});
  check_conforms<eigen_backend>({}, {.seed = 20240229});
}

TEST_CASE("eigen_backend meets the conformance suite with several threads") {
  check_conforms<eigen_backend>({.threads = 3}, {.operations = {"matmul"}});
}

TEST_CASE("primitives_only<eigen_backend> meets the conformance suite") {
  check_conforms<primitives_only<eigen_backend>>({});
}

TEST_CASE("any_backend over eigen meets the conformance suite") {
  check_conforms<any_backend>(any_stream<eigen_backend>());
}

TEST_CASE("the portable product meets the conformance suite") {
  check_conforms<loops_backend>({}, {.operations = {"matmul"}});
}

TEST_CASE("an unknown operation is refused") {
  eigen_backend::stream s;
  CHECK_THROWS_AS(run_conformance<eigen_backend>(s, {.operations = {"matmull"}}), ConfigError);
}
#endif
