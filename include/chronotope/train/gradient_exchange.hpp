#pragma once
// Gradients of processes that train together become their sum. Dense ones travel in buckets, each as soon as the backward pass is done with the last of
// its gradients (Li et al. 2020, "PyTorch Distributed"); those of embedding tables as rows.

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "chronotope/autograd/parameter.hpp"
#include "chronotope/autograd/watch.hpp"
#include "chronotope/ops/shape.hpp"
#include "chronotope/train/communicator.hpp"
#include "chronotope/train/packed.hpp"
#include "chronotope/train/row_gradients.hpp"

namespace chronotope {

/// All processes make one over equal parameters in equal order. What ends in a bucket is found out: a parameter gets its place when it first has a
/// dense gradient anywhere, so nothing overlaps in the first step.
template <Backend B> class GradientExchange {
 public:
  static constexpr std::int64_t usual_bucket = std::int64_t{1} << 20;  // elements: long enough to be worth a message, short enough for several

  GradientExchange(AnyCommunicator<B> ranks, const std::vector<std::pair<std::string, Parameter<B>>>& parameters, std::int64_t bucket = usual_bucket)
      : ranks_(std::move(ranks)), most_(bucket) {
    for (const auto& [path, parameter] : parameters) {
      slot_of_.emplace(&parameter.gradient(), slots_.size());
      slots_.push_back({parameter});
    }
  }

  /// To be called before the last backward(loss) of a step: buckets leave during it.
  void watch(const Tensor<B>& loss) {
    watch_leaves<B>(loss, [this](Node<B>& leaf) { arrived(leaf); });
  }

  /// To be called by every process once a step, even by one that had nothing to do: all parameters then have the gradients of all.
  void finish() {
    const NoGrad no_grad;
    for (Slot& slot : slots_)
      if (slot.bucket >= 0 && !slot.piece.defined()) put(slot);
    const std::vector<RowsOf> rows = own_rows();
    const std::vector<std::vector<Told>> told = tell(rows);
    plan_buckets(told);
    for (Bucket& bucket : buckets_) bucket.sum->wait();
    for (std::size_t i = 0; i < slots_.size(); ++i) hand_out(slots_[i], told, i);
    for (Bucket& bucket : buckets_) bucket.flat = {}, bucket.sum.reset(), bucket.missing = bucket.members;
    started_ = 0;
    exchange_ids_and_rows(rows, told);
  }

  /// Parameters by bucket, for tests.
  std::vector<std::int64_t> buckets() const {
    std::vector<std::int64_t> members;
    for (const Bucket& bucket : buckets_) members.push_back(bucket.members);
    return members;
  }

 private:
  using RowsOf = typename Gradient<B>::Rows;

  struct Slot {
    Parameter<B> parameter;
    int bucket = -1;          ///< none yet
    std::int64_t offset = 0;  ///< in the bucket
    Tensor<B> piece = {};     ///< of the bucket in this step, once the gradient is there
    bool given = false;       ///< this process had a dense gradient for it
  };
  struct Bucket {
    DType dtype;
    std::int64_t elements = 0, members = 0, missing = 0;
    Tensor<B> flat = {};
    std::unique_ptr<Transfer> sum = {};
  };
  /// What a process has for a parameter in this step.
  struct Told {
    bool dense = false, rows = false;
    std::int64_t count = 0;  ///< rows
  };

  void arrived(Node<B>& leaf) {
    const auto found = slot_of_.find(leaf.leaf.get());
    if (found == slot_of_.end() || slots_[found->second].bucket < 0) return;
    Slot& slot = slots_[found->second];
    const bool pending = leaf.pending.defined();
    if (pending) detail::collect(leaf);  // to what earlier passes of the step left
    put(slot);
    if (pending) leaf.pending = slot.piece;
  }

  /// Moves a gradient, or zeros, into its bucket; sends what is complete. Buckets leave in their order, which is the same everywhere.
  void put(Slot& slot) {
    Bucket& bucket = buckets_[static_cast<std::size_t>(slot.bucket)];
    const Tensor<B>& value = slot.parameter.value();
    if (!bucket.flat.defined()) bucket.flat = Tensor<B>(value.state(), {bucket.elements}, bucket.dtype);
    slot.piece = bucket.flat.alias(value.shape(), contiguous_strides(value.shape()), slot.offset);
    Tensor<B>& dense = slot.parameter.gradient().dense;
    slot.given = dense.defined();
    if (!slot.given) B::fill(value.stream(), slot.piece.view(), 0);
    else if (value.elements()) B::copy(value.stream(), slot.piece.view(), dense.view());
    dense = {};
    --bucket.missing;
    for (; started_ < buckets_.size() && buckets_[started_].missing == 0; ++started_) buckets_[started_].sum = ranks_.sum(buckets_[started_].flat);
    for (std::size_t i = 0; i < started_; ++i) buckets_[i].sum->advance();
  }

  std::vector<RowsOf> own_rows() const {
    std::vector<RowsOf> rows(slots_.size());
    for (std::size_t i = 0; i < slots_.size(); ++i)
      if (const Gradient<B>& g = slots_[i].parameter.gradient(); !g.rows.empty()) rows[i] = merged_rows(g, slots_[i].parameter.value());
    return rows;
  }

  /// What each process has, by rank and parameter.
  std::vector<std::vector<Told>> tell(const std::vector<RowsOf>& rows) {
    Packer mine;
    for (std::size_t i = 0; i < slots_.size(); ++i)
      mine << (slots_[i].given || slots_[i].parameter.gradient().dense.defined()) << rows[i].ids.defined() << (rows[i].ids.defined() ? rows[i].ids.elements() : 0);
    std::vector<std::vector<Told>> all;
    for (const std::string& bytes : ranks_.gather(mine.bytes())) {
      Unpacker from(bytes);
      std::vector<Told>& told = all.emplace_back(slots_.size());
      for (Told& t : told) t.dense = from.template take<bool>(), t.rows = from.template take<bool>(), t.count = from.template take<std::int64_t>();
    }
    return all;
  }

  static bool anyone(const std::vector<std::vector<Told>>& told, std::size_t i, bool Told::* what) {
    return std::any_of(told.begin(), told.end(), [&](const std::vector<Told>& process) { return process[i].*what; });
  }

  /// Parameters that have a dense gradient for the first time get a place, those used last first, and their gradients leave.
  void plan_buckets(const std::vector<std::vector<Told>>& told) {
    std::vector<std::size_t> fresh;
    for (std::size_t i = slots_.size(); i-- > 0;)
      if (slots_[i].bucket < 0 && anyone(told, i, &Told::dense)) fresh.push_back(i);
    const std::size_t before = buckets_.size();
    for (const std::size_t i : fresh) place(slots_[i], before);
    for (const std::size_t i : fresh) put(slots_[i]);
  }

  void place(Slot& slot, std::size_t first) {
    const Tensor<B>& value = slot.parameter.value();
    if (buckets_.size() == first || buckets_.back().dtype != value.dtype() || buckets_.back().elements + value.elements() > most_) buckets_.push_back({value.dtype()});
    Bucket& bucket = buckets_.back();
    slot.bucket = static_cast<int>(buckets_.size() - 1), slot.offset = bucket.elements;
    bucket.elements += value.elements(), ++bucket.members, ++bucket.missing;
  }

  void hand_out(Slot& slot, const std::vector<std::vector<Told>>& told, std::size_t i) {
    if (slot.bucket < 0) return;
    slot.parameter.gradient().dense = anyone(told, i, &Told::dense) ? slot.piece : Tensor<B>();
    slot.piece = {}, slot.given = false;
  }

  /// All tables' ids in one message, all their rows in one more for each dtype. A table's gradient then has the rows of each process, in the order of ranks.
  void exchange_ids_and_rows(const std::vector<RowsOf>& rows, const std::vector<std::vector<Told>>& told) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      std::vector<std::size_t> tables;
      for (std::size_t i = 0; i < slots_.size(); ++i)
        if (slots_[i].parameter.value().dtype() == dtype && anyone(told, i, &Told::rows)) tables.push_back(i);
      if (tables.empty()) continue;
      std::vector<Tensor<B>> ids, values;
      for (const std::size_t i : tables)
        if (rows[i].ids.defined() && rows[i].ids.elements()) ids.push_back(rows[i].ids), values.push_back(reshape(rows[i].rows, {rows[i].rows.elements()}));
      const auto width = [&](std::size_t i) { return slots_[i].parameter.value().elements() / slots_[i].parameter.value().size(0); };
      const auto all_ids = gather_parts(ids, DType::i32, tables, told, [](std::size_t) { return std::int64_t{1}; });
      const auto all_values = gather_parts(values, dtype, tables, told, width);
      for (const std::size_t i : tables) slots_[i].parameter.gradient().rows.clear();
      for (std::size_t r = 0; r < told.size(); ++r) take_rows(tables, told[r], all_ids[r], all_values[r]);
    }
  }

  /// `parts`, one behind another, of all processes; `width` values of them belong to a row.
  template <class W>
  std::vector<Tensor<B>> gather_parts(const std::vector<Tensor<B>>& parts, DType dtype, const std::vector<std::size_t>& tables, const std::vector<std::vector<Told>>& told, W width) {
    std::vector<std::int64_t> lengths;
    for (const std::vector<Told>& process : told) {
      lengths.push_back(0);
      for (const std::size_t i : tables) lengths.back() += process[i].count * width(i);
    }
    return ranks_.gather(parts.empty() ? Tensor<B>(slots_[0].parameter.value().state(), {0}, dtype) : concat(parts, 0), lengths);
  }

  void take_rows(const std::vector<std::size_t>& tables, const std::vector<Told>& told, const Tensor<B>& ids, const Tensor<B>& values) {
    std::int64_t id = 0, value = 0;
    for (const std::size_t i : tables) {
      Shape shape = slots_[i].parameter.shape();
      shape[0] = told[i].count;
      slots_[i].parameter.gradient().rows.push_back({ids.alias({told[i].count}, {1}, id), values.alias(shape, contiguous_strides(shape), value)});
      id += told[i].count, value += shape.elements();
    }
  }

  AnyCommunicator<B> ranks_;
  std::int64_t most_;
  std::vector<Slot> slots_;
  std::unordered_map<const Gradient<B>*, std::size_t> slot_of_;
  std::vector<Bucket> buckets_;
  std::size_t started_ = 0;  ///< buckets that have left in this step
};

}  // namespace chronotope
