#pragma once
// What can be trained: the samples of an epoch, and the loss of some of them. One trainer serves every system.

#include <concepts>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "chronotope/nn/module.hpp"

namespace chronotope {

/// The loss of some samples: a sum, so that every target of a step weighs the same however it was cut into passes.
template <Backend B> struct TaskLoss {
  Tensor<B> sum;             ///< a scalar f32, in nats; undefined when nothing was asked for
  std::int64_t targets = 0;  ///< how many losses were added
  std::int64_t inputs = 0;   ///< what was read for them: actions of windows, samples of a click log
  std::vector<std::pair<std::string, Tensor<B>>> measures = {};  ///< for the log, means over the targets: scalars f32, without a gradient
};

///   samples(epoch)   what the epoch asks for, in its order; by the epoch's number alone, so that a resumed epoch is the same
///   loss(samples)    of a part of them, at most training.batch. Reads nothing from the device where training.graphs is to be had
///   model()          whose parameters are trained
template <class T>
concept TrainingTask = requires(T& task, std::uint64_t epoch, std::span<const typename T::Sample> samples) {
  requires Backend<typename T::backend>;
  { task.samples(epoch) } -> std::same_as<std::vector<typename T::Sample>>;
  { task.loss(samples) } -> std::same_as<TaskLoss<typename T::backend>>;
  requires Module<std::remove_reference_t<decltype(task.model())>>;
};

/// A task whose epochs differ in length; others have as many samples in every epoch as in the first.
template <class T>
concept UnevenTask = TrainingTask<T> && requires(const T& task, std::uint64_t epoch) {
  { task.sample_count(epoch) } -> std::same_as<std::int64_t>;
};

/// A task that can make the batch of samples it will be asked for next while others compute. What it then says of them is the
/// same to the bit.
template <class T>
concept PreparingTask = TrainingTask<T> && requires(T& task, std::span<const typename T::Sample> next) { task.prepare(next); };

}  // namespace chronotope
