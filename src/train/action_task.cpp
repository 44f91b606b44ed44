#include "chronotope/train/action_task.hpp"

namespace chronotope {

std::vector<ActionWindow> pretraining_samples(const ActionHistories& h, const CurriculumOptions& o, std::int64_t until, std::uint64_t epoch) {
  const auto windows = [&](SequenceSet set, std::uint64_t pass) {
    std::vector<ActionWindow> some = sequence_windows(h, set, o.length, until, o.seed, pass);
    if (some.empty()) some = sequence_windows(h, SequenceSet::single, o.length, until, o.seed, pass);
    shuffle(some, ~o.seed, pass);  // not the stream of the cuts
    return some;
  };
  const auto epochs = static_cast<std::uint64_t>(o.epochs);
  std::vector<ActionWindow> samples;
  for (std::uint64_t pass = 2 * epoch; pass < 2 * epoch + 2; ++pass) {
    const bool multi = o.curriculum ? pass >= epochs : pass % 2 == 1;
    const auto some = windows(multi ? SequenceSet::multi : SequenceSet::single, pass);
    samples.insert(samples.end(), some.begin(), some.end());
  }
  if (!o.curriculum) shuffle(samples, ~o.seed, 2 * epochs + epoch);
  return samples;
}

}  // namespace chronotope
