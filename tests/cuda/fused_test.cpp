// Fused equals composed, forward and backward, of the cases that all backends share.

#ifdef CHRONOTOPE_HAVE_EIGEN

#include "chronotope/backend/cuda_backend.hpp"
#include "fused/cases.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

using Compare = EqualsComposition<cuda_backend>;

}  // namespace

TEST_CASE("fused norms, softmax, swiglu, rope and dropout on a device equal their compositions") { row_cases(Compare()); }
TEST_CASE("fused attention on a device equals its composition") { attention_cases(Compare()); }
TEST_CASE("fused linear layers and cross-entropy on a device equal their compositions") {
  cross_entropy_cases(Compare());
  linear_cases(Compare());
  grouped_cases(Compare());
}
TEST_CASE("fused interest units and forgetting masks on a device equal their compositions") {
  hmin_cases(Compare());
  forgetting_cases(Compare());
}
TEST_CASE("fused scores of a pointer on a device equal their composition") { pointer_cases(Compare()); }
TEST_CASE("fused steps of AdamW and sums of squares on a device equal their compositions") { step_cases(Compare()); }

#endif
