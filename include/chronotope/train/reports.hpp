#pragma once
// What a training reports while it goes on, and how processes that train together come to one report.

#include <optional>
#include <utility>

#include "chronotope/train/communicator.hpp"
#include "chronotope/train/packed.hpp"

namespace chronotope {

using Measures = std::vector<std::pair<std::string, double>>;

/// What just happened in one step.
struct StepReport {
  std::int64_t epoch = 0, step = 0, steps_in_epoch = 0, steps = 0;
  double loss = 0;         ///< mean -log p of the step's targets, nats
  double rate = 0;         ///< learning rate used
  double norm = 0;         ///< gradient norm before clipping
  double seconds = 0;      ///< wall time of the step
  std::int64_t inputs = 0, targets = 0;  ///< as in TaskLoss
  Measures measures = {};  ///< as in TaskLoss, over the step's targets
};

/// What the present weights are worth on validation data.
struct Validation {
  double score = 0;   ///< decides which epoch is best; larger is better
  Measures measures;  ///< by name, for people and logs
};

namespace detail {

inline void pack(Packer& to, const Measures& measures) {
  to << measures.size();
  for (const auto& [name, value] : measures) to << name << value;
}
inline Measures unpack_measures(Unpacker& from) {
  Measures measures(from.take<std::size_t>());
  for (auto& [name, value] : measures) name = from.text(), value = from.take<double>();
  return measures;
}

/// Adds to the sums of a step those of another process.
inline void add(StepReport& report, Unpacker& from) {
  report.loss += from.take<double>();
  report.inputs += from.take<std::int64_t>(), report.targets += from.take<std::int64_t>();
  const Measures more = unpack_measures(from);
  if (report.measures.empty()) report.measures.resize(more.size());
  for (std::size_t i = 0; i < more.size(); ++i) report.measures[i].first = more[i].first, report.measures[i].second += more[i].second;
}

/// The sums of a step over all processes, added in the order of ranks; returns the largest of their `counter`s.
template <Backend B> std::uint64_t add_up(AnyCommunicator<B>& ranks, StepReport& report, std::uint64_t counter) {
  Packer mine;
  mine << counter << report.loss << report.inputs << report.targets;
  pack(mine, report.measures);
  report.loss = 0, report.inputs = 0, report.targets = 0, report.measures.clear();
  for (const std::string& bytes : ranks.gather(mine.bytes())) {
    Unpacker from(bytes);
    counter = std::max(counter, from.take<std::uint64_t>());
    add(report, from);
  }
  return counter;
}

/// What the first process says.
template <Backend B> std::optional<Validation> of_first(AnyCommunicator<B>& ranks, const std::optional<Validation>& validation) {
  Packer mine;
  mine << validation.has_value();
  if (validation) mine << validation->score, pack(mine, validation->measures);
  const std::vector<std::string> all = ranks.gather(mine.bytes());
  Unpacker from(all.front());
  if (!from.take<bool>()) return {};
  const auto score = from.take<double>();
  return Validation{score, unpack_measures(from)};
}

}  // namespace detail
}  // namespace chronotope
