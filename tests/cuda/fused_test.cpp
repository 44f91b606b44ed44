// Fused equals composed, forward and backward, for the hooks that the backend has.

#ifdef CHRONOTOPE_HAVE_EIGEN

#include "chronotope/backend/cuda_backend.hpp"
#include "fused/cases.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

using Compare = EqualsComposition<cuda_backend>;

}  // namespace

TEST_CASE("fused norms, softmax, swiglu, rope and dropout on a device equal their compositions") { row_cases(Compare()); }
TEST_CASE("fused steps of AdamW and sums of squares on a device equal their compositions") { step_cases(Compare()); }

#endif
