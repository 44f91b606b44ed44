#pragma once
// Training a click model on the samples of a log.

#include <future>

#include "chronotope/components/click_concepts.hpp"
#include "chronotope/components/click_tasks.hpp"
#include "chronotope/core/shuffle.hpp"
#include "chronotope/data/click_batcher.hpp"
#include "chronotope/train/task.hpp"

namespace chronotope {

/// A PreparingTask. Keeps references: context, model and batcher must outlive it. Holds the numbers of all training samples,
/// 8 bytes each.
template <ClickPredictor M> class ClickTask {
 public:
  using backend = typename M::backend;
  using Sample = std::uint64_t;

  /// `samples` are numbers of samples of the batcher's log; `threads` build batches. `shuffle_block` above 0: an epoch's order is
  /// drawn by shuffle_in_blocks, for logs larger than memory.
  ClickTask(Context<backend>& context, M& model, const ClickBatcher& batcher, std::vector<std::uint64_t> samples,
            const ClickTasks& tasks, std::uint64_t seed, int threads, std::int64_t shuffle_block = 0)
      : context_(context), model_(model), batcher_(batcher), samples_(std::move(samples)), tasks_(tasks), seed_(seed), threads_(threads),
        shuffle_block_(static_cast<std::size_t>(shuffle_block)) {}

  M& model() { return model_; }

  /// All samples, shuffled anew each epoch. O(samples).
  std::vector<std::uint64_t> samples(std::uint64_t epoch) const {
    std::vector<std::uint64_t> order = samples_;
    if (shuffle_block_) shuffle_in_blocks(order, shuffle_block_, seed_, epoch);
    else shuffle(order, seed_, epoch);
    return order;
  }

  ClickTask(const ClickTask&) = delete;  // the thread that prepares holds on to it

  /// Begins to make the batch of `next` on other threads.
  void prepare(std::span<const std::uint64_t> next) {
    drop_prepared();
    prepared_for_.assign(next.begin(), next.end());
    if (!next.empty()) prepared_ = std::async(std::launch::async, [this] { batcher_.make(prepared_for_, next_, threads_); });
  }

  TaskLoss<backend> loss(std::span<const std::uint64_t> some) {
    if (some.empty()) return {};
    make_batch(some);
    const auto n = static_cast<std::int64_t>(some.size());
    const Tensor<backend> logits = model_.logits(context_, batch_);
    return {tasks_.loss(logits, tasks_.labels(logits, batch_)) * static_cast<double>(n), n, n};
  }

 private:
  void make_batch(std::span<const std::uint64_t> some) {
    if (!prepared_.valid() || !std::equal(some.begin(), some.end(), prepared_for_.begin(), prepared_for_.end())) {
      drop_prepared();
      batcher_.make(some, batch_, threads_);
      return;
    }
    prepared_.get();  // throws what making it threw
    std::swap(batch_, next_);
  }
  void drop_prepared() {
    if (prepared_.valid()) prepared_.wait(), prepared_ = {};
  }

  Context<backend>& context_;
  M& model_;
  const ClickBatcher& batcher_;
  std::vector<std::uint64_t> samples_;
  ClickTasks tasks_;
  std::uint64_t seed_;
  int threads_;
  std::size_t shuffle_block_;
  ClickBatch batch_, next_;  ///< filled anew for each step, their memory kept
  std::vector<std::uint64_t> prepared_for_;
  std::future<void> prepared_;  ///< last: it is waited for before what it fills goes
};

}  // namespace chronotope
