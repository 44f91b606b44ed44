// Accuracy of the vector functions over the whole range of floats, for every instruction set of this machine.

#include <hwy/targets.h>
#include <limits>
#include <string>

#include "support.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

struct Function {
  const char* name;
  Unary op;
  double (*exact)(double);
  double largest_error;  // in units of the last place of the result
};

double reciprocal(double x) { return 1 / x; }
double negative(double x) { return -x; }
double magnitude(double x) { return std::abs(x); }

const Function functions[] = {
    {"exp", Unary::exp, std::exp, 2}, {"log", Unary::log, std::log, 2},         {"tanh", Unary::tanh, std::tanh, 2.5},
    {"sin", Unary::sin, std::sin, 3}, {"cos", Unary::cos, std::cos, 3},         {"sqrt", Unary::sqrt, std::sqrt, 0.5},
    {"neg", Unary::neg, negative, 0}, {"recip", Unary::recip, reciprocal, 0.5}, {"abs", Unary::abs, magnitude, 0},
};

/// Floats of every sign and exponent, with the corners.
std::vector<float> samples() {
  std::vector<float> x{0.0f,
                       -0.0f,
                       1.0f,
                       -1.0f,
                       0x1p-149f,
                       -0x1p-149f,
                       0x1p-126f,
                       88.72284f,
                       88.73f,
                       89.5f,
                       -87.4f,
                       -103.9f,
                       -104.5f,
                       8192.0f,
                       8193.0f,
                       1e30f,
                       std::numeric_limits<float>::infinity(),
                       -std::numeric_limits<float>::infinity(),
                       std::numeric_limits<float>::quiet_NaN(),
                       std::numeric_limits<float>::max(),
                       std::numeric_limits<float>::lowest()};
  for (int i = 0; i < 100000; ++i) {
    const auto bits = static_cast<std::uint32_t>(generator()());
    float f;
    std::memcpy(&f, &bits, 4);
    x.push_back(f);
  }
  std::uniform_real_distribution<float> near(-20, 20), wide(-8192, 8192);
  for (int i = 0; i < 100000; ++i) x.push_back(near(generator())), x.push_back(wide(generator()));
  return x;
}

double error_in_units(float got, double exact) {
  const auto rounded = static_cast<float>(exact);
  if (std::isnan(exact)) return std::isnan(got) ? 0 : 1e9;
  if (std::isinf(rounded) || std::isinf(got)) return got == rounded ? 0 : 1e9;
  if (exact == 0) return got == 0 && std::signbit(got) == std::signbit(exact) ? 0 : 1e9;
  const float size = std::abs(rounded);
  const double unit =
      std::max(0x1p-149, static_cast<double>(std::nextafter(size, 2 * size + 1)) - static_cast<double>(size));
  return std::abs(static_cast<double>(got) - exact) / unit;
}

void check_functions(const char* target) {
  Fast::stream stream(1);
  const auto x = samples();
  const auto n = static_cast<std::int64_t>(x.size());
  Block in(DType::f32, {n}), out(DType::f32, {n});
  std::memcpy(in.view().data, x.data(), x.size() * sizeof(float));
  for (const Function& f : functions) {
    Fast::unary(stream, f.op, out, in);
    double worst = 0;
    float worst_at = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const double error = error_in_units(out.view().as<float>()[i], f.exact(static_cast<double>(x[i])));
      if (error > worst) worst = error, worst_at = x[i];
    }
    INFO(std::string(f.name), " on ", std::string(target));
    CAPTURE(worst_at);
    CHECK(worst <= f.largest_error);
    CHECK(out.guards_intact());
  }
}

}  // namespace

TEST_CASE("vector functions are accurate on every instruction set") {
  CAPTURE(seed());
  const auto all = hwy::SupportedTargets();
  for (auto rest = all; rest != 0; rest &= rest - 1) {
    const auto one = rest & -rest;
    hwy::SetSupportedTargetsForTest(one);
    hwy::GetChosenTarget().Update(one);
    check_functions(hwy::TargetName(one));
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}
