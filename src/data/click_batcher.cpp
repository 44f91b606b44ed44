#include "chronotope/data/click_batcher.hpp"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

/// How many searches of one list are remembered.
std::size_t memory_of_searches(std::size_t kept) { return std::clamp<std::size_t>(65'536 / kept, 1, 64); }

template <class Column> const Column* find_column(const std::vector<Column>& columns, const std::string& name) {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

// Every one is there: check_schema has looked.
template <class Wanted, class Column> std::vector<Column> pick(const std::vector<Wanted>& schema, const std::vector<Column>& columns) {
  std::vector<Column> picked;
  for (const Wanted& wanted : schema) picked.push_back(*find_column(columns, wanted.name));
  return picked;
}

void check_soft(const BatchRules& rules, const IdColumn& column) {
  const EmbeddingRows& rows = rules.soft_rows;
  if (rows.width < 1) throw ConfigError("click batches: a soft search needs embeddings; soft_rows have width " + std::to_string(rows.width));
  if (rows.values.size() != static_cast<std::size_t>(rows.width) * static_cast<std::size_t>(column.rows))
    throw ShapeError("[click batches] soft_rows hold " + std::to_string(rows.values.size()) + " values; column \"" + column.name + "\" needs " +
                     std::to_string(column.rows) + " rows of " + std::to_string(rows.width));
}

/// The group of each material; -1 is equal to nothing.
using Groups = std::array<int, review_materials>;

Groups groups_of(const GroupTable& groups, const Moments& at, std::size_t i) {
  return {groups.hour(at.hour[i]), groups.weekday(at.weekday[i]), groups.geohash(at.geohash[i])};
}

}  // namespace

/// Fills samples of a batch, one after another, with memory of its own that is made once: filling throws nothing.
class ClickBatcher::Worker {
 public:
  Worker(const ClickBatcher& of, ClickBatch& batch) : of_(of), log_(of.log_), batch_(batch), k_(static_cast<std::size_t>(of.rules_.kept)) {
    keys_.reserve(memory_of_searches(k_));
    found_.resize(memory_of_searches(k_) * k_);
    if (of.rules_.search == Search::soft) scratch_.reserve(k_);
  }

  void fill(std::size_t b, std::size_t sample) {
    fill_request(b, sample);
    const std::span<const std::size_t> kept = search(sample);
    const std::size_t begin = b * k_, padding = k_ - kept.size();
    fill_moments(begin, padding, kept, sample);
    for (std::size_t c = 0; c < of_.behaviour_ids_.size(); ++c)
      gather(of_.behaviour_ids_[c].values, kept, batch_.behaviour_ids[c].data() + begin, padding, 1);
    const std::size_t columns = of_.behaviour_numbers_.size();
    for (std::size_t c = 0; c < columns; ++c)
      gather(of_.behaviour_numbers_[c].values, kept, batch_.behaviour_numbers.data() + begin * columns + c, padding, columns);
    fill_review(b, padding, kept, sample);
  }

 private:
  void fill_request(std::size_t b, std::size_t sample) {
    batch_.click[b] = log_.click[sample];
    if (of_.conversion_) batch_.conversion[b] = log_.conversion[sample];
    batch_.hour[b] = log_.at.hour[sample];
    batch_.weekday[b] = log_.at.weekday[sample];
    batch_.holiday[b] = of_.rules_.holidays.contains(log_.at.time[sample]);
    for (std::size_t c = 0; c < of_.ids_.size(); ++c) batch_.ids[c][b] = of_.ids_[c].values[sample];
    const std::size_t columns = of_.numbers_.size();
    for (std::size_t c = 0; c < columns; ++c) batch_.numbers[b * columns + c] = of_.numbers_[c].values[sample];
  }

  /// Indices in the list of the sample. What was found for the same list and key is found again.
  std::span<const std::size_t> search(std::size_t sample) {
    const std::uint64_t first = log_.first[sample], last = log_.last[sample];
    const std::int32_t key = of_.rules_.search == Search::recent ? 0 : of_.sample_key_.values[sample];
    if (first != first_ || last != last_) keys_.clear(), first_ = first, last_ = last;
    const std::size_t n = std::min(k_, static_cast<std::size_t>(last - first));
    base_ = first;
    std::size_t at = static_cast<std::size_t>(std::find(keys_.begin(), keys_.end(), key) - keys_.begin());
    if (at == keys_.size()) {
      if (at == memory_of_searches(k_)) keys_.clear(), at = 0;
      keys_.push_back(key);
      run_search(key, std::span(found_).subspan(at * k_, k_));
    }
    return std::span(found_).subspan(at * k_, n);
  }

  void run_search(std::int32_t key, std::span<std::size_t> kept) {
    const auto size = static_cast<std::size_t>(last_ - first_);
    if (of_.rules_.search == Search::recent) {
      search_recent(size, kept);
      return;
    }
    const std::span<const std::int32_t> list = of_.behaviour_key_.values.subspan(first_, size);
    if (of_.rules_.search == Search::hard) search_hard(list, key, kept);
    else search_soft(list, key, of_.rules_.soft_rows, kept, scratch_);
  }

  /// Values of the kept behaviours to every `step`th place, zeros before them.
  template <class From, class To> void gather(std::span<const From> from, std::span<const std::size_t> kept, To* to, std::size_t padding, std::size_t step) const {
    for (std::size_t i = 0; i < padding; ++i) to[i * step] = To{};
    for (std::size_t i = 0; i < kept.size(); ++i) to[(padding + i) * step] = static_cast<To>(from[base_ + kept[i]]);
  }

  void fill_moments(std::size_t begin, std::size_t padding, std::span<const std::size_t> kept, std::size_t sample) {
    const Moments& at = log_.behaviours.at;
    gather(at.hour, kept, batch_.behaviour_hour.data() + begin, padding, 1);
    gather(at.weekday, kept, batch_.behaviour_weekday.data() + begin, padding, 1);
    std::uint8_t* const valid = batch_.valid.data() + begin;
    std::fill(valid, valid + padding, std::uint8_t{0});
    std::fill(valid + padding, valid + k_, std::uint8_t{1});
    float* age = batch_.age.data() + begin;
    age = std::fill_n(age, padding, 0.f);
    for (const std::size_t index : kept) *age++ = static_cast<float>(static_cast<double>(log_.at.time[sample] - at.time[base_ + index]) / 86'400);
  }

  void fill_review(std::size_t b, std::size_t padding, std::span<const std::size_t> kept, std::size_t sample) {
    std::uint8_t* const review = batch_.review.data() + b * review_materials * k_;
    std::fill(review, review + review_materials * k_, std::uint8_t{0});
    const Groups request = groups_of(of_.rules_.groups, log_.at, sample);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      const Groups group = groups_of(of_.rules_.groups, log_.behaviours.at, base_ + kept[i]);
      for (std::size_t m = 0; m < group.size(); ++m) review[m * k_ + padding + i] = group[m] == request[m] && group[m] >= 0;
    }
  }

  const ClickBatcher& of_;
  const ClickLog& log_;
  ClickBatch& batch_;
  std::size_t k_, base_ = 0;
  std::uint64_t first_ = 0, last_ = 0;  // the list that keys_ were searched in
  std::vector<std::int32_t> keys_;
  std::vector<std::size_t> found_;  // [keys, k]
  std::vector<ScoredBehaviour> scratch_;
};

ClickBatcher::ClickBatcher(ClickLog log, const ClickSchema& schema, BatchRules rules)
    : log_(std::move(log)), rules_(std::move(rules)), conversion_(schema.conversion) {
  if (rules_.kept < 1 || rules_.kept > 100'000) throw ConfigError("click batches: kept = " + std::to_string(rules_.kept) + " is out of range: 1 to 100000");
  check_schema(schema, log_);
  ids_ = pick(schema.ids, log_.ids);
  numbers_ = pick(schema.numbers, log_.numbers);
  behaviour_ids_ = pick(schema.behaviour_ids, log_.behaviours.ids);
  behaviour_numbers_ = pick(schema.behaviour_numbers, log_.behaviours.numbers);
  if (rules_.search == Search::recent) return;
  const std::string key = rules_.search == Search::hard ? "category" : rules_.soft_column;
  sample_key_ = log_.id_column(key);
  const IdColumn* const behaviours = find_column(log_.behaviours.ids, key);
  if (!behaviours) throw DataError("click batches: behaviours have no id column \"" + key + "\" to search by");
  behaviour_key_ = *behaviours;
  if (rules_.search == Search::soft) check_soft(rules_, behaviour_key_);
}

void ClickBatcher::resize(ClickBatch& batch, std::size_t samples) const {
  const std::size_t all = samples * static_cast<std::size_t>(rules_.kept);
  batch.samples = static_cast<std::int64_t>(samples), batch.kept = rules_.kept, batch.materials = review_materials;
  batch.click.resize(samples);
  batch.conversion.resize(conversion_ ? samples : 0);
  for (auto* values : {&batch.hour, &batch.weekday}) values->resize(samples);
  batch.holiday.resize(samples);
  batch.ids.resize(ids_.size());
  for (auto& values : batch.ids) values.resize(samples);
  batch.numbers.resize(samples * numbers_.size());
  batch.valid.resize(all);
  for (auto* values : {&batch.behaviour_hour, &batch.behaviour_weekday}) values->resize(all);
  batch.behaviour_ids.resize(behaviour_ids_.size());
  for (auto& values : batch.behaviour_ids) values.resize(all);
  batch.behaviour_numbers.resize(all * behaviour_numbers_.size());
  batch.age.resize(all);
  batch.review.resize(all * review_materials);
}

ClickBatch ClickBatcher::make(std::span<const std::uint64_t> samples, int threads) const {
  ClickBatch batch;
  make(samples, batch, threads);
  return batch;
}

void ClickBatcher::make(std::span<const std::uint64_t> samples, ClickBatch& batch, int threads) const {
  if (threads < 1 || threads > 1024) throw ConfigError("click batches: threads = " + std::to_string(threads) + " is out of range: 1 to 1024");
  for (const std::uint64_t sample : samples)
    if (sample >= log_.size()) throw DataError("click batches: there is no sample " + std::to_string(sample) + "; the log has " + std::to_string(log_.size()));
  resize(batch, samples.size());
  const std::size_t parts = std::max<std::size_t>(1, std::min(static_cast<std::size_t>(threads), samples.size()));
  std::vector<Worker> workers;
  workers.reserve(parts);
  for (std::size_t part = 0; part < parts; ++part) workers.emplace_back(*this, batch);
  const auto work = [&](std::size_t part) {
    for (std::size_t b = samples.size() * part / parts; b < samples.size() * (part + 1) / parts; ++b) workers[part].fill(b, samples[b]);
  };
  std::vector<std::jthread> others;  // joined even when starting one of them fails
  for (std::size_t part = 1; part < parts; ++part) others.emplace_back(work, part);
  work(0);
}

std::vector<std::uint64_t> samples_of(const ClickLog& log, Split split) {
  std::vector<std::uint64_t> samples;
  for (std::size_t i = 0; i < log.size(); ++i)
    if (log.split[i] == split) samples.push_back(i);
  return samples;
}

}  // namespace chronotope
