#pragma once
// All fused operations, a case after the other: visit(FusedCase, run), where run.run<B>(dtype) gives an Outcome on any backend.

#include "fused/attention.hpp"
#include "fused/interest.hpp"
#include "fused/linear.hpp"
#include "fused/pointer.hpp"
#include "fused/rows.hpp"
#include "fused/steps.hpp"

namespace chronotope::test {

template <class V> void fused_cases(V&& visit) {
  row_cases(visit);
  attention_cases(visit);
  cross_entropy_cases(visit);
  linear_cases(visit);
  grouped_cases(visit);
  hmin_cases(visit);
  forgetting_cases(visit);
  pointer_cases(visit);
  step_cases(visit);
}

}  // namespace chronotope::test
