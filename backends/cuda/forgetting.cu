// Forgetting curves as masks: a row is a sample's behaviours under one material, a warp's or a block's (rows.hpp). The floor is memory: a
// byte and a number of every element, and a sample's times and flags, which its materials share. Each warp has one stretch of the row, counts
// its reviews, is told what the stretches before it have, and then walks its own: no behaviour waits for those of another warp.
#include <cmath>

#include "column_sums.hpp"
#include "fused.hpp"
#include "rows.hpp"

namespace chronotope::cuda {

namespace {

/// CurveShape in the dtype.
template <class T> struct Curve {
  CurveForm form;
  bool logistic;
  T power_c, power_m, log_a, log_b, log_c;

  explicit Curve(const CurveShape& s)
      : form(s.form),
        logistic(s.logistic),
        power_c(static_cast<T>(s.power_c)),
        power_m(static_cast<T>(s.power_m)),
        log_a(static_cast<T>(s.log_a)),
        log_b(static_cast<T>(s.log_b)),
        log_c(static_cast<T>(s.log_c)) {}

  __device__ T value(T x) const {
    if (form == CurveForm::power) return std::exp(std::log(x * power_c + T{1}) * power_m);
    if (form == CurveForm::logarithm) return log_a - log_b * std::log(x + log_c);
    return std::exp(-x);
  }
  /// dy / dx
  __device__ T slope(T x, T y) const {
    if (form == CurveForm::power) return y * (power_c * power_m) / (x * power_c + T{1});
    if (form == CurveForm::logarithm) return -log_b / (x + log_c);
    return -y;
  }
};

/// Where a behaviour stands between the reviews (ReviewSteps); behaviours are counted from the oldest.
template <class T> struct Step {
  std::int64_t behaviour;
  T since, number;
};

/// What a warp's stretch of a row has of reviews, or all that was walked before it.
struct Seen {
  int reviews = 0;
  std::int64_t latest = -1;  ///< the behaviour that is the last one met on the way back; none yet

  __device__ void add(const Seen& next) {
    reviews += next.reviews;
    if (next.latest >= 0) latest = next.latest;
  }
};

/// A row for one of the threads that walk it, from the newest behaviour (position 0) to the oldest.
template <class T> struct Walker {
  const std::uint8_t *valid, *review;
  const T* time;
  std::int64_t kept, begin = 0, end = 0;  ///< positions of the warp's stretch
  Seen before{};
  int all = 0;  ///< reviews of the whole row

  __device__ static int lane() { return static_cast<int>(threadIdx.x) % 32; }
  __device__ std::int64_t behaviour(std::int64_t position) const { return kept - 1 - position; }

  template <class Team> __device__ void start() {
    constexpr int warps = Team::threads / 32;
    const std::int64_t warp = threadIdx.x / 32, tiles = (kept + 31) / 32, each = (tiles + warps - 1) / warps * 32;
    begin = warp * each < kept ? warp * each : kept;
    end = begin + each < kept ? begin + each : kept;
    const Seen own = count();
    if constexpr (warps == 1) all = own.reviews;
    else share<warps>(static_cast<int>(warp), own);
  }

  /// f(step) for the thread's behaviours that are there; all lanes of a warp come here together.
  template <class F> __device__ void each_step(F f) const {
    int seen = before.reviews;
    T last = before.latest >= 0 ? time[before.latest] : T{0};
    for (std::int64_t tile = begin; tile < end; tile += 32) {
      const std::int64_t j = behaviour(tile + lane());
      const bool present = tile + lane() < end && valid[j] != 0;
      const T now = present ? time[j] : T{0};
      const unsigned votes = __ballot_sync(whole_warp, present && review[j] != 0), mine = votes & (whole_warp >> (31 - lane()));
      const T met = __shfl_sync(whole_warp, now, mine ? 31 - __clz(mine) : 0), oldest = __shfl_sync(whole_warp, now, votes ? 31 - __clz(votes) : 0);
      if (present) f(Step<T>{j, now - (mine ? met : last), static_cast<T>(seen + __popc(mine))});
      seen += __popc(votes);
      last = votes ? oldest : last;
    }
  }
  /// f(behaviour) for those of each_step() and for padding.
  template <class F> __device__ void each_own(F f) const {
    for (std::int64_t p = begin + lane(); p < end; p += 32) f(behaviour(p));
  }

 private:
  __device__ Seen count() const {
    Seen own;
    for (std::int64_t tile = begin; tile < end; tile += 32) {
      const std::int64_t j = behaviour(tile + lane());
      const unsigned votes = __ballot_sync(whole_warp, tile + lane() < end && valid[j] != 0 && review[j] != 0);
      if (votes) own.add({__popc(votes), behaviour(tile + 31 - __clz(votes))});
    }
    return own;
  }

  template <int warps> __device__ void share(int warp, const Seen& own) {
    CHRONOTOPE_SHARED(int, counts, warps);
    CHRONOTOPE_SHARED(std::int64_t, latests, warps);
    if (lane() == 0) {  // those of the row before have been read: retain() ends with barriers
      counts[warp] = own.reviews;
      latests[warp] = own.latest;
    }
    __syncthreads();
    for (int w = 0; w < warps; ++w) {
      const int reviews = counts[w];
      if (w < warp) before.add({reviews, latests[w]});
      all += reviews;
    }
  }
};

/// What a behaviour retains, and what it is made of.
template <class T> struct Retained {
  T x, kept, level, share;  ///< time in units of S / (1 + n I), what the curve leaves of 1, what a review leaves of 1
  bool reviewed;
  __device__ T value() const { return reviewed ? level * kept : kept; }
};

template <class T> struct Forgetting {
  std::int64_t materials, kept;
  const std::uint8_t *valid, *review;
  const T *time, *r_init, *r_final, *s, *i;
  Curve<T> curve;

  Forgetting(const ReviewViews& p, const CurveConstants& c, const CurveShape& shape)
      : materials(p.review.shape[1]),
        kept(p.review.shape[2]),
        valid(p.valid.as<std::uint8_t>()),
        review(p.review.as<std::uint8_t>()),
        time(p.time.as<T>()),
        r_init(c.r_init.as<T>()),
        r_final(c.r_final.as<T>()),
        s(c.s.as<T>()),
        i(c.i.as<T>()),
        curve(shape) {}

  template <class Team> __device__ Walker<T> walker(std::int64_t r) const {
    Walker<T> walker{valid + r / materials * kept, review + r * kept, time + r / materials * kept, kept};
    walker.template start<Team>();
    return walker;
  }
  __device__ Retained<T> retained(std::int64_t material, int reviews, const Step<T>& step) const {
    const T first = r_init[material], last = r_final[material];
    Retained<T> r;
    r.reviewed = step.number > 0;
    r.share = (r.reviewed ? step.number - T{1} : T{0}) / static_cast<T>(reviews > 1 ? reviews - 1 : 1);
    r.x = step.since * (step.number * i[material] + T{1}) / s[material];
    r.level = last - (last - first) * r.share;
    r.kept = curve.value(r.x);
    return r;
  }
};

/// From the least to the largest of a row.
template <class T> struct Range {
  T low, high;
  __device__ bool varies() const { return high - low > 0; }
  __device__ T scaled(T r) const { return varies() ? (r - low) / (high - low) : T{1}; }
};

template <class Team, class... A> __device__ void merge(A&... sums) { (Team::merge(sums), ...); }

template <class T> __device__ T sigmoid(T x) { return T{1} / (T{1} + std::exp(-x)); }

/// Writes what the behaviours of a row retain, each by the thread that walks it.
template <class Team, class T> __device__ Range<T> retain(const Forgetting<T>& f, const Walker<T>& row, std::int64_t material, T* values) {
  Max<T> high, low;  // `low` of the negative values
  row.each_step([&](const Step<T>& step) {
    const T value = f.retained(material, row.all, step).value();
    values[step.behaviour] = value;
    high.add(value);
    low.add(-value);
  });
  merge<Team>(high, low);
  return {-low.result(), high.result()};
}

template <class T> struct ForgettingMask {
  Forgetting<T> forgetting;
  T* mask;

  template <class Team> __device__ void row(std::int64_t r) const {
    const Walker<T> row = forgetting.template walker<Team>(r);
    T* out = mask + r * forgetting.kept;
    const Range<T> range = retain<Team>(forgetting, row, r % forgetting.materials, out);
    row.each_own([&](std::int64_t j) {
      if (row.valid[j] == 0) {
        out[j] = 0;
        return;
      }
      const T m = range.scaled(out[j]);
      out[j] = forgetting.curve.logistic ? sigmoid(m) : m;
    });
  }
};

/// Each row's gradients of r_init, r_final, s and i, which column_sums() adds up over the samples. What behaviours retain is kept, not
/// computed again: whether one is the least or the largest must not depend on how two places round.
template <class T> struct ForgettingBackward {
  Forgetting<T> forgetting;
  const T* dmask;
  T *retained, *rows;  ///< [B, M, k], [B, M, 4]

  template <class Team> __device__ void row(std::int64_t r) const {
    const Walker<T> row = forgetting.template walker<Team>(r);
    const Range<T> range = retain<Team>(forgetting, row, r % forgetting.materials, retained + r * forgetting.kept);
    std::array<T, 4> totals{};
    if (range.varies()) totals = constants<Team>(row, range, r);
    for (int c = 0; c < 4 && threadIdx.x == 0; ++c) rows[r * 4 + c] = totals[c];
  }
  __device__ std::array<T, 4> values(std::int64_t sample, std::int64_t material) const {
    const T* at = rows + (sample * forgetting.materials + material) * 4;
    return {at[0], at[1], at[2], at[3]};
  }

 private:
  /// What goes to the least and the largest, to each of those that share the place.
  struct Ends {
    T low, high;
  };

  /// The gradient before the scaling, the ends' part left out.
  __device__ T slope(const Range<T>& range, std::int64_t at) const {
    const T s = forgetting.curve.logistic ? sigmoid(range.scaled(retained[at])) : T{0};
    return (forgetting.curve.logistic ? dmask[at] * s * (T{1} - s) : dmask[at]) / (range.high - range.low);
  }

  template <class Team> __device__ Ends ends(const Walker<T>& row, const Range<T>& range, std::int64_t first) const {
    Sum<T> low, high, lows, highs;
    row.each_own([&](std::int64_t j) {
      if (row.valid[j] == 0) return;
      const T value = retained[first + j], m = range.scaled(value), d = slope(range, first + j);
      low.add(-d * (T{1} - m));
      high.add(-d * m);
      lows.add(value == range.low ? T{1} : T{0});
      highs.add(value == range.high ? T{1} : T{0});
    });
    merge<Team>(low, high, lows, highs);
    return {low.result() / lows.result(), high.result() / highs.result()};
  }

  template <class Team> __device__ std::array<T, 4> constants(const Walker<T>& row, const Range<T>& range, std::int64_t r) const {
    const std::int64_t first = r * forgetting.kept, material = r % forgetting.materials;
    const Ends to = ends<Team>(row, range, first);
    Sum<T> init, final, s, i;
    row.each_step([&](const Step<T>& step) {
      const T value = retained[first + step.behaviour];
      const T d = slope(range, first + step.behaviour) + (value == range.low ? to.low : T{0}) + (value == range.high ? to.high : T{0});
      const Retained<T> at = forgetting.retained(material, row.all, step);
      const T dlevel = at.reviewed ? d * at.kept : T{0}, dx = (at.reviewed ? d * at.level : d) * forgetting.curve.slope(at.x, at.kept);
      init.add(dlevel * at.share);
      final.add(dlevel * (T{1} - at.share));
      s.add(-dx * at.x);
      i.add(dx * (step.since * step.number));
    });
    merge<Team>(init, final, s, i);
    const T over = T{1} / forgetting.s[material];
    return {init.result(), final.result(), s.result() * over, i.result() * over};
  }
};

bool are_constants(const CurveConstants& c, DType dtype, std::int64_t materials) {
  return is_vector(c.r_init, dtype, materials) && is_vector(c.r_final, dtype, materials) && is_vector(c.s, dtype, materials) &&
         is_vector(c.i, dtype, materials);
}

/// `mask` or its gradient.
bool covers(const View& mask, const ReviewViews& p, const CurveConstants& c) {
  if (!are_dense(mask) || mask.shape.rank() != 3 || mask.elements() == 0 || p.review.dtype != DType::u8 || p.valid.dtype != DType::u8) return false;
  const Shape sample{mask.shape[0], mask.shape[2]};
  return p.review.shape == mask.shape && p.review.contiguous() && p.valid.shape == sample && p.valid.contiguous() && are_dense(p.time) &&
         p.time.dtype == mask.dtype && p.time.shape == sample && are_constants(c, mask.dtype, mask.shape[1]);
}

}  // namespace

bool forgetting_mask(const Queue& queue, const View& mask, const ReviewViews& points, const CurveConstants& constants, const CurveShape& shape) {
  if (!covers(mask, points, constants)) return false;
  with_floating(mask.dtype, [&](auto zero) {
    using T = decltype(zero);
    for_rows(queue, "forgetting_mask", mask.shape[0] * mask.shape[1], mask.shape[2],
             ForgettingMask<T>{Forgetting<T>(points, constants, shape), mask.as<T>()});
  });
  return true;
}

bool forgetting_mask_backward(const Queue& queue, const CurveConstants& gradients, const View& dmask, const ReviewViews& points,
                              const CurveConstants& constants, const CurveShape& shape) {
  if (!covers(dmask, points, constants) || !are_constants(gradients, dmask.dtype, dmask.shape[1])) return false;
  with_floating(dmask.dtype, [&](auto zero) {
    using T = decltype(zero);
    const std::int64_t samples = dmask.shape[0], materials = dmask.shape[1], elements = dmask.elements();
    const Scratch scratch(queue, static_cast<std::size_t>(elements + samples * materials * 4) * sizeof(T), "forgetting_mask_backward");
    const ForgettingBackward<T> task{Forgetting<T>(points, constants, shape), dmask.as<T>(), scratch.as<T>(), scratch.as<T>() + elements};
    for_rows(queue, "forgetting_mask_backward", samples * materials, dmask.shape[2], task);
    column_sums<T, 4>(queue, "forgetting_mask_backward", samples, materials, task,
                      {gradients.r_init.as<T>(), gradients.r_final.as<T>(), gradients.s.as<T>(), gradients.i.as<T>()});
  });
  return true;
}

}  // namespace chronotope::cuda
