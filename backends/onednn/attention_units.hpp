#pragma once
// What the attention kernels are given: strided heads, and how (sequence, head) units are divided among threads.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "stream.hpp"

namespace chronotope::onednn {

/// A tensor [rows, H, D] whose last axis is dense.
struct Heads {
  float* data = nullptr;
  std::int64_t row_stride = 0, head_stride = 0;
  float* at(std::int64_t row, std::int64_t head) const { return data + row * row_stride + head * head_stride; }
  Heads from(std::int64_t row, std::int64_t head) const { return {at(row, head), row_stride, head_stride}; }
};

/// Hands out pieces of scratch memory. Without memory it only counts, so that sizes and pieces cannot disagree.
class Arena {
 public:
  explicit Arena(float* base = nullptr) : base_(base) {}
  float* take(std::int64_t floats) {
    const std::int64_t offset = used_;
    used_ += (floats + 15) / 16 * 16;
    return base_ ? base_ + offset : nullptr;
  }
  template <class T> T* take_as(std::int64_t count) {
    return reinterpret_cast<T*>(take((count * static_cast<std::int64_t>(sizeof(T)) + 3) / 4));
  }
  std::int64_t used() const { return used_; }

 private:
  float* base_;
  std::int64_t used_ = 0;
};

/// The tensor if it is f32 [rows, heads, dim] with a dense last axis.
std::optional<Heads> heads_of(const View& view, std::int64_t rows, std::int64_t heads, std::int64_t dim);

/// A query and its keys: the first `seen` of the root, then those of its branch, `own_begin` … `own_end` - 1 of the
/// sequence's list of branches' keys; none for a query of the root.
struct Query {
  std::int32_t index;  ///< among the queries of the layout
  std::int32_t seen, own_begin, own_end;
};

/// A key of a branch, and the first query of that branch, counted in the sequence.
struct OwnKey {
  std::int32_t token, query;
};

/// A root and its branches. Queries ascend in the root's keys that they see; those of a branch are neighbours, and the
/// branches' keys, up to the last one that asks, are in the same order.
struct Sequence {
  std::int64_t token, visible;     ///< first token of the root, how many of its tokens some query sees
  Query* queries;
  std::int64_t query_count;
  const OwnKey* own;
  std::int64_t own_count;
  std::int64_t cost_before, cost;  ///< of one head, in pairs of query and key
};

/// The sequences of a layout and the division of their heads among threads. A unit (sequence, head) belongs to one
/// thread, so sums over queries are in one order whatever the number of threads.
class AttentionPlan {
 public:
  /// Keeps its lists in Slot::attention_2. Throws ShapeError when the layout breaks the rules of AttentionLayout.
  AttentionPlan(Impl& impl, const AttentionLayout& layout, std::int64_t tokens, std::int64_t heads);

  /// Calls f(sequence, first head, end of heads) for the units of one thread: those that begin in its share of cost.
  template <class F>
  void units(int part, int parts, F&& f) const {
    const std::int64_t low = total_cost() * part / parts, high = total_cost() * (part + 1) / parts;
    for (const Sequence* s = sequences_; s != sequences_ + count_; ++s) {
      const std::int64_t first = first_head(*s, low), end = first_head(*s, high);
      if (first < end) f(*s, first, end);
    }
  }
  std::int64_t total_cost() const { return cost_ * heads_; }

  /// Tokens that no query sees.
  std::span<const std::int32_t> unseen() const { return {unseen_, static_cast<std::size_t>(unseen_count_)}; }

 private:
  std::int64_t first_head(const Sequence& s, std::int64_t cost) const {
    return std::clamp<std::int64_t>((cost - s.cost_before * heads_ + s.cost - 1) / s.cost, 0, heads_);
  }

  Sequence* sequences_ = nullptr;
  std::int32_t* unseen_ = nullptr;
  std::int64_t count_ = 0, unseen_count_ = 0, heads_, cost_ = 0;
};

/// A thread takes as many heads at a time as keep its packed operands within the L2 cache: heads are neighbours in
/// memory, and reading one head alone would touch each token's page for less than two cache lines.
constexpr std::int64_t heads_at_a_time(std::int64_t floats_per_head, std::int64_t heads) {
  return std::clamp<std::int64_t>((std::int64_t{1} << 18) / floats_per_head, 1, heads);
}

/// Everything the kernels read and write; `grad` members only in the backward pass.
struct AttentionTask {
  const AttentionPlan* plan = nullptr;
  std::int64_t heads = 0, dim = 0;
  float scale = 1;
  Heads q, k, v, out;
  float* lse = nullptr;  ///< [Q, H]
  Heads grad_q, grad_k, grad_v, grad_out;
};

}  // namespace chronotope::onednn
