#pragma once
// Trained models of actions beside a log: what they generate for a split's targets and how they score a split's requests, and what
// a generated world knows to be the best possible.

#include "chronotope/eval/ranking_metrics.hpp"
#include "chronotope/train/action_counters.hpp"
#include "chronotope/train/action_run.hpp"
#include "chronotope/train/request_counters.hpp"
#include "chronotope/train/stage_task.hpp"

namespace chronotope {

/// A model and the log that it is asked about. Its parts refer to each other, so it stays where it was made.
struct ModelOnLog {
  /// Reads the log. `index` as in load_actions. Throws as load_actions and actions_in. O(log).
  ModelOnLog(Context<any_backend>& context, const Checkpoint& checkpoint, const std::string& actions, const std::string& index = "");
  ModelOnLog(const ModelOnLog&) = delete;

  /// UTC seconds: the split's first, and the first after it. `split` is validation or test.
  std::pair<std::int64_t, std::int64_t> range(Split split) const;
  /// Targets of a split, `most` of them drawn by the config's seed; all with 0. May be none.
  std::vector<ActionWindow> targets(Split split, std::int64_t most) const;
  std::uint64_t seed() const { return static_cast<std::uint64_t>(trained.config.seed); }

  TrainedActions trained;
  ActionHistories histories;
  ActionTokens tokens;
};

/// The same with a request log; `requests` "" is one without requests.
struct ModelOnRequests : ModelOnLog {
  ModelOnRequests(Context<any_backend>& context, const Checkpoint& checkpoint, const std::string& actions, const std::string& requests, const std::string& index = "");

  /// Numbers of the split's requests, in the log's order. May be none.
  std::vector<std::uint32_t> asked(Split split) const;
  /// candidate_scores of some requests by the model's own stage. O(candidates x model).
  std::vector<float> scores(Context<any_backend>& context, std::span<const std::uint32_t> some) const;
  /// The most probable places at some requests, best first: [some].
  std::vector<std::vector<GeneratedPlace>> lists(Context<any_backend>& context, std::span<const std::uint32_t> some, const BeamOptions& beams) const;

  RequestHistories requests;
  RequestTokens request_tokens;
};

/// What the candidates of some requests are, apart from any scores.
struct ShownCandidates {
  CandidateLabels labels;
  std::vector<std::uint32_t> users;  ///< [C] 1 + number of the user; 0 for users that the action log does not have
};
ShownCandidates shown_candidates(const RequestHistories& requests, std::span<const std::uint32_t> some);

/// [targets] 1 where the rank is 1 … k, else 0; and 1 / rank, 0 for a rank of 0.
std::vector<double> hits_at(std::span<const std::int64_t> ranks, std::int64_t k);
std::vector<double> reciprocals(std::span<const std::int64_t> ranks);

/// A user's latest interest-based actions as one question (Spacetime-GR, 5.1.3): a list generated at the first of them, from everything
/// before, is a hit when any of them is in it.
struct LatestActions {
  ActionWindow first;                   ///< ends with the first of them
  std::vector<std::uint64_t> places;    ///< numbers of the catalogue, oldest first
};

/// One for each user with an interest-based action of a known place from `from` on and any action before it: the last `most` of those, or as
/// many as there are. Windows have at most `length` actions. O(actions).
std::vector<LatestActions> latest_actions(const ActionHistories& histories, std::int64_t length, std::int64_t from, std::size_t most);

/// Of some targets on a generated world those that were chosen freely: a click in a request depends on what was shown, which neither a model
/// nor the world's distribution of the moment knows. From its truth_actions file; throws as true_ranks does.
std::vector<ActionWindow> chosen_targets(const std::string& path, const ActionHistories& histories, std::span<const ActionWindow> targets);

/// The ranks that a generated world gives the targets' places among all places, from its truth_actions file. Throws FormatError for another
/// file, DataError where a target has no row.
CountedRanks true_ranks(const std::string& path, const ActionHistories& histories, std::span<const ActionWindow> targets);

/// The probabilities that a generated world clicked with, of the candidates of some requests, from its truth_requests file. Throws FormatError
/// for another file, DataError for one of another log.
std::vector<float> true_clicks(const std::string& path, const RequestHistories& requests, std::span<const std::uint32_t> some);

}  // namespace chronotope
