#include "chronotope/core/stopwatch.hpp"

#include <chrono>

namespace chronotope {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

Stopwatch::Stopwatch() : began_(now()) {}
double Stopwatch::seconds() const { return now() - began_; }

}  // namespace chronotope
