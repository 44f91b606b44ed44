#pragma once
// Wall time without <chrono> in every header that measures it.

namespace chronotope {

/// Runs from its construction, on a clock that never goes back.
class Stopwatch {
 public:
  Stopwatch();
  double seconds() const;

 private:
  double began_;
};

}  // namespace chronotope
