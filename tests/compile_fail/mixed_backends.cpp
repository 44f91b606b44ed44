// Tensors of two backends in one operation: the memory may be on two devices, so this must never compile.
#include "chronotope/backend/any_backend.hpp"
#include "chronotope/backend/eigen_backend.hpp"
#include "chronotope/ops/elementwise.hpp"

#ifdef CORRECTED
using second_backend = chronotope::eigen_backend;
#else
using second_backend = chronotope::any_backend;
#endif

chronotope::Tensor<chronotope::eigen_backend> sum(const chronotope::Tensor<chronotope::eigen_backend>& a,
                                                  const chronotope::Tensor<second_backend>& b) {
  return chronotope::add(a, b);
}
