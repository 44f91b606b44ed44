#pragma once
// Request logs as fine-tuning reads them: what was shown to whom, what was clicked, and the actions before.

#include <functional>
#include <string>
#include <vector>

#include "chronotope/components/candidate_labels.hpp"
#include "chronotope/data/request_log.hpp"
#include "chronotope/train/action_windows.hpp"

namespace chronotope {

/// Moves to the next request; false after the last.
using RequestPass = std::function<bool(LoggedRequest&)>;

/// A request and its user's history.
struct AskedRequest {
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);
  std::size_t user = nobody;                 ///< of the action log
  std::size_t begin = 0, end = 0;            ///< the user's actions before the request
  RequestContext at;
  std::int64_t utc = 0;                      ///< seconds
  std::size_t first_shown = 0, shown = 0;    ///< candidates
};

/// All requests of a log, in its order. O(shown places) memory, 17 bytes each.
struct RequestHistories {
  std::vector<AskedRequest> requests;
  std::vector<SeenPlace> shown;       ///< of requests[0], then of requests[1], …
  std::vector<std::uint8_t> clicked;  ///< likewise
  std::int64_t unknown_places = 0;    ///< shown places that are not in the index

  /// Throws what `next` throws. O(shown places + requests log actions).
  RequestHistories(const RequestPass& next, const ActionHistories& histories, const ActionTokenizer& tokenizer);

  std::span<const SeenPlace> candidates(const AskedRequest& r) const { return {shown.data() + r.first_shown, r.shown}; }
  std::span<const std::uint8_t> clicks(const AskedRequest& r) const { return {clicked.data() + r.first_shown, r.shown}; }
  /// Counts and clicks of some requests, one after another; `known` leaves out candidates that are not in the index.
  CandidateLabels labels(std::span<const std::uint32_t> some, bool known = false) const;
};

/// Which requests a step needs.
enum class RequestNeeds : std::uint8_t {
  anything,       ///< a candidate
  both,           ///< clicked and unclicked candidates
  both_known      ///< clicked and unclicked candidates that are in the index
};

/// Numbers of the requests with from <= UTC < until that have what is needed.
std::vector<std::uint32_t> requests_between(const RequestHistories& requests, std::int64_t from, std::int64_t until, RequestNeeds needs);

/// Tokens of requests. Histories are cut to the last `length` actions.
class RequestTokens {
 public:
  /// Keeps references.
  RequestTokens(const RequestHistories& requests, const ActionTokens& actions, std::int64_t length)
      : requests_(requests), actions_(actions), length_(static_cast<std::size_t>(length)) {}

  /// Profile, history and u of the request; the rows of the sequence.
  Prefix add_user(const AskedRequest& request, TokenBatch& batch) const;
  /// Users with their candidates behind them, each candidate seeing the user and itself: asks the last token of every candidate for
  /// its state (generative ranking, 3.2.2).
  void add_ranked(const AskedRequest& request, TokenBatch& batch) const;
  /// The same, but asks for the candidates: u for the block of each, and each block for the place in it (alignment, 3.2.3).
  /// Candidates that are not in the index are left out: a model cannot generate them.
  void add_generated(const AskedRequest& request, TokenBatch& batch) const;

  const RequestHistories& requests() const { return requests_; }
  const ActionTokens& actions() const { return actions_; }

 private:
  const RequestHistories& requests_;
  const ActionTokens& actions_;
  std::size_t length_;
};

/// A place's tokens as a sequence or branch that was begun: block, then inner. The packed row of the last token.
std::int32_t add_candidate(const ActionTokenizer& tokenizer, const SeenPlace& place, TokenBatch& batch);

}  // namespace chronotope
