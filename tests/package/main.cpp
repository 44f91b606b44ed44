// What the package tests build: uses the core library and the backends its project was given.
#include <cstdio>
#include <vector>

#include "chronotope/core/shape.hpp"
#ifdef USE_EIGEN
#include "chronotope/backend/eigen_backend.hpp"
#endif
#ifdef USE_ONEDNN
#include "chronotope/backend/onednn_backend.hpp"
#endif

namespace {

template <class B> bool fills() {
  typename B::stream stream;
  std::vector<float> memory(6, 0.0f);
  B::fill(stream, chronotope::contiguous_view(memory.data(), chronotope::DType::f32, {2, 3}), 4.0);
  return memory == std::vector<float>(6, 4.0f);
}

}  // namespace

int main() {
  std::printf("%s\n", chronotope::to_string(chronotope::Shape{2, 3}).c_str());
  bool ok = true;
#ifdef USE_EIGEN
  ok = ok && fills<chronotope::eigen_backend>();
#endif
#ifdef USE_ONEDNN
  ok = ok && fills<chronotope::onednn_backend>();
#endif
  return ok ? 0 : 1;
}
