#include <algorithm>
#include <string>
#include <utility>

#include "chronotope/core/error.hpp"
#include "chronotope/core/philox.hpp"
#include "loops.hpp"
#include "strided.hpp"

namespace chronotope::cpu {

namespace {

// Blocks of four words are drawn many at a time: the loop over blocks has no branches and vectorises.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t counter) : seed_(seed), counter_(counter) {}

  /// The next elements of the stream: pointer and how many, at most `wanted`.
  std::pair<const float*, std::int64_t> next(std::int64_t wanted) {
    if (used_ == size) refill();
    const std::int64_t n = std::min(wanted, size - used_);
    used_ += n;
    return {values_ + used_ - n, n};
  }

 private:
  static constexpr std::int64_t size = 256;

  void refill() {
    for (int i = 0; i < size / 4; ++i) {
      const auto words = philox(seed_, counter_, block_ + static_cast<std::uint64_t>(i));
      for (int j = 0; j < 4; ++j) values_[4 * i + j] = philox_uniform(words[j]);
    }
    block_ += size / 4;
    used_ = 0;
  }

  std::uint64_t seed_, counter_, block_ = 0;
  std::int64_t used_ = size;
  float values_[size];
};

template <class T> void uniform_of(const View& out, std::uint64_t seed, std::uint64_t counter) {
  const auto loop = make_loop(out);
  Draws draws(seed, counter);
  for_each_line(loop, [&](const auto& at) {
    T* to = out.as<T>() + at[0];
    for (std::int64_t done = 0; done < loop.line();) {
      const auto [values, n] = draws.next(loop.line() - done);
      for (std::int64_t i = 0; i < n; ++i) to[(done + i) * loop.step(0)] = static_cast<T>(values[i]);
      done += n;
    }
  });
}

}  // namespace

void uniform(const View& out, std::uint64_t seed, std::uint64_t counter) {
  if (out.dtype == DType::f32) uniform_of<float>(out, seed, counter);
  else if (out.dtype == DType::f64) uniform_of<double>(out, seed, counter);
  else throw DTypeError(std::string("[uniform] floating dtypes only, got ") + to_string(out.dtype));
}

}  // namespace chronotope::cpu
