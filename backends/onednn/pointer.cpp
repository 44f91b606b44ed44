// Scores of a history pointer: content and one number for each relation of a pair, in one pass; tables stay in the first cache. Backwards each thread
// adds up tables of its own, in double, whatever the number of pairs. Work goes by chunks of neighbouring pairs of one sequence.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "onednn/pointer.cpp"
#include <hwy/foreach_target.h>

#include "pointer.hpp"

#include "simd.hpp"
#include "stream.hpp"
#include "views.hpp"

HWY_BEFORE_NAMESPACE();
namespace chronotope::onednn::HWY_NAMESPACE {
namespace {

const hn::RebindToSigned<Floats> integers;
using Numbers = hn::Vec<decltype(integers)>;

HWY_INLINE Numbers numbers(Whole, const std::int32_t* p) { return hn::LoadU(integers, p); }
HWY_INLINE Numbers numbers(Rest at, const std::int32_t* p) {
  HWY_ALIGN std::int32_t rest[hn::MaxLanes(Floats())] = {};
  for (std::size_t i = 0; i < at.n; ++i) rest[i] = p[i];
  return hn::Load(integers, rest);
}

/// Neighbouring pairs of one sequence: n of them, from pair `first` on.
struct Chunk {
  std::int64_t sequence, first, n;
  Chunk(const PointerTask& t, std::int64_t number)
      : sequence(number / t.chunks()), first(number % t.chunks() * PointerTask::chunk), n(HWY_MIN(PointerTask::chunk, t.pairs - first)) {}
  std::int64_t bins(const PointerTask& t) const { return sequence * t.pairs + first; }
  std::int64_t scores(const PointerTask& t, std::int64_t head) const { return (sequence * t.heads + head) * t.pairs + first; }
};

bool bins_fit(const std::int32_t* bins, std::int64_t n, std::int64_t rows) {
  bool fit = true;
  for (std::int64_t i = 0; i < n; ++i) fit &= bins[i] >= 0 && bins[i] < rows;
  return fit;
}

void score_chunks(const PointerTask& t, std::int64_t begin, std::int64_t end) {
  const Vec scale = constant(t.scale);
  for (std::int64_t number = begin; number < end; ++number) {
    const Chunk chunk(t, number);
    for (std::int64_t k = 0; k < t.heads; ++k) {
      const float *content = t.in + chunk.scores(t, k), *column = t.columns + k * t.rows;
      float* out = t.out + chunk.scores(t, k);
      for_vectors(chunk.n, [&](auto at, std::int64_t i) HWY_ATTR {
        Vec related = constant(0);
        for (const PointerRelation& r : t.relations)
          related = hn::Add(related, hn::GatherIndex(Floats(), column + r.first, numbers(at, r.bins + chunk.bins(t) + i)));
        at.store(hn::MulAdd(at.load(content + i), scale, related), out + i);
      });
    }
  }
}

/// Adds a chunk's gradients [n, heads] to the rows of one table.
void add_to_table(const std::int32_t* bins, std::int64_t n, std::int64_t heads, const double* gradients, double* table) {
  const hn::CappedTag<double, PointerTask::block> some;
  const auto step = static_cast<std::int64_t>(hn::Lanes(some));
  for (std::int64_t i = 0; i < n; ++i) {
    const double* from = gradients + i * heads;
    double* to = table + bins[i] * heads;
    for (std::int64_t k = 0; k < heads; k += step) hn::StoreU(hn::Add(hn::LoadU(some, to + k), hn::LoadU(some, from + k)), some, to + k);
  }
}

/// Writes the content's gradient and adds to the tables' `sums` [rows, padded heads]; `memory` has a chunk's gradients by pair.
void backward_chunks(const PointerTask& t, std::int64_t begin, std::int64_t end, double* sums, double* memory) {
  const std::int64_t heads = t.padded_heads();
  const Vec scale = constant(t.scale);
  for (std::int64_t number = begin; number < end; ++number) {
    const Chunk chunk(t, number);
    for (std::int64_t k = 0; k < t.heads; ++k) {
      const float* gradient = t.in + chunk.scores(t, k);
      float* content = t.out + chunk.scores(t, k);
      for_vectors(chunk.n, [=](auto at, std::int64_t i) HWY_ATTR { at.store(hn::Mul(at.load(gradient + i), scale), content + i); });
      for (std::int64_t i = 0; i < chunk.n; ++i) memory[i * heads + k] = static_cast<double>(gradient[i]);
    }
    for (const PointerRelation& r : t.relations) add_to_table(r.bins + chunk.bins(t), chunk.n, heads, memory, sums + r.first * heads);
  }
}

}  // namespace
}  // namespace chronotope::onednn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace chronotope::onednn {
HWY_EXPORT(bins_fit);
HWY_EXPORT(score_chunks);
HWY_EXPORT(backward_chunks);
namespace {

/// Also nothing where a bin is outside its table: the composition names it.
std::optional<PointerTask> pointer_task(const View& out, const View& in, std::span<const RelationViews> relations, double scale) {
  if (!is_dense(in) || !is_dense(out) || in.shape.rank() != 4 || !(out.shape == in.shape) || in.elements() == 0) return std::nullopt;
  const std::int64_t S = in.shape[0], K = in.shape[1], M = in.shape[2], N = in.shape[3];
  PointerTask t;
  t.sequences = S, t.heads = K, t.pairs = M * N;
  t.scale = static_cast<float>(scale), t.in = in.as<float>(), t.out = out.as<float>();
  for (const RelationViews& r : relations) {
    if (!is_dense(r.table) || r.table.shape.rank() != 2 || r.table.shape[1] != K) return std::nullopt;
    if (r.bins.dtype != DType::i32 || !r.bins.contiguous() || !(r.bins.shape == Shape{S, M, N})) return std::nullopt;
    t.relations.push_back({r.bins.as<std::int32_t>(), r.table.shape[0], t.rows});
    t.rows += r.table.shape[0];
    if (!HWY_DYNAMIC_DISPATCH(bins_fit)(t.relations.back().bins, S * M * N, r.table.shape[0])) return std::nullopt;
  }
  return t;
}

/// The tables times `scale`, a row of all of them for each head.
void fill_columns(const PointerTask& t, std::span<const RelationViews> relations, double scale, float* columns) {
  for (std::size_t r = 0; r < relations.size(); ++r)
    for (std::int64_t i = 0; i < relations[r].table.elements(); ++i)
      columns[i % t.heads * t.rows + t.relations[r].first + i / t.heads] = relations[r].table.as<float>()[i] * static_cast<float>(scale);
}

}  // namespace
}  // namespace chronotope::onednn

namespace chronotope {
using namespace onednn;

bool onednn_backend::try_pointer_scores(stream& s, const View& out, const View& content, std::span<const RelationViews> relations, double scale,
                                        double bias_scale) {
  auto task = pointer_task(out, content, relations, scale);
  if (!task) return false;
  float* columns = s.impl().floats(Slot::networks, task->heads * task->rows);
  fill_columns(*task, relations, bias_scale, columns);
  task->columns = columns;
  parallel(s.impl(), task->sequences * task->chunks(), content.elements(), [&](std::int64_t begin, std::int64_t end, int) {
    HWY_DYNAMIC_DISPATCH(score_chunks)(*task, begin, end);
  });
  return true;
}

bool onednn_backend::try_pointer_scores_backward(stream& s, const View& dcontent, const View& dout, std::span<const RelationViews> gradients,
                                                 double scale, double bias_scale) {
  const auto task = pointer_task(dcontent, dout, gradients, scale);
  if (!task) return false;
  const std::int64_t heads = task->padded_heads(), width = task->rows * heads, chunk = PointerTask::chunk * heads;
  const std::int64_t items = task->sequences * task->chunks();
  const int parts = part_count(s.impl(), items);
  double* sums = s.impl().doubles(Slot::partial, parts * width);
  double* memory = s.impl().doubles(Slot::networks, parts * chunk);
  std::fill_n(sums, parts * width, 0.0);
  std::fill_n(memory, parts * chunk, 0.0);  // heads that fill up a block are added too
  parallel(s.impl(), items, dout.elements(), [&](std::int64_t begin, std::int64_t end, int part) {
    HWY_DYNAMIC_DISPATCH(backward_chunks)(*task, begin, end, sums + part * width, memory + part * chunk);
  });
  for (std::int64_t i = width; i < parts * width; ++i) sums[i % width] += sums[i];
  for (std::size_t r = 0; r < gradients.size(); ++r)
    for (std::int64_t i = 0; i < gradients[r].table.elements(); ++i) {
      const std::int64_t row = task->relations[r].first + i / task->heads;
      gradients[r].table.as<float>()[i] = static_cast<float>(bias_scale * sums[row * heads + i % task->heads]);
    }
  return true;
}

}  // namespace chronotope
#endif
