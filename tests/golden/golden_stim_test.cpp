// The parts of STIM against PyTorch (tests/golden/generate_stim.py): values and gradients.

#include "chronotope/components/click_concepts.hpp"
#include "chronotope/components/forgetting_mask.hpp"
#include "chronotope/components/hmin.hpp"
#include "chronotope/ops/ops.hpp"
#include "golden/golden_file.hpp"

using namespace chronotope;
using golden::File;

namespace {

// PyTorch in f32 is 5e-6 off its own f64 values; the rest is room for another order of sums.
double tolerance(DType dtype) { return dtype == DType::f64 ? 1e-10 : 1e-4; }

/// Puts the file's values under `prefix` into the module's trained parameters.
template <class M> void load(const File& f, const std::string& prefix, Context<typename M::backend>& context, M& module, DType dtype) {
  for_each_parameter(module, [&](const std::string& path, auto& parameter) {
    if (!parameter.frozen()) parameter.assign(f.tensor(context, prefix + path, dtype));
  });
}

template <class M> void check_gradients(const File& f, const std::string& prefix, M& module, DType dtype) {
  for_each_parameter(module, [&](const std::string& path, auto& parameter) {
    if (parameter.frozen()) return;
    CAPTURE(path);
    REQUIRE(parameter.gradient().dense.defined());
    CHECK(golden::worst(golden::numbers(parameter.gradient().dense), f.numbers(prefix + path)) <= tolerance(dtype));
    parameter.zero_grad();
  });
}

void check_values(const File& f, const std::string& name, const std::vector<double>& values, DType dtype) {
  CAPTURE(name);
  CHECK(golden::worst(values, f.numbers(name)) <= tolerance(dtype));
}

ForgettingOptions mask_options(const File& f, const std::string& form, DType dtype) {
  ForgettingOptions o;
  o.kept = f.at("mask.valid").shape[1];
  o.form = form == "power" ? CurveForm::power : form == "logarithm" ? CurveForm::logarithm : CurveForm::exponential;
  o.power_c = f.number("power_c"), o.power_m = f.number("power_m");
  o.log_a = f.number("log_a"), o.log_b = f.number("log_b"), o.log_c = f.number("log_c");
  o.logistic = form == "exponential_logistic";
  o.trained = true, o.layer = MaskLayer::none, o.dtype = dtype;
  return o;
}

ReviewPoints points_of(const File& f, bool elapsed) {
  const auto valid = f.values<std::uint8_t>("mask.valid"), review = f.values<std::uint8_t>("mask.review");
  const std::int64_t kept = f.at("mask.valid").shape[1];
  if (!elapsed) return ReviewPoints(3, kept, valid, review);
  return ReviewPoints(3, kept, valid, review, f.values<float>("mask.elapsed"));
}

/// The curve where there are behaviours; padding has no retention.
std::vector<double> known(std::vector<double> curve, const ReviewPoints& points) {
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const auto k = static_cast<std::size_t>(points.kept), row = i / k / static_cast<std::size_t>(points.materials);
    if (!points.valid[row * k + i % k]) curve[i] = 0;
  }
  return curve;
}

template <class Setup> void check_mask(const std::string& form, bool elapsed) {
  const File f("stim_mask");
  auto context = Setup::context();
  ForgettingMask<typename Setup::backend> mask(context, mask_options(f, form, Setup::dtype));
  load(f, "mask.", context, mask, Setup::dtype);
  const ReviewPoints points = points_of(f, elapsed);
  const std::string name = "mask." + form + (elapsed ? ".elapsed." : ".position.");
  CAPTURE(name);
  if (form != "exponential_logistic") check_values(f, name + "curve", known(golden::numbers(mask.curve(points)), points), Setup::dtype);
  const auto out = mask(points);
  check_values(f, name + "out", golden::numbers(out), Setup::dtype);
  backward(out, f.tensor(context, "mask.d_out", Setup::dtype));
  check_gradients(f, name + "gradient.", mask, Setup::dtype);
}

/// A leaf of a file's tensor, to read its gradient from.
template <Backend B> Parameter<B> leaf(const File& f, Context<B>& context, const std::string& name, DType dtype) {
  return Parameter<B>(f.tensor(context, name, dtype));
}

}  // namespace

TEST_CASE_TEMPLATE("golden forgetting masks", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  for (const char* form : {"exponential", "power", "logarithm", "exponential_logistic"})
    for (const bool elapsed : {false, true}) check_mask<Setup>(form, elapsed);
}

TEST_CASE_TEMPLATE("golden query mixture of experts", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  using B = typename Setup::backend;
  const File f("stim_query_moe");
  auto context = Setup::context();
  const auto width = [&](const char* part) { return f.at(std::string("moe.x_") + part).shape[1]; };
  QueryMoE<B> moe(context, {width("hour"), width("week"), width("location"), width("item"), f.whole("d_q"), {8, 4}, QueryForm::pairs, false, Setup::dtype});
  load(f, "moe.", context, moe, Setup::dtype);
  const auto hour = leaf(f, context, "moe.x_hour", Setup::dtype), week = leaf(f, context, "moe.x_week", Setup::dtype),
             location = leaf(f, context, "moe.x_location", Setup::dtype), item = leaf(f, context, "moe.x_item", Setup::dtype);
  const Tensor<B> holiday = reshape(f.tensor(context, "moe.holiday", Setup::dtype), {-1, 1});
  const Tensor<B> out = moe({hour(), week(), location(), item(), holiday});
  check_values(f, "moe.out", golden::numbers(out), Setup::dtype);
  backward(out, f.tensor(context, "moe.d_out", Setup::dtype));
  check_gradients(f, "moe.gradient.", moe, Setup::dtype);
  check_values(f, "moe.gradient.x_hour", golden::numbers(hour.gradient().dense), Setup::dtype);
  check_values(f, "moe.gradient.x_week", golden::numbers(week.gradient().dense), Setup::dtype);
  check_values(f, "moe.gradient.x_location", golden::numbers(location.gradient().dense), Setup::dtype);
  check_values(f, "moe.gradient.x_item", golden::numbers(item.gradient().dense), Setup::dtype);
}

TEST_CASE_TEMPLATE("golden interest unit", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  using B = typename Setup::backend;
  const File f("stim_hmin");
  auto context = Setup::context();
  HminOptions o;
  o.query_width = f.at("hmin.q").shape[2], o.key_width = f.at("hmin.keys").shape[2], o.heads = f.whole("heads"), o.dtype = Setup::dtype;
  HminUnit<B> unit(context, o);
  load(f, "hmin.", context, unit, Setup::dtype);
  const auto q = leaf(f, context, "hmin.q", Setup::dtype), keys = leaf(f, context, "hmin.keys", Setup::dtype), mask = leaf(f, context, "hmin.mask", Setup::dtype);
  const Tensor<B> valid = Tensor<B>::from_host(context, f.values<std::uint8_t>("hmin.valid"), f.at("hmin.valid").shape);
  const Tensor<B> out = unit(q(), keys(), mask(), valid);
  CHECK(out.size(1) == unit.width(q.shape()[1], mask.shape()[1]));
  check_values(f, "hmin.out", golden::numbers(out), Setup::dtype);
  backward(out, f.tensor(context, "hmin.d_out", Setup::dtype));
  check_gradients(f, "hmin.gradient.", unit, Setup::dtype);
  check_values(f, "hmin.gradient.q", golden::numbers(q.gradient().dense), Setup::dtype);
  check_values(f, "hmin.gradient.keys", golden::numbers(keys.gradient().dense), Setup::dtype);
  check_values(f, "hmin.gradient.mask", golden::numbers(mask.gradient().dense), Setup::dtype);
}
