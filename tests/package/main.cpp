// What the package tests build: a gradient on every backend that its project was given.
#include <cstdio>
#include <vector>

#include "chronotope/chronotope.hpp"
#ifdef USE_EIGEN
#include "chronotope/backend/eigen_backend.hpp"
#endif
#ifdef USE_ONEDNN
#include "chronotope/backend/onednn_backend.hpp"
#endif
#ifdef USE_CUDA
#include "chronotope/backend/cuda_backend.hpp"
#endif
#ifdef USE_VECTORS
#include "chronotope/data/vector_index.hpp"
#endif

namespace {

/// d sum(w^2) / dw = 2 w, by the backend itself and by any_backend on top of it.
template <class B> bool differentiates(typename B::stream stream) {
  using namespace chronotope;
  Context<B> context(std::move(stream));
  const Parameter<B> w(full<B>(context, {2, 3}, 2));
  backward(sum(w() * w()));
  return w.gradient().dense.template to_host<float>() == std::vector<float>(6, 4.0f);
}

template <class B> bool works() {
  return differentiates<B>(typename B::stream()) &&
         differentiates<chronotope::any_backend>(chronotope::any_stream<B>());
}

}  // namespace

int main() {
  std::printf("%s\n", chronotope::to_string(chronotope::Shape{2, 3}).c_str());
  bool ok = true;
#ifdef USE_EIGEN
  ok = ok && works<chronotope::eigen_backend>();
#endif
#ifdef USE_ONEDNN
  ok = ok && works<chronotope::onednn_backend>();
#endif
#ifdef USE_CUDA
  std::printf("CUDA devices: %d\n", chronotope::cuda_backend::device_count());
  ok = ok && (chronotope::cuda_backend::device_count() == 0 || works<chronotope::cuda_backend>());
#endif
#ifdef USE_VECTORS
  std::printf("vector indexes: %s\n", chronotope::has_vector_indexes() ? "yes" : "no");
#endif
  return ok ? 0 : 1;
}
