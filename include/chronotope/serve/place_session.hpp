#pragma once
// A trained model of actions at work: encode a user once, then rank, generate and embed as requests and actions come.

#include <memory>
#include <string>
#include <vector>

#include "chronotope/backend/graphs.hpp"
#include "chronotope/data/npy.hpp"
#include "chronotope/data/request_log.hpp"
#include "chronotope/serve/place_filter.hpp"
#include "chronotope/train/action_run.hpp"

namespace chronotope {

/// A generated place and what one can check about it.
struct SuggestedPlace {
  std::string place, category;
  GeoPosition position;
  double probability = 0;   ///< P(block) P(inner | block)
  int visits = 0;           ///< of the user there, as far as the session remembers
};

struct GenerateOptions {
  BeamOptions beams = {10, 10, 10, false};
  int most_of_category = 0;  ///< at most this many places of one category; 0: any
  int most_of_block = 0;     ///< at most this many places of one block; 0: any
  bool new_only = false;     ///< no place that the session remembers
};

/// A loaded model for many sessions. Not thread-safe: one session at a time, they share the device.
class ActionServer {
 public:
  /// Throws FileError, FormatError, ConfigError, and DataError for an index of another version. `index` names the index's folder where it is
  /// not where training found it.
  ActionServer(const std::string& checkpoint_folder, any_backend::stream stream, const std::string& index = "");
  ~ActionServer();
  ActionServer(ActionServer&&) noexcept;

  /// From here on the work of sessions reaches the device in graphs (backend/graphs.hpp): one for append(), rank() and embed(), two and one a round of
  /// beams for generate(). Answers stay the same. Throws ConfigError where the backend has none.
  void use_graphs();

  const TrainedActions& trained() const;
  Context<any_backend>& context() const;
  /// For sessions.
  AsGraph<any_backend>& as_graph() const;

  /// Vectors of places, each of length 1: [ids, embedding]. Throws ConfigError unless the model was fine-tuned to embed. O(ids).
  Matrix embed_places(std::span<const std::string> ids) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One user. Holds keys and values of the profile and of up to model.length actions: bytes() of them, 8 x layers x width a token and up to a quarter more. When an action
/// comes to a full session, the oldest half is forgotten and the rest encoded again (forgotten_actions), so that answers are always those of a full pass
/// over the actions that are remembered: however they were appended, the ones that a request of a log sees whose user made all these.
class PlaceSession {
 public:
  /// Keeps the server. `profile` as in logs, "" for none.
  explicit PlaceSession(const ActionServer& server, const std::string& profile = "");

  /// Appends actions, oldest first. Throws DataError for positions or times out of range. O(actions).
  void append(std::span<const LoggedAction> actions);

  /// The probability that each candidate would be clicked, in their order, independent of each other: [candidates]. A place that is not in the
  /// index is judged by its position and category. Throws ConfigError unless the model was fine-tuned to rank.
  std::vector<double> rank(const RequestContext& request, std::span<const ShownPlace> candidates);

  /// The most probable places, best first; fewer than asked for where the filter allows no more.
  std::vector<SuggestedPlace> generate(const RequestContext& request, const GenerateOptions& options = {}, const PlaceFilter& filter = {});

  /// The user's vector at a moment, of length 1. Throws ConfigError unless the model was fine-tuned to embed.
  std::vector<float> embed(const RequestContext& request);

  std::size_t actions() const { return window_.size(); }
  std::int64_t bytes() const { return encoded_.bytes(); }

 private:
  using B = any_backend;
  void encode(std::span<const PastAction> actions);
  void encode_window();
  Tensor<B> ask(const RequestContext& request, Question question);
  void in_one(const std::function<void()>& work);

  const ActionServer& server_;
  std::vector<std::int32_t> profile_;
  std::size_t appended_ = 0;         // actions in all
  std::vector<PastAction> window_;   // those of them that are remembered
  Encoded<B> encoded_;               // of nothing where work on it failed: the window is encoded again
};

}  // namespace chronotope
