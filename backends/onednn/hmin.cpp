// The interest unit of STIM, a sample at a time: everything between its queries, keys and masks and its interests lives
// in the cache of one core. The backward pass computes the forward values again: that is cheaper than keeping them.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/hmin.cpp"
#include <hwy/foreach_target.h>

#include "hmin.hpp"

#include <cmath>
#include <type_traits>

#include "functions.hpp"
#include "panels.hpp"
#include "products.hpp"
#include "row_sums.hpp"
#include "views.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

/// The behaviours of a sample that are there: `count` of them, their keys row by row.
struct Present {
  std::int64_t sample, count;
  const float* keys;
  bool gapless;  ///< one behind the other, so that `keys` lie in the input itself
};

Present find_present(const HminTask& t, std::int64_t b, const HminWork& w) {
  const std::uint8_t* valid = t.valid + b * t.kept;
  std::int64_t n = 0;
  for (std::int64_t i = 0; i < t.kept; ++i) {
    if (valid[i]) w.list[n++] = static_cast<std::int32_t>(i);
  }
  const float* keys = t.keys + b * t.kept * t.width;
  if (n == 0 || w.list[n - 1] - w.list[0] + 1 == n) return {b, n, n ? keys + w.list[0] * t.width : keys, true};
  for (std::int64_t j = 0; j < n; ++j) std::copy_n(keys + w.list[j] * t.width, t.width, w.keys + j * t.width);
  return {b, n, w.keys, false};
}

/// 1 / |x|, with the square kept off 0 as in ops/hmin.hpp.
float inverse_length(const float* x, std::int64_t n) {
  float square = 0;
  dot_rows<1>(x, n, x, n, &square, 1);
  return 1.0f / std::sqrt(square + 1e-20f);
}

/// Unit queries, cosines [Q, n] and the masks of those present [M, n].
void compare_keys(const HminTask& t, const Present& p, const HminWork& w) {
  const float* query = t.query + p.sample * t.queries * t.width;
  for (std::int64_t q = 0; q < t.queries; ++q) {
    w.query_scale[q] = inverse_length(query + q * t.width, t.width);
    for (std::int64_t d = 0; d < t.width; ++d) w.unit[q * t.width + d] = query[q * t.width + d] * w.query_scale[q];
  }
  for (std::int64_t j = 0; j < p.count; ++j) {
    const float* key = p.keys + j * t.width;
    w.key_scale[j] = inverse_length(key, t.width);
    dots(t.queries, w.unit, t.width, key, t.width, w.cosine + j, w.stride);
  }
  for (std::int64_t q = 0; q < t.queries; ++q) {
    float* row = w.cosine + q * w.stride;
    for (std::int64_t j = 0; j < p.count; ++j) row[j] *= w.key_scale[j];
  }
  for (std::int64_t m = 0; m < t.masks; ++m) {
    const float* mask = t.mask + (p.sample * t.masks + m) * t.kept;
    for (std::int64_t j = 0; j < p.count; ++j) w.mask[m * w.stride + j] = mask[w.list[j]];
  }
}

/// Softmax over those present of temperature * cosine * mask, [Q M, n].
void weigh(const HminTask& t, const Present& p, const HminWork& w) {
  const Vec temperature = constant(t.temperature);
  for (std::int64_t r = 0; r < t.rows(); ++r) {
    const float *cosine = w.cosine + r / t.masks * w.stride, *mask = w.mask + r % t.masks * w.stride;
    float* row = w.weights + r * w.stride;
    Vec most = constant(-3.4e38f);
    for_vectors(p.count, [&](auto at, std::int64_t j) HWY_ATTR {
      const Vec score = hn::Mul(hn::Mul(at.load(cosine + j), at.load(mask + j)), temperature);
      at.store(score, row + j);
      if constexpr (std::is_same_v<decltype(at), Whole>) most = hn::Max(most, score);
      else most = hn::Max(most, hn::IfThenElse(hn::FirstN(Floats(), at.n), score, most));
    });
    const Vec top = hn::MaxOfLanes(Floats(), most);
    const float total = sum(p.count, [=](auto at, std::int64_t j) HWY_ATTR {
      const Vec e = exponential(hn::Sub(at.load(row + j), top));
      at.store(e, row + j);
      return e;
    });
    const Vec over = constant(1.0f / total);
    for_vectors(p.count, [=](auto at, std::int64_t j) HWY_ATTR { at.store(hn::Mul(at.load(row + j), over), row + j); });
  }
}

/// The first layers of all heads at the keys, pooled: [Q M, H F].
void pool(const HminTask& t, const Present& p, const HminWork& w) {
  compare_keys(t, p, w);
  weigh(t, p, w);
  const std::int64_t inner = t.inner();
  product_transposed(p.count, inner, t.width, Left{p.keys, t.width, 1}, t.packed1, Rectified{{w.hidden, inner, t.bias1}});
  product(t.rows(), inner, p.count, Left{w.weights, w.stride, 1}, Right{w.hidden, inner}, Stored{w.pooled, inner});
}

void hmin_samples(const HminTask& t, std::int64_t begin, std::int64_t end, float* memory) {
  const HminWork w(t, memory);
  for (std::int64_t b = begin; b < end; ++b) {
    const Present p = find_present(t, b, w);
    float* out = t.out + b * t.rows() * t.outer();
    if (p.count == 0) {
      std::fill_n(out, t.rows() * t.outer(), 0.0f);
      continue;
    }
    pool(t, p, w);
    for (std::int64_t h = 0; h < t.heads; ++h) {
      const Biased into{out + h * t.out_width, t.outer(), t.bias2 + h * t.out_width};
      product_transposed(t.rows(), t.out_width, t.hidden, Left{w.pooled + h * t.hidden, t.inner(), 1},
                         t.packed2 + h * panel_floats(t.out_width) * t.hidden, into);
    }
  }
}

void add_rows_to(const float* rows, std::int64_t count, std::int64_t width, float* sums) {
  for (std::int64_t r = 0; r < count; ++r) {
    for_vectors(width, [=](auto at, std::int64_t i) HWY_ATTR {
      at.store(hn::Add(at.load(sums + i), at.load(rows + r * width + i)), sums + i);
    });
  }
}

/// C = A B where the ReLU let through what lies in `gate`, else 0.
struct Gated : Stored {
  const float* gate;
  template <class At> HWY_INLINE void end(At at, Vec v, std::int64_t r, std::int64_t c) const {
    const auto open = hn::Gt(at.load(gate + r * stride + c), constant(0));
    at.store(hn::IfThenElseZero(open, v), data + r * stride + c);
  }
};

/// C + A B - x[r] * factor[r] with rows of x as far apart as those of C.
struct Pulled : Added {
  const float *x, *factor;
  template <class At> HWY_INLINE void end(At at, Vec v, std::int64_t r, std::int64_t c) const {
    at.store(hn::NegMulAdd(at.load(x + r * stride + c), constant(factor[r]), v), data + r * stride + c);
  }
};

/// scale[r] * (A B - unit[r] * pull[r])
struct Projected : Stored {
  const float *unit, *pull, *scale;
  template <class At> HWY_INLINE void end(At at, Vec v, std::int64_t r, std::int64_t c) const {
    const Vec off = hn::NegMulAdd(at.load(unit + r * stride + c), constant(pull[r]), v);
    at.store(hn::Mul(off, constant(scale[r])), data + r * stride + c);
  }
};

/// Back through the heads: dpooled [Q M, H F], `slope` [Q M, n] (of the weights), dhidden [n, H F], the keys' share of
/// the gradient by the heads, and what goes to weights and biases.
void heads_backward(const HminTask& t, const Present& p, const HminWork& w, float* dkeys, const HminSums& at, float* sums) {
  const std::int64_t inner = t.inner(), outer = t.outer(), rows = t.rows();
  const float* dout = t.dout + p.sample * rows * outer;
  add_rows_to(dout, rows, outer, sums + at.bias2);
  for (std::int64_t h = 0; h < t.heads; ++h) {
    const float* from = dout + h * t.out_width;
    const std::int64_t weights = h * t.out_width * t.hidden;
    product(rows, t.hidden, t.out_width, Left{from, outer, 1}, Right{t.weight2 + weights, t.hidden}, Stored{w.dpooled + h * t.hidden, inner});
    product(t.out_width, t.hidden, rows, Left{from, 1, outer}, Right{w.pooled + h * t.hidden, inner}, Added{sums + at.weight2 + weights, t.hidden});
  }
  for (std::int64_t j = 0; j < p.count; ++j) dots(rows, w.dpooled, inner, w.hidden + j * inner, inner, w.slope + j, w.stride);
  product(p.count, inner, rows, Left{w.weights, 1, w.stride}, Right{w.dpooled, inner}, Gated{{w.dhidden, inner}, w.hidden});
  add_rows_to(w.dhidden, p.count, inner, sums + at.bias1);
  product(inner, t.width, p.count, Left{w.dhidden, 1, inner}, Right{p.keys, t.width}, Added{sums + at.weight1, t.width});
  product(p.count, t.width, inner, Left{w.dhidden, inner, 1}, Right{t.weight1, t.width}, Stored{dkeys, t.width});
}

/// Back through the softmax: `slope` becomes the gradient of the scores. Returns its product with the scores.
float weights_backward(const HminTask& t, const Present& p, const HminWork& w) {
  float along = 0;
  for (std::int64_t r = 0; r < t.rows(); ++r) {
    const float *weights = w.weights + r * w.stride, *cosine = w.cosine + r / t.masks * w.stride, *mask = w.mask + r % t.masks * w.stride;
    float* slope = w.slope + r * w.stride;
    const Vec mean = constant(sum(p.count, [=](auto at, std::int64_t j) HWY_ATTR { return hn::Mul(at.load(slope + j), at.load(weights + j)); }));
    along += sum(p.count, [=](auto at, std::int64_t j) HWY_ATTR {
      const Vec d = hn::Mul(at.load(weights + j), hn::Sub(at.load(slope + j), mean));
      at.store(d, slope + j);
      return hn::Mul(d, hn::Mul(at.load(cosine + j), at.load(mask + j)));
    });
  }
  return along;
}

/// From the scores to masks and cosines: dmask [M, k], `dcosine` [Q, n].
void scores_backward(const HminTask& t, const Present& p, const HminWork& w) {
  const Vec temperature = constant(t.temperature);
  std::fill_n(w.dcosine, t.queries * w.stride, 0.0f);
  float* dmask = t.dmask + p.sample * t.masks * t.kept;
  std::fill_n(dmask, t.masks * t.kept, 0.0f);
  for (std::int64_t m = 0; m < t.masks; ++m) {
    const float* mask = w.mask + m * w.stride;
    float* total = w.pull;
    std::fill_n(total, p.count, 0.0f);
    for (std::int64_t q = 0; q < t.queries; ++q) {
      const float *slope = w.slope + (q * t.masks + m) * w.stride, *cosine = w.cosine + q * w.stride;
      float* dcosine = w.dcosine + q * w.stride;
      for_vectors(p.count, [=](auto at, std::int64_t j) HWY_ATTR {
        const Vec d = hn::Mul(at.load(slope + j), temperature);
        at.store(hn::MulAdd(d, at.load(cosine + j), at.load(total + j)), total + j);
        at.store(hn::MulAdd(d, at.load(mask + j), at.load(dcosine + j)), dcosine + j);
      });
    }
    for (std::int64_t j = 0; j < p.count; ++j) dmask[m * t.kept + w.list[j]] = total[j];
  }
}

/// From the cosines to queries, and to what they add to dkeys [n, D]. The part of a gradient along its own vector goes.
void cosines_backward(const HminTask& t, const Present& p, const HminWork& w, float* dkeys) {
  for (std::int64_t q = 0; q < t.queries; ++q) {
    const float *d = w.dcosine + q * w.stride, *cosine = w.cosine + q * w.stride;
    w.pull[q] = sum(p.count, [=](auto at, std::int64_t j) HWY_ATTR { return hn::Mul(at.load(d + j), at.load(cosine + j)); });
    for (std::int64_t j = 0; j < p.count; ++j) w.dcosine[q * w.stride + j] *= w.key_scale[j];
  }
  float* dquery = t.dquery + p.sample * t.queries * t.width;
  product(t.queries, t.width, p.count, Left{w.dcosine, w.stride, 1}, Right{p.keys, t.width},
          Projected{{dquery, t.width}, w.unit, w.pull, w.query_scale});
  for (std::int64_t j = 0; j < p.count; ++j) {
    float pull = 0;
    for (std::int64_t q = 0; q < t.queries; ++q) pull += w.dcosine[q * w.stride + j] * w.cosine[q * w.stride + j];
    w.pull[j] = pull * w.key_scale[j];
  }
  product(p.count, t.width, t.queries, Left{w.dcosine, 1, w.stride}, Right{w.unit, t.width}, Pulled{{dkeys, t.width}, p.keys, w.pull});
}

void hmin_backward_samples(const HminTask& t, std::int64_t begin, std::int64_t end, float* sums, float* memory) {
  const HminWork w(t, memory);
  const HminSums at(t);
  for (std::int64_t b = begin; b < end; ++b) {
    const Present p = find_present(t, b, w);
    float* dkeys = t.dkeys + b * t.kept * t.width;
    if (p.count < t.kept) std::fill_n(dkeys, t.kept * t.width, 0.0f);
    if (p.count == 0) {
      std::fill_n(t.dquery + b * t.queries * t.width, t.queries * t.width, 0.0f);
      std::fill_n(t.dmask + b * t.masks * t.kept, t.masks * t.kept, 0.0f);
      continue;
    }
    float* into = p.gapless ? dkeys + w.list[0] * t.width : w.dkeys;
    pool(t, p, w);
    heads_backward(t, p, w, into, at, sums);
    sums[at.temperature] += weights_backward(t, p, w);
    scores_backward(t, p, w);
    cosines_backward(t, p, w, into);
    if (p.gapless) continue;
    for (std::int64_t j = 0; j < p.count; ++j) std::copy_n(into + j * t.width, t.width, dkeys + w.list[j] * t.width);
  }
}

void hmin_pack(const HminTask& t) {
  pack_panels(t.weight1, t.inner(), t.width, t.packed1);
  for (std::int64_t h = 0; h < t.heads; ++h)
    pack_panels(t.weight2 + h * t.out_width * t.hidden, t.out_width, t.hidden, t.packed2 + h * panel_floats(t.out_width) * t.hidden);
}

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope::onednn {
HWY_EXPORT(hmin_samples);
HWY_EXPORT(hmin_backward_samples);
HWY_EXPORT(hmin_pack);
namespace {

/// What one thread keeps of a sample has to fit its cache; also keeps every extent in its type.
constexpr std::int64_t most_work = 1 << 18;

bool shapes_agree(const HminViews& x) {
  if (x.query.shape.rank() != 3 || x.keys.shape.rank() != 3 || x.mask.shape.rank() != 3 || x.weight2.shape.rank() != 3) return false;
  const std::int64_t B = x.query.shape[0], D = x.query.shape[2], k = x.keys.shape[1], H = x.weight2.shape[0], O = x.weight2.shape[1],
                     F = x.weight2.shape[2];
  return x.keys.shape == Shape{B, k, D} && x.mask.shape[0] == B && x.mask.shape[2] == k && x.valid.shape == Shape{B, k} &&
         x.temperature.shape == Shape{1} && x.weight1.shape == Shape{H * F, D} && x.bias1.shape == Shape{H * F} &&
         x.bias2.shape == Shape{H, O};
}

constexpr View HminViews::*floating[] = {&HminViews::query,   &HminViews::keys,  &HminViews::mask,    &HminViews::temperature,
                                         &HminViews::weight1, &HminViews::bias1, &HminViews::weight2, &HminViews::bias2};

bool all_dense(const HminViews& x) {
  for (const auto part : floating) {
    if (!is_dense(x.*part) || (x.*part).elements() == 0) return false;
  }
  return x.valid.dtype == DType::u8 && x.valid.contiguous();
}

bool are_gradients(const HminViews& gradient, const HminViews& x) {
  for (const auto part : floating) {
    if (!is_dense(gradient.*part) || !((gradient.*part).shape == (x.*part).shape)) return false;
  }
  return true;
}

/// The task with its weights packed into Slot::networks, and memory for every thread behind them.
struct HminPlan {
  HminTask task;
  float* memory = nullptr;
  std::int64_t each = 0;

  static std::optional<HminPlan> make(Impl& impl, const HminViews& x) {
    if (!all_dense(x) || !shapes_agree(x)) return std::nullopt;
    HminPlan plan;
    HminTask& t = plan.task;
    t.samples = x.query.shape[0], t.queries = x.query.shape[1], t.masks = x.mask.shape[1], t.kept = x.keys.shape[1], t.width = x.query.shape[2];
    t.heads = x.weight2.shape[0], t.hidden = x.weight2.shape[2], t.out_width = x.weight2.shape[1];
    t.query = x.query.as<float>(), t.keys = x.keys.as<float>(), t.mask = x.mask.as<float>(), t.valid = x.valid.as<std::uint8_t>();
    t.weight1 = x.weight1.as<float>(), t.bias1 = x.bias1.as<float>(), t.weight2 = x.weight2.as<float>(), t.bias2 = x.bias2.as<float>();
    t.temperature = *x.temperature.as<float>();
    plan.each = HminWork::floats(t);
    if (plan.each > most_work) return std::nullopt;
    const std::int64_t first = (t.inner() + widest_panel) * t.width, second = t.heads * (t.out_width + widest_panel) * t.hidden;
    t.packed1 = impl.floats(Slot::networks, first + second + plan.each * impl.threads);
    t.packed2 = t.packed1 + first;
    plan.memory = t.packed2 + second;
    HWY_DYNAMIC_DISPATCH(hmin_pack)(t);
    return plan;
  }

  /// Multiplications, as many as make up for an addition that waits for memory taken as one.
  std::int64_t work() const {
    const std::int64_t one = task.kept * task.inner() * (task.width + task.rows()) + task.rows() * task.outer() * task.hidden;
    return task.samples * one / 16;
  }
};

}  // namespace
}  // namespace chronotope::onednn

namespace chronotope {
using namespace onednn;

bool onednn_backend::try_hmin(stream& s, const View& out, const HminViews& x) {
  auto plan = HminPlan::make(s.impl(), x);
  if (!plan || !is_dense(out) || !(out.shape == Shape{plan->task.samples, plan->task.rows(), plan->task.outer()})) return false;
  plan->task.out = out.as<float>();
  parallel(s.impl(), plan->task.samples, plan->work(), [&](std::int64_t begin, std::int64_t end, int part) {
    HWY_DYNAMIC_DISPATCH(hmin_samples)(plan->task, begin, end, plan->memory + plan->each * part);
  });
  return true;
}

bool onednn_backend::try_hmin_backward(stream& s, const HminViews& gradient, const View& dout, const HminViews& x) {
  auto plan = HminPlan::make(s.impl(), x);
  if (!plan || !is_dense(dout) || !(dout.shape == Shape{plan->task.samples, plan->task.rows(), plan->task.outer()})) return false;
  if (!are_gradients(gradient, x)) return false;
  HminTask& t = plan->task;
  t.dout = dout.as<float>();
  t.dquery = gradient.query.as<float>(), t.dkeys = gradient.keys.as<float>(), t.dmask = gradient.mask.as<float>();
  const HminSums at(t);
  const double* totals = sum_over_blocks(s.impl(), t.samples, row_block, at.count, 3 * plan->work(),
                                         [&](std::int64_t begin, std::int64_t end, float* sums, int part) {
    HWY_DYNAMIC_DISPATCH(hmin_backward_samples)(t, begin, end, sums, plan->memory + plan->each * part);
  });
  std::copy_n(totals + at.weight1, at.bias1 - at.weight1, gradient.weight1.as<float>());
  std::copy_n(totals + at.bias1, at.weight2 - at.bias1, gradient.bias1.as<float>());
  std::copy_n(totals + at.weight2, at.bias2 - at.weight2, gradient.weight2.as<float>());
  std::copy_n(totals + at.bias2, at.temperature - at.bias2, gradient.bias2.as<float>());
  *gradient.temperature.as<float>() = static_cast<float>(totals[at.temperature]);
  return true;
}

}  // namespace chronotope
#endif
