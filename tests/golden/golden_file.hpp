#pragma once
// What the golden tests share: the files, the backends they run on, and the comparison.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/core/safetensors.hpp"
#ifdef CHRONOTOPE_HAVE_EIGEN
#include "chronotope/backend/eigen_backend.hpp"
#endif
#ifdef CHRONOTOPE_HAVE_ONEDNN
#include "chronotope/backend/onednn_backend.hpp"
#endif
#ifdef CHRONOTOPE_HAVE_CUDA
#include "chronotope/backend/cuda_backend.hpp"
#endif
#include "chronotope/tensor/tensor.hpp"

namespace chronotope::golden {

#ifdef CHRONOTOPE_HAVE_EIGEN
struct EigenF64 {
  using backend = eigen_backend;
  static constexpr DType dtype = DType::f64;
  static Context<backend> context() { return Context<backend>(); }
};
struct EigenF32 : EigenF64 {
  static constexpr DType dtype = DType::f32;
};
struct AnyEigenF64 {
  using backend = any_backend;
  static constexpr DType dtype = DType::f64;
  static Context<backend> context() { return Context<backend>(any_stream<eigen_backend>()); }
};
#define CHRONOTOPE_GOLDEN_EIGEN \
  chronotope::golden::EigenF64, chronotope::golden::EigenF32, chronotope::golden::AnyEigenF64
#endif
#ifdef CHRONOTOPE_HAVE_ONEDNN
struct OnednnF32 {
  using backend = onednn_backend;
  static constexpr DType dtype = DType::f32;
  static Context<backend> context() { return Context<backend>(onednn_backend::stream(2)); }
};
struct OnednnF64 : OnednnF32 {
  static constexpr DType dtype = DType::f64;
};
struct AnyOnednnF32 {
  using backend = any_backend;
  static constexpr DType dtype = DType::f32;
  static Context<backend> context() { return Context<backend>(any_stream<onednn_backend>(onednn_backend::stream(2))); }
};
#define CHRONOTOPE_GOLDEN_ONEDNN \
  chronotope::golden::OnednnF32, chronotope::golden::OnednnF64, chronotope::golden::AnyOnednnF32
#endif
#ifdef CHRONOTOPE_HAVE_CUDA
struct CudaF32 {
  using backend = any_backend;
  static constexpr DType dtype = DType::f32;
  static Context<backend> context() { return Context<backend>(any_stream<cuda_backend>()); }
};
struct CudaF64 : CudaF32 {
  static constexpr DType dtype = DType::f64;
};
#endif

// The setups to run on: whatever was built. CUDA alone, by tests/cuda and tests/cuda_on_host.
#if defined(CHRONOTOPE_HAVE_EIGEN) && defined(CHRONOTOPE_HAVE_ONEDNN)
#define CHRONOTOPE_GOLDEN_SETUPS CHRONOTOPE_GOLDEN_EIGEN, CHRONOTOPE_GOLDEN_ONEDNN
#elif defined(CHRONOTOPE_HAVE_EIGEN)
#define CHRONOTOPE_GOLDEN_SETUPS CHRONOTOPE_GOLDEN_EIGEN
#elif defined(CHRONOTOPE_HAVE_ONEDNN)
#define CHRONOTOPE_GOLDEN_SETUPS CHRONOTOPE_GOLDEN_ONEDNN
#elif defined(CHRONOTOPE_HAVE_CUDA)
#define CHRONOTOPE_GOLDEN_SETUPS chronotope::golden::CudaF32, chronotope::golden::CudaF64
#endif

/// One file of tests/golden, with values as f64 whatever their type.
class File {
 public:
  explicit File(const std::string& name)
      : content_(read_safetensors(CHRONOTOPE_TESTS_DIR "/golden/" + name + ".safetensors")) {}

  const std::map<std::string, HostTensor>& tensors() const { return content_.tensors; }
  const HostTensor& at(const std::string& name) const {
    const auto found = content_.tensors.find(name);
    if (found == content_.tensors.end()) throw Error("the golden file has no tensor " + name);
    return found->second;
  }
  std::vector<double> numbers(const std::string& name) const {
    const HostTensor& t = at(name);
    return dispatch(t.dtype, [&](auto zero) {
      const auto values = t.values<decltype(zero)>();
      return std::vector<double>(values.begin(), values.end());
    });
  }
  template <Element T> std::vector<T> values(const std::string& name) const { return at(name).values<T>(); }

  double number(const std::string& key) const { return std::stod(text(key)); }
  std::int64_t whole(const std::string& key) const { return std::stoll(text(key)); }
  const std::string& text(const std::string& key) const {
    const auto found = content_.metadata.find(key);
    if (found == content_.metadata.end()) throw Error("the golden file has no metadata " + key);
    return found->second;
  }

  /// On the device in `dtype`.
  template <Backend B> Tensor<B> tensor(Context<B>& context, const std::string& name, DType dtype) const {
    const std::vector<double> v = numbers(name);
    if (dtype == DType::f64) return Tensor<B>::from_host(context, v, at(name).shape);
    return Tensor<B>::from_host(context, std::vector<float>(v.begin(), v.end()), at(name).shape);
  }

 private:
  Safetensors content_;
};

template <Backend B> std::vector<double> numbers(const Tensor<B>& x) {
  if (x.dtype() == DType::f64) return x.template to_host<double>();
  const auto v = x.template to_host<float>();
  return std::vector<double>(v.begin(), v.end());
}

/// Largest |a - r| / (|r| + size): values near 0 are measured by the size of the terms they are made of, which is the
/// tensor's rms or what is known of it, if more. Infinite when the numbers of values differ or on NaN.
inline double worst(const std::vector<double>& a, const std::vector<double>& r, double size = 0) {
  if (a.size() != r.size()) return HUGE_VAL;
  double squares = 0, most = 0;
  for (double x : r) squares += x * x;
  if (!r.empty()) size = std::max(size, std::sqrt(squares / static_cast<double>(r.size())));
  for (std::size_t i = 0; i < r.size(); ++i) {
    const double apart = std::abs(a[i] - r[i]);
    if (apart == 0) continue;
    const double share = apart / (std::abs(r[i]) + size);
    most = share <= most ? most : std::isnan(share) ? HUGE_VAL : share;
  }
  return most;
}

inline double unit_roundoff(DType dtype) { return dtype == DType::f64 ? 0x1p-53 : 0x1p-24; }

}  // namespace chronotope::golden
