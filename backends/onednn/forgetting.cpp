// Forgetting curves as masks: curve, min-max scaling and logistic function of a row of behaviours in one go.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/forgetting.cpp"
#include <hwy/foreach_target.h>

#include "forgetting.hpp"

#include <array>

#include "functions.hpp"
#include "row_sums.hpp"
#include "views.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

const hn::RebindToSigned<Floats> integers;
const hn::Rebind<std::uint8_t, Floats> bytes;
using Truth = hn::Mask<Floats>;

/// Which of these flags are set; those beyond a rest are not.
HWY_INLINE Truth flags(Whole, const std::uint8_t* p) {
  return hn::RebindMask(Floats(), hn::Ne(hn::PromoteTo(integers, hn::LoadU(bytes, p)), hn::Zero(integers)));
}
HWY_INLINE Truth flags(Rest at, const std::uint8_t* p) {
  HWY_ALIGN std::uint8_t rest[hn::MaxLanes(Floats())] = {};
  for (std::size_t i = 0; i < at.n; ++i) rest[i] = p[i];
  return flags(Whole(), rest);
}

/// What a vector of behaviours retains, and what it is made of.
struct Retained {
  Vec x, kept, level;  ///< time in units of S / (1 + n I), what the curve leaves of 1, what a review leaves of 1
  Truth reviewed;
  HWY_INLINE Vec value() const { return hn::IfThenElse(reviewed, hn::Mul(level, kept), kept); }
};

HWY_INLINE Vec curve(const CurveShape& c, Vec x) {
  const auto factor = [](double v) HWY_ATTR { return constant(static_cast<float>(v)); };
  if (c.form == CurveForm::power) return exponential(hn::Mul(factor(c.power_m), logarithm(hn::MulAdd(x, factor(c.power_c), constant(1)))));
  if (c.form == CurveForm::logarithm) return hn::NegMulAdd(factor(c.log_b), logarithm(hn::Add(x, factor(c.log_c))), factor(c.log_a));
  return exponential(hn::Neg(x));
}

/// d curve / d x
HWY_INLINE Vec curve_slope(const CurveShape& c, Vec x, Vec y) {
  const auto factor = [](double v) HWY_ATTR { return constant(static_cast<float>(v)); };
  if (c.form == CurveForm::power) return hn::Div(hn::Mul(y, factor(c.power_c * c.power_m)), hn::MulAdd(x, factor(c.power_c), constant(1)));
  if (c.form == CurveForm::logarithm) return hn::Div(factor(-c.log_b), hn::Add(x, factor(c.log_c)));
  return hn::Neg(y);
}

/// One row: a sample and a material, and where its behaviours stand between the reviews (ReviewSteps).
struct Row {
  const ForgettingTask& t;
  std::int64_t sample, material, at;
  float *since, *number, *share;

  /// `memory` takes three numbers a behaviour.
  Row(const ForgettingTask& task, std::int64_t r, float* memory)
      : t(task), sample(r / task.materials), material(r % task.materials), at(r * task.kept), since(memory), number(memory + t.kept),
        share(memory + 2 * t.kept) {
    walk(t.review + at, t.time + sample * t.kept);
  }

  const std::uint8_t* valid() const { return t.valid + sample * t.kept; }

  /// From the newest behaviour to the oldest. Flags are as good as random, so the loop chooses values rather than branches.
  void walk(const std::uint8_t* review, const float* time) const {
    const std::uint8_t* there = valid();
    std::int32_t all = 0, seen = 0;
    for (std::int64_t i = 0; i < t.kept; ++i) all += (there[i] != 0) & (review[i] != 0);
    const auto steps = static_cast<float>(HWY_MAX(all - 1, 1));
    float last = 0;
    for (std::int64_t i = t.kept - 1; i >= 0; --i) {
      const bool present = there[i] != 0, hit = present & (review[i] != 0);
      seen += hit;
      last = hit ? time[i] : last;
      since[i] = present ? time[i] - last : 0;
      number[i] = present ? static_cast<float>(seen) : 0;
      share[i] = present ? static_cast<float>(HWY_MAX(seen - 1, 0)) / steps : 0;
    }
  }

  template <class At> HWY_INLINE Retained retained(At tail, std::int64_t j) const {
    Retained r;
    const Vec reviews = tail.load(number + j), rate = hn::MulAdd(reviews, constant(t.i[material]), constant(1));
    r.x = hn::Div(hn::Mul(tail.load(since + j), rate), constant(t.s[material]));
    const float first = t.r_init[material], last = t.r_final[material];
    r.level = hn::NegMulAdd(constant(last - first), tail.load(share + j), constant(last));
    r.reviewed = hn::Gt(reviews, constant(0));
    r.kept = curve(t.shape, r.x);
    return r;
  }
};

struct Span {
  float low, high;
  bool varies() const { return low < high; }
};

/// Writes R(t) of a row's behaviours and finds the least and the largest among those that are there.
Span retain(const Row& row, float* values) {
  Vec low = constant(1e30f), high = constant(-1e30f);
  for_vectors(row.t.kept, [&](auto tail, std::int64_t j) HWY_ATTR {
    const Vec r = row.retained(tail, j).value();
    const Truth there = flags(tail, row.valid() + j);
    tail.store(r, values + j);
    low = hn::Min(low, hn::IfThenElse(there, r, low));
    high = hn::Max(high, hn::IfThenElse(there, r, high));
  });
  return {hn::GetLane(hn::MinOfLanes(Floats(), low)), hn::GetLane(hn::MaxOfLanes(Floats(), high))};
}

HWY_INLINE Vec scaled(const Span& span, Vec r) {
  if (!span.varies()) return constant(1);
  return hn::Div(hn::Sub(r, constant(span.low)), constant(span.high - span.low));
}

void forgetting_rows(const ForgettingTask& t, std::int64_t begin, std::int64_t end, float* memory) {
  for (std::int64_t r = begin; r < end; ++r) {
    const Row row(t, r, memory);
    float* mask = t.mask + row.at;
    const Span span = retain(row, mask);
    for_vectors(t.kept, [=](auto tail, std::int64_t j) HWY_ATTR {
      const Vec m = scaled(span, tail.load(mask + j));
      tail.store(hn::IfThenElseZero(flags(tail, row.valid() + j), t.shape.logistic ? sigmoid(m) : m), mask + j);
    });
  }
}

/// How many of a row's behaviours retain exactly `bound`.
float count_at(const Row& row, const float* values, float bound) {
  return sum(row.t.kept, [&](auto tail, std::int64_t j) HWY_ATTR {
    const Truth hit = hn::And(flags(tail, row.valid() + j), hn::Eq(tail.load(values + j), constant(bound)));
    return hn::IfThenElseZero(hit, constant(1));
  });
}

/// The gradient of R(t) from that of the mask: `slope`. Ties share what the least and the largest get.
void scaling_backward(const Row& row, const Span& span, const float* values, float* slope) {
  const float* dmask = row.t.dmask + row.at;
  Vec low = constant(0), high = constant(0);
  for_vectors(row.t.kept, [&](auto tail, std::int64_t j) HWY_ATTR {
    const Vec m = scaled(span, tail.load(values + j));
    Vec d = hn::IfThenElseZero(flags(tail, row.valid() + j), tail.load(dmask + j));
    if (row.t.shape.logistic) {
      const Vec s = sigmoid(m);
      d = hn::Mul(d, hn::Mul(s, hn::Sub(constant(1), s)));
    }
    d = hn::Div(d, constant(span.high - span.low));
    tail.store(d, slope + j);
    low = hn::NegMulAdd(d, hn::Sub(constant(1), m), low);
    high = hn::NegMulAdd(d, m, high);
  });
  const Vec to_low = constant(sum_lanes(low) / count_at(row, values, span.low));
  const Vec to_high = constant(sum_lanes(high) / count_at(row, values, span.high));
  for_vectors(row.t.kept, [=](auto tail, std::int64_t j) HWY_ATTR {
    const Vec r = tail.load(values + j);
    Vec d = tail.load(slope + j);
    d = hn::Add(d, hn::IfThenElseZero(hn::Eq(r, constant(span.low)), to_low));
    d = hn::Add(d, hn::IfThenElseZero(hn::Eq(r, constant(span.high)), to_high));
    tail.store(hn::IfThenElseZero(flags(tail, row.valid() + j), d), slope + j);
  });
}

/// Adds what a row contributes to the gradients of r_init, r_final, s and i, each [M], one behind the other in `sums`.
void constants_backward(const Row& row, const float* slope, float* sums) {
  const ForgettingTask& t = row.t;
  Vec init = constant(0), final = init, s = init, i = init;
  for_vectors(t.kept, [&](auto tail, std::int64_t j) HWY_ATTR {
    const Retained r = row.retained(tail, j);
    const Vec d = tail.load(slope + j), share = tail.load(row.share + j);
    const Vec dlevel = hn::IfThenElseZero(r.reviewed, hn::Mul(d, r.kept));
    init = hn::MulAdd(dlevel, share, init);
    final = hn::MulAdd(dlevel, hn::Sub(constant(1), share), final);
    const Vec dkept = hn::IfThenElse(r.reviewed, hn::Mul(d, r.level), d);
    const Vec dx = tail.zero_rest(hn::Mul(dkept, curve_slope(t.shape, r.x, r.kept)));
    s = hn::NegMulAdd(dx, r.x, s);
    i = hn::MulAdd(dx, hn::Mul(tail.load(row.since + j), tail.load(row.number + j)), i);
  });
  const float over = 1 / t.s[row.material];
  const std::array<float, 4> totals{sum_lanes(init), sum_lanes(final), sum_lanes(s) * over, sum_lanes(i) * over};
  for (std::int64_t c = 0; c < 4; ++c) sums[c * t.materials + row.material] += totals[static_cast<std::size_t>(c)];
}

void forgetting_backward_rows(const ForgettingTask& t, std::int64_t begin, std::int64_t end, float* sums, float* memory) {
  float *values = memory + 3 * t.kept, *slope = values + t.kept;
  for (std::int64_t r = begin; r < end; ++r) {
    const Row row(t, r, memory);
    const Span span = retain(row, values);
    if (!span.varies()) continue;
    scaling_backward(row, span, values, slope);
    constants_backward(row, slope, sums);
  }
}

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope::onednn {
HWY_EXPORT(forgetting_rows);
HWY_EXPORT(forgetting_backward_rows);
namespace {

constexpr std::int64_t row_work = 16;  // of a behaviour, against an addition

/// Memory of a thread for one row: three numbers a behaviour, and two more for the backward pass.
std::int64_t row_memory(const ForgettingTask& t) { return 5 * t.kept; }

std::optional<ForgettingTask> forgetting_task(const ReviewViews& p, const CurveConstants& c, const CurveShape& shape) {
  const bool flags = p.valid.dtype == DType::u8 && p.valid.contiguous() && p.review.dtype == DType::u8 && p.review.contiguous();
  if (!is_dense(p.time) || !flags || p.review.shape.rank() != 3 || p.review.elements() == 0) return std::nullopt;
  const std::int64_t B = p.review.shape[0], M = p.review.shape[1], k = p.review.shape[2];
  if (!(p.valid.shape == Shape{B, k}) || !(p.time.shape == Shape{B, k})) return std::nullopt;
  for (const View* view : {&c.r_init, &c.r_final, &c.s, &c.i}) {
    if (!vector_of(*view, M)) return std::nullopt;
  }
  ForgettingTask t{shape};
  t.samples = B, t.materials = M, t.kept = k;
  t.valid = p.valid.as<std::uint8_t>(), t.review = p.review.as<std::uint8_t>(), t.time = p.time.as<float>();
  t.r_init = c.r_init.as<float>(), t.r_final = c.r_final.as<float>(), t.s = c.s.as<float>(), t.i = c.i.as<float>();
  return t;
}

}  // namespace
}  // namespace chronotope::onednn

namespace chronotope {
using namespace onednn;

bool onednn_backend::try_forgetting_mask(stream& s, const View& mask, const ReviewViews& points, const CurveConstants& constants,
                                         const CurveShape& shape) {
  auto task = forgetting_task(points, constants, shape);
  if (!task || !is_dense(mask) || !(mask.shape == points.review.shape)) return false;
  task->mask = mask.as<float>();
  const std::int64_t rows = task->samples * task->materials, each = row_memory(*task);
  float* memory = s.impl().floats(Slot::networks, each * s.impl().threads);
  parallel(s.impl(), rows, row_work * mask.elements(), [&](std::int64_t begin, std::int64_t end, int part) {
    HWY_DYNAMIC_DISPATCH(forgetting_rows)(*task, begin, end, memory + each * part);
  });
  return true;
}

bool onednn_backend::try_forgetting_mask_backward(stream& s, const CurveConstants& gradients, const View& dmask, const ReviewViews& points,
                                                  const CurveConstants& constants, const CurveShape& shape) {
  auto task = forgetting_task(points, constants, shape);
  if (!task || !is_dense(dmask) || !(dmask.shape == points.review.shape)) return false;
  task->dmask = dmask.as<float>();
  const std::int64_t M = task->materials, rows = task->samples * M;
  float* into[] = {vector_of(gradients.r_init, M), vector_of(gradients.r_final, M), vector_of(gradients.s, M), vector_of(gradients.i, M)};
  for (const float* p : into) {
    if (!p) return false;
  }
  const std::int64_t each = row_memory(*task);
  float* memory = s.impl().floats(Slot::networks, each * s.impl().threads);
  const double* totals = sum_over_blocks(s.impl(), rows, row_block, 4 * M, 2 * row_work * dmask.elements(),
                                         [&](std::int64_t begin, std::int64_t end, float* sums, int part) {
    HWY_DYNAMIC_DISPATCH(forgetting_backward_rows)(*task, begin, end, sums, memory + each * part);
  });
  for (std::int64_t c = 0; c < 4; ++c) std::copy_n(totals + c * M, M, into[c]);
  return true;
}

}  // namespace chronotope
#endif
