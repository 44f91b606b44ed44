#pragma once
// Request logs as fine-tuning reads them: what was shown to whom, what was clicked, and the actions before.

#include <functional>
#include <string>
#include <utility>
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

/// Tokens of requests. A request sees its user's actions before it from the first on that is not forgotten (forgotten_actions): at least
/// length / 2 of them where there are as many, at most `length`.
///
/// The functions that take several requests, by number, add the histories, once for all requests of a user that see the same first action, and
/// then, in the order of the requests, branches at the points of the histories where they were made. A branch sees its history up to there and itself,
/// so that every answer is that of a request alone. O(tokens).
class RequestTokens {
 public:
  /// Keeps references.
  RequestTokens(const RequestHistories& requests, const ActionTokens& actions, std::int64_t length)
      : requests_(requests), actions_(actions), length_(static_cast<std::size_t>(length)) {}

  /// Profile, history and u of one request as a sequence of its own; its rows.
  Prefix add_user(const AskedRequest& request, TokenBatch& batch) const;
  /// A branch u for each request, asked for its state (embedding, 3.2.2).
  void add_users(std::span<const std::uint32_t> some, TokenBatch& batch) const;
  /// A branch u, block, inner for each candidate, whose last token is asked for its state (generative ranking, 3.2.2).
  void add_ranked(std::span<const std::uint32_t> some, TokenBatch& batch) const;
  /// A branch u, block for each candidate, where u is asked for the block and the block for the place in it; where places are one token, a
  /// branch u for each request, asked for all its places (alignment, 3.2.3). Candidates that are not in the index are left out: a model
  /// cannot generate them.
  void add_generated(std::span<const std::uint32_t> some, TokenBatch& batch) const;

  /// Requests that share an encoding together, by time: groups of at most `most`, as even as can be. A request of an unknown user is a group.
  /// In the order of users; O(n log n).
  std::vector<std::vector<std::uint32_t>> groups(std::span<const std::uint32_t> some, std::size_t most) const;

  const RequestHistories& requests() const { return requests_; }
  const ActionTokens& actions() const { return actions_; }

 private:
  /// A user, and the first action that is seen.
  using History = std::pair<std::size_t, std::size_t>;
  History history(const AskedRequest& request) const { return {request.user, request.begin + forgotten_actions(request.end - request.begin, length_)}; }
  std::vector<Prefix> add_histories(std::span<const std::uint32_t> some, TokenBatch& batch) const;

  const RequestHistories& requests_;
  const ActionTokens& actions_;
  std::size_t length_;
};

/// A place's tokens as a sequence or branch that was begun: block, then inner. The packed row of the last token.
std::int32_t add_candidate(const ActionTokenizer& tokenizer, const SeenPlace& place, TokenBatch& batch);

}  // namespace chronotope
