#pragma once
// The trainings behind the tables: what they are, and what is measured of each. A run is trained when something is first asked of it; what
// was trained and measured before is left alone, what was cut off goes on.

#include <map>
#include <memory>
#include <optional>

#include "chronotope/eval/judge.hpp"
#include "chronotope/train/action_measures.hpp"
#include "cli/device.hpp"
#include "cli/tables_cache.hpp"
#include "cli/tables_file.hpp"
#include "core/folder_lock.hpp"

namespace chronotope::cli {

/// A training in a folder of its own.
struct TableRun {
  std::string name;      ///< of the folder
  std::string after;     ///< name of the run that it starts from; "" from scratch
  Config config;
};

/// What the wanted tables need, runs that others start from first. `out` is the folder of their folders.
std::vector<TableRun> plan_runs(const TablesFile& file, const std::string& out);

/// The run of Figure 3 that sees this many actions.
std::string length_run(const TablesFile& file, std::int64_t length);

/// Places by number of the catalogue, best first.
using PlaceLists = std::vector<std::vector<std::uint32_t>>;

inline constexpr const char* pretrain_run = "pretrain";

class TableRuns {
 public:
  /// Makes and holds `out`. Throws FileError when another process holds it, ConfigError when it belongs to other data.
  TableRuns(const TablesFile& file, const std::string& out, const Device& device);
  ~TableRuns();

  const TablesFile& file() const { return file_; }
  /// The pre-trained model and the logs, for what no single run answers.
  const ModelOnRequests& base();

  /// Of a run: ranks of the test targets; scores of all candidates of a split's requests; lists at the drawn test requests, and at the users' latest actions.
  std::vector<std::int64_t> ranks(const std::string& run);
  std::vector<float> scores(const std::string& run, Split split);
  PlaceLists request_lists(const std::string& run);
  PlaceLists latest_lists(const std::string& run);

  /// The same of counting: the strongest single part and the mixture; the logistic regression; the mixture's lists.
  std::vector<CountedRanks> counted();
  std::vector<float> counted_logistic(Split split);
  PlaceLists counted_request_lists();
  PlaceLists counted_latest_lists();

  /// What is asked: test targets (without clicks in requests where the truth says which they are), drawn test requests, users' latest actions.
  const std::vector<ActionWindow>& targets();
  const std::vector<std::uint32_t>& drawn();
  const std::vector<LatestActions>& latest();

  /// Verdicts by a command, which may cost money: each is kept.
  Verdict kept_verdict(const JudgeCase& asked, const Judge& judge);

 private:
  struct Counting;
  std::string fingerprint(const TableRun& run) const;
  const TableRun& run(const std::string& name) const;
  std::string folder(const std::string& name) const;
  std::vector<ActionWindow> targets_on(const ModelOnLog& on) const;
  void train(const TableRun& run);
  void train_now(const TableRun& run, bool begun);
  FigureCache& cache(const std::string& name);
  template <class F> auto measured(const std::string& run, const std::string& what, F&& measure);
  template <class F> auto counted(const std::string& what, F&& measure);

  TablesFile file_;
  std::string out_;
  Device device_;
  std::optional<FolderLock> lock_;
  std::vector<TableRun> plan_;
  std::uint64_t actions_data_ = 0, requests_data_ = 0, vectors_data_ = 0;  // fingerprints
  std::map<std::string, bool> trained_;
  std::map<std::string, std::unique_ptr<FigureCache>> caches_;
  std::unique_ptr<Context<any_backend>> context_;
  std::unique_ptr<ModelOnRequests> base_;
  std::unique_ptr<Counting> counting_;
  std::optional<std::vector<ActionWindow>> targets_;
  std::optional<std::vector<std::uint32_t>> drawn_;
  std::optional<std::vector<LatestActions>> latest_;
  double seconds_ = 0;
  int timed_ = 0;
};

}  // namespace chronotope::cli
