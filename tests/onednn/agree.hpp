#pragma once
// Kernels with every instruction set and several numbers of threads.

#include "fused_fixture.hpp"
#include "support.hpp"

namespace chronotope::test {

inline std::vector<double> values_of(const std::vector<const Block*>& blocks) {
  std::vector<double> values;
  for (const Block* block : blocks)
    for (std::int64_t i = 0; i < block->view().elements(); ++i) values.push_back(get(*block, i));
  return values;
}

/// The largest difference as a share of the root mean square; NaN where there is one.
inline double worst_share(const std::vector<double>& a, const std::vector<double>& b) {
  double squares = 0, worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    squares += b[i] * b[i];
    const double apart = std::abs(a[i] - b[i]);
    worst = apart <= worst ? worst : apart;
  }
  return worst == 0 ? 0 : worst / std::sqrt(squares / static_cast<double>(a.size()));
}

/// Runs f with every instruction set and several numbers of threads: each output must come out as the first time but for
/// rounding.
template <class F> void agree(const std::vector<const Block*>& outputs, F&& f) {
  std::vector<std::vector<double>> first;
  fused_fixture::for_each_instruction_set([&] {
    with_threads(outputs, f);
    CAPTURE(seed());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      CAPTURE(i);
      const auto values = values_of({outputs[i]});
      if (first.size() == i) first.push_back(values);
      CHECK(worst_share(values, first[i]) <= 1e-4);
    }
  });
}

inline bool untouched(const Block& b) { return b.bytes() == Block(b.view().dtype, b.view().shape).bytes(); }

}  // namespace chronotope::test
