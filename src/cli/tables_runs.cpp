#include "cli/tables_runs.hpp"

#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "chronotope/core/shuffle.hpp"
#include "cli/progress.hpp"
#include "core/fingerprint.hpp"

namespace chronotope::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t mixture_targets = 500;  // of validation: what the counters' mixture is fitted to
constexpr std::size_t latest_most = 5;         // the paper's number of latest actions (5.1.3)
constexpr std::int64_t longest_list = 50;      // of Figure 4

/// Of a file's bytes; 0 for none.
std::uint64_t file_fingerprint(const std::string& path) {
  if (path.empty()) return 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw FileError("cannot read " + path);
  Fingerprint hash;
  std::vector<char> bytes(1 << 20);
  while (file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())) || file.gcount() > 0) hash.add(std::span<const char>(bytes.data(), static_cast<std::size_t>(file.gcount())));
  return hash.value();
}

std::string made_folder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw FileError(folder + ": the folder cannot be made: " + error.message());
  return folder;
}

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "%016" PRIx64, value);
  return text;
}

/// A folder is of one fingerprint, which is written before anything else.
void claim(const std::string& folder, const std::string& fingerprint) {
  const std::string path = made_folder(folder) + "/made_of.txt";
  std::ifstream file(path);
  std::string there;
  if (!(file >> there)) {
    if (has_checkpoint(folder, last_checkpoint)) throw ConfigError(folder + " holds a training that chronotope tables did not make: choose another --out");
    return write_file_atomically(path, fingerprint + "\n");
  }
  if (there != fingerprint) throw ConfigError(folder + " was made with another config or other data: remove it, or choose another --out");
}

PlaceLists numbers(const std::vector<std::vector<GeneratedPlace>>& lists) {
  PlaceLists all;
  for (const auto& list : lists) {
    all.emplace_back();
    for (const GeneratedPlace& g : list) all.back().push_back(g.place);
  }
  return all;
}

std::string count_text(std::int64_t most) { return most > 0 ? std::to_string(most) : "all"; }

}  // namespace

struct TableRuns::Counting {
  ActionCounters counters;
  ActionCounterWeights mixture;

  explicit Counting(const ModelOnRequests& on)
      : counters(on.histories, on.trained.tokenizer, on.range(Split::validation).first),
        mixture(mixture_weights(counters, on.histories, on.targets(Split::validation, mixture_targets))) {}
};

TableRuns::TableRuns(const TablesFile& file, const std::string& out, const Device& device)
    : file_(file), out_(made_folder(out)), device_(device), lock_(out), plan_(plan_runs(file, out)), context_(std::make_unique<Context<any_backend>>(device.stream())) {
  if (plan_.empty()) return;  // nothing is trained
  actions_data_ = file_fingerprint(file.data.actions) ^ open_index(file.data.index, 0).info().fingerprint;
  requests_data_ = file_fingerprint(file.data.requests), vectors_data_ = file_fingerprint(file.data.vectors);
}

TableRuns::~TableRuns() = default;

const TableRun& TableRuns::run(const std::string& name) const {
  return *std::find_if(plan_.begin(), plan_.end(), [&](const TableRun& r) { return r.name == name; });
}

std::string TableRuns::folder(const std::string& name) const { return out_ + "/" + name; }

/// Of the config, of the data that the run reads, and of the run that it starts from.
std::string TableRuns::fingerprint(const TableRun& r) const {
  const std::string text = to_json(r.config) + (r.after.empty() ? "" : fingerprint(run(r.after)));
  Fingerprint hash;
  hash.add(actions_data_), hash.add(std::span<const char>(text));
  if (r.config.stage.name != "pretrain") hash.add(requests_data_);
  if (!r.config.actions.vectors.empty()) hash.add(vectors_data_);
  return hex(hash.value());
}

void TableRuns::train(const TableRun& r) {
  if (trained_[r.name]) return;
  if (!r.after.empty()) train(run(r.after));
  claim(folder(r.name), fingerprint(r));
  const bool begun = has_checkpoint(folder(r.name), last_checkpoint);
  if (!begun || !read_checkpoint(folder(r.name), last_checkpoint).state.finished) train_now(r, begun);
  trained_[r.name] = true;
}

void TableRuns::train_now(const TableRun& r, bool begun) {
  Context<any_backend> context(device_.stream());
  RunMeter meter(r.name);
  const ActionSource log = actions_in(file_.data.actions);
  const RunOptions options{.resume = begun};
  if (r.config.stage.name == "pretrain") train_actions(context, log, r.config, folder(r.name), options, meter.observer());
  else train_stage(context, log, file_.data.requests, r.config, folder(r.name), options, meter.observer());
  seconds_ += meter.seconds(), ++timed_;
  std::int64_t left = 0;
  for (const TableRun& other : plan_) left += other.name != r.name && !trained_[other.name] && !has_checkpoint(folder(other.name), last_checkpoint);
  meter.finish("; " + std::to_string(left) + " of " + std::to_string(plan_.size()) + " trainings left, about " + duration_text(seconds_ / timed_ * static_cast<double>(left)));
}

FigureCache& TableRuns::cache(const std::string& name) {
  auto& cache = caches_[name];
  const bool shared = name == "counting" || name == "judge";
  const std::string of = shared ? fingerprint(run(pretrain_run)) + hex(requests_data_) : fingerprint(run(name));
  if (!cache) cache = std::make_unique<FigureCache>(made_folder(folder(name)) + "/figures.json", of);
  return *cache;
}

/// measure(model beside its logs), unless it was measured before.
template <class F> auto TableRuns::measured(const std::string& name, const std::string& what, F&& measure) {
  const TableRun& r = run(name);
  claim(folder(name), fingerprint(r));
  return cache(name).get(what, [&] {
    train(r);
    std::fprintf(stderr, "%s: measuring %s\n", name.c_str(), what.c_str());
    const ModelOnRequests on(*context_, read_trained(folder(name)), file_.data.actions, file_.data.requests);
    return measure(on);
  });
}

template <class F> auto TableRuns::counted(const std::string& what, F&& measure) {
  const ModelOnRequests& on = base();
  return cache("counting").get(what, [&] {
    std::fprintf(stderr, "counting: measuring %s\n", what.c_str());
    if (!counting_) counting_ = std::make_unique<Counting>(on);
    return measure(on, *counting_);
  });
}

const ModelOnRequests& TableRuns::base() {
  train(run(pretrain_run));
  if (!base_) base_ = std::make_unique<ModelOnRequests>(*context_, read_trained(folder(pretrain_run)), file_.data.actions, file_.data.requests);
  return *base_;
}

std::vector<ActionWindow> TableRuns::targets_on(const ModelOnLog& on) const {
  const std::vector<ActionWindow> some = on.targets(Split::test, file_.targets);
  return file_.data.truth_actions.empty() ? some : chosen_targets(file_.data.truth_actions, on.histories, some);
}

const std::vector<ActionWindow>& TableRuns::targets() {
  if (!targets_) targets_ = targets_on(base());
  if (targets_->empty()) throw DataError(file_.data.actions + ": has no target in the test split");
  return *targets_;
}

const std::vector<std::uint32_t>& TableRuns::drawn() {
  if (drawn_) return *drawn_;
  std::vector<std::uint32_t> all = base().asked(Split::test);
  if (all.empty()) throw DataError(file_.data.requests + ": has no request in the test split");
  shuffle(all, base().seed(), 0);
  if (file_.targets > 0 && all.size() > static_cast<std::size_t>(file_.targets)) all.resize(static_cast<std::size_t>(file_.targets));
  std::sort(all.begin(), all.end());
  drawn_ = std::move(all);
  return *drawn_;
}

const std::vector<LatestActions>& TableRuns::latest() {
  if (!latest_) latest_ = latest_actions(base().histories, base().trained.config.model.length, base().range(Split::test).first, latest_most);
  if (latest_->empty()) throw DataError(file_.data.actions + ": nobody has an interest-based action in the test split");
  return *latest_;
}

std::vector<std::int64_t> TableRuns::ranks(const std::string& name) {
  return measured(name, "ranks of " + count_text(file_.targets), [&](const ModelOnRequests& on) {
    return generated_ranks(*context_, on.trained.model, on.tokens, targets_on(on), {}, on.trained.config.evaluation.batch);
  });
}

std::vector<float> TableRuns::scores(const std::string& name, Split split) {
  return measured(name, split == Split::test ? "test scores" : "validation scores", [&](const ModelOnRequests& on) { return on.scores(*context_, on.asked(split)); });
}

PlaceLists TableRuns::request_lists(const std::string& name) {
  drawn();
  return measured(name, "lists at requests, " + count_text(file_.targets), [&](const ModelOnRequests& on) { return numbers(on.lists(*context_, drawn(), {10, 10, longest_list, false})); });
}

PlaceLists TableRuns::latest_lists(const std::string& name) {
  latest();
  return measured(name, "lists at latest actions", [&](const ModelOnRequests& on) {
    std::vector<ActionWindow> moments;
    for (const LatestActions& l : latest()) moments.push_back(l.first);
    return numbers(generated_lists(*context_, on.trained.model, on.tokens, moments, {10, 10, longest_list, false}, on.trained.config.evaluation.batch));
  });
}

std::vector<CountedRanks> TableRuns::counted() {
  using Named = std::map<std::string, std::vector<std::int64_t>>;
  const Named all = counted("ranks of " + count_text(file_.targets), [&](const ModelOnRequests& on, const Counting& c) {
    Named ranks;
    for (const CountedRanks& r : counted_ranks(c.counters, on.histories, targets(), c.mixture)) ranks[r.name] = r.ranks;
    return ranks;
  });
  const auto first = [](const auto& named) { return named.first == "mixture" ? -1 : std::count(named.second.begin(), named.second.end(), 1); };
  const auto best = std::max_element(all.begin(), all.end(), [&](const auto& a, const auto& b) { return first(a) < first(b); });
  return {{best->first, best->second}, {"mixture", all.at("mixture")}};
}

std::vector<float> TableRuns::counted_logistic(Split split) {
  return counted(split == Split::test ? "test scores" : "validation scores", [&](const ModelOnRequests& on, const Counting&) {
    return counted_scores(on.requests, on.histories, on.range(Split::validation).first, on.asked(split)).back().scores;
  });
}

PlaceLists TableRuns::counted_request_lists() {
  return counted("lists at requests, " + count_text(file_.targets), [&](const ModelOnRequests& on, const Counting& c) {
    PlaceLists lists;
    for (const std::uint32_t number : drawn()) {
      const AskedRequest& r = on.requests.requests[number];
      lists.push_back(c.counters.best_places({r.begin, r.end, r.at.local, r.at.position}, c.mixture, longest_list));
    }
    return lists;
  });
}

PlaceLists TableRuns::counted_latest_lists() {
  return counted("lists at latest actions", [&](const ModelOnRequests&, const Counting& c) {
    PlaceLists lists;
    for (const LatestActions& l : latest()) lists.push_back(c.counters.best_places(c.counters.moment(l.first), c.mixture, longest_list));
    return lists;
  });
}

Verdict TableRuns::kept_verdict(const JudgeCase& asked, const Judge& judge) {
  std::string text;
  for (const std::string& word : file_.judge) text += word + "\n";
  for (const auto* list : {&asked.a, &asked.b})
    for (const JudgedPlace& place : *list) text += "\n" + place.place;
  Fingerprint hash;
  hash.add(asked.request), hash.add(std::span<const char>(text));
  const auto kept = cache("judge").get(hex(hash.value()), [&] {
    const Verdict v = judge(asked);
    return std::vector<std::size_t>{static_cast<std::size_t>(v.better), v.fit_a, v.fit_b};
  });
  if (kept.size() != 3 || kept[0] > 2) throw FormatError(folder("judge") + "/figures.json is damaged: remove it");
  return {static_cast<BetterList>(kept[0]), kept[1], kept[2]};
}

}  // namespace chronotope::cli
