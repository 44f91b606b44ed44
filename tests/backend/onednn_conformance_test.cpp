// The conformance suite on the fast CPU backend.
#ifdef CHRONOTOPE_HAVE_ONEDNN
#include <doctest/doctest.h>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/backend/onednn_backend.hpp"
#include "chronotope/backend/primitives_only.hpp"
#include "chronotope/testing/conformance.hpp"

using namespace chronotope;

namespace {

template <Backend B> void check_conforms(typename B::stream stream) {
  const auto report = testing::run_conformance<B>(stream);
  INFO(report.text());
  CHECK(report.passed());
  CHECK(report.cases > 1000);
}

}  // namespace

TEST_CASE("onednn_backend meets the conformance suite") { check_conforms<onednn_backend>(onednn_backend::stream(1)); }

TEST_CASE("onednn_backend meets the conformance suite with two threads") {
  check_conforms<primitives_only<onednn_backend>>(onednn_backend::stream(2));
}

TEST_CASE("any_backend over onednn meets the conformance suite") {
  check_conforms<any_backend>(any_stream<onednn_backend>(onednn_backend::stream(1)));
}
#endif
