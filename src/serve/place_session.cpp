#include "chronotope/serve/place_session.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "chronotope/models/candidates.hpp"
#include "chronotope/train/request_histories.hpp"

namespace chronotope {
namespace {

using B = any_backend;

void need_stage(const TrainedActions& t, const char* stage, const char* what) {
  if (t.config.stage.name != stage) throw ConfigError(std::string("this model was not trained to ") + what + ": chronotope train --stage " + stage + " --from it makes one that is");
}

/// The first places, in order, of which no category or block has more than its share.
std::vector<GeneratedPlace> varied(const PlaceCatalogue& catalogue, const std::vector<GeneratedPlace>& all, const GenerateOptions& o) {
  std::map<std::string, int, std::less<>> of_category;
  std::map<std::uint32_t, int> of_block;
  std::vector<GeneratedPlace> kept;
  for (const GeneratedPlace& g : all) {
    if (kept.size() == static_cast<std::size_t>(o.beams.top)) break;
    const auto place = catalogue.place(g.place);
    int &same = of_category[std::string(place->category)], &near = of_block[catalogue.tokens(g.place).block];
    if ((o.most_of_category > 0 && same >= o.most_of_category) || (o.most_of_block > 0 && near >= o.most_of_block)) continue;
    ++same, ++near;
    kept.push_back(g);
  }
  return kept;
}

}  // namespace

struct ActionServer::State {
  State(const std::string& folder, any_backend::stream stream, const std::string& index)
      : context(std::move(stream)), trained(load_actions(context, read_trained(folder), index)) {}
  Context<B> context;
  TrainedActions trained;
  AsGraph<B> as_graph;
};

ActionServer::ActionServer(const std::string& folder, any_backend::stream stream, const std::string& index)
    : state_(std::make_unique<State>(folder, std::move(stream), index)) {}
ActionServer::~ActionServer() = default;
ActionServer::ActionServer(ActionServer&&) noexcept = default;

void ActionServer::use_graphs() { state_->as_graph = AsGraph<B>(context().stream(), "recommending as a graph (--graphs)"); }
AsGraph<B>& ActionServer::as_graph() const { return state_->as_graph; }
const TrainedActions& ActionServer::trained() const { return state_->trained; }
Context<B>& ActionServer::context() const { return state_->context; }

Matrix ActionServer::embed_places(std::span<const std::string> ids) const {
  need_stage(trained(), "embed", "embed places");
  const NoGrad no_grad;
  constexpr std::size_t batch = 512;
  Matrix m{static_cast<std::int64_t>(ids.size()), trained().config.actions.embedding, {}};
  for (std::size_t at = 0; at < ids.size(); at += batch) {
    TokenBatch places;
    for (std::size_t i = at; i < std::min(ids.size(), at + batch); ++i) {
      places.sequence();
      places.ask(add_candidate(trained().tokenizer, trained().tokenizer.seen(ids[i], {}, ""), places), Question::state);
    }
    const auto& model = trained().model;
    const std::vector<float> rows = normalized(model.place(model.hidden(TokenTensors<B>(context(), places)))).to_host<float>();
    m.values.insert(m.values.end(), rows.begin(), rows.end());
  }
  return m;
}

PlaceSession::PlaceSession(const ActionServer& server, const std::string& profile) : server_(server) {
  const TrainedActions& t = server.trained();
  if (!profile.empty() && t.config.actions.profile_tokens > 0) profile_ = profile_pieces(t.tokenizer.vocabulary(), profile, t.config.actions.profile_tokens);
}

/// As one graph where the server was asked for that. Of what failed no part can be relied on.
void PlaceSession::in_one(const std::function<void()>& work) {
  try {
    server_.as_graph()(server_.context().stream(), work);
  } catch (...) {
    encoded_ = {};
    throw;
  }
}

void PlaceSession::encode(std::span<const PastAction> actions) {
  TokenBatch batch;
  batch.sequence();
  if (encoded_.tokens() == 0)
    for (const std::int32_t piece : profile_) batch.text(piece);
  for (const PastAction& action : actions) add_place_tokens(server_.trained().tokenizer, action, true, batch);
  if (batch.tokens() == 0) return;
  batch.ask(batch.tokens() - 1, Question::state);
  in_one([&] { encoded_.extend(server_.context(), server_.trained().model, batch); });
}

/// Where there is nothing yet, or no longer.
void PlaceSession::encode_window() {
  if (encoded_.tokens() == 0) encode(window_);
}

void PlaceSession::append(std::span<const LoggedAction> actions) {
  const ActionTokenizer& tokenizer = server_.trained().tokenizer;
  const std::size_t all = appended_ + actions.size(), left = all - forgotten_actions(all, static_cast<std::size_t>(server_.trained().config.model.length));
  std::vector<PastAction> fresh;
  for (const LoggedAction& action : actions.last(std::min(actions.size(), left))) fresh.push_back(tokenizer.past(action));
  const std::size_t kept = left - fresh.size();
  const bool forgets = kept < window_.size();
  if (forgets) encoded_ = {};
  window_.erase(window_.begin(), window_.end() - static_cast<std::ptrdiff_t>(kept));
  window_.insert(window_.end(), fresh.begin(), fresh.end());
  appended_ = all;
  encode(encoded_.tokens() == 0 ? window_ : fresh);
}

Tensor<B> PlaceSession::ask(const RequestContext& request, Question question) {
  TokenBatch batch;
  batch.sequence();
  batch.ask(batch.context(server_.trained().tokenizer.context(request)), question);
  return encoded_.extend(server_.context(), server_.trained().model, batch);
}

std::vector<double> PlaceSession::rank(const RequestContext& request, std::span<const ShownPlace> candidates) {
  const TrainedActions& t = server_.trained();
  need_stage(t, "rank", "rank candidates");
  if (candidates.empty()) return {};
  const NoGrad no_grad;
  encode_window();
  const auto mark = encoded_.mark();
  const auto seen = static_cast<std::int32_t>(encoded_.tokens()) + 1;
  TokenBatch batch;  // u and candidates together: the weights are read once
  std::vector<std::int32_t> rows;
  batch.sequence();
  batch.context(t.tokenizer.context(request));
  for (const ShownPlace& c : candidates) {
    batch.branch({0, seen});
    const std::int32_t row = add_candidate(t.tokenizer, t.tokenizer.seen(c.place, c.position, c.category), batch);
    batch.ask(row, Question::state);
    rows.push_back(seen - 1 + row);
  }
  Tensor<B> logits;
  in_one([&] {
    const Tensor<B> h = encoded_.extend(server_.context(), t.model, batch);
    logits = t.model.click_logits(h, encoded_.contexts(), rows);
  });
  encoded_.keep(mark);
  std::vector<double> clicks;
  for (const float logit : logits.to_host<float>()) clicks.push_back(1 / (1 + std::exp(-static_cast<double>(logit))));
  return clicks;
}

std::vector<SuggestedPlace> PlaceSession::generate(const RequestContext& request, const GenerateOptions& options, const PlaceFilter& filter) {
  const TrainedActions& t = server_.trained();
  const PlaceCatalogue& catalogue = t.tokenizer.places();
  const NoGrad no_grad;
  PlaceFilter all = filter;
  if (options.new_only)
    for (const PastAction& action : window_) all.excluded.push_back(action.place);
  BeamOptions beams = options.beams;
  if (options.most_of_category > 0 || options.most_of_block > 0) beams.top *= 10;  // some will be passed over
  encode_window();
  const auto mark = encoded_.mark();
  Tensor<B> h;
  in_one([&] { h = ask(request, Question::state); });
  const Prefix seen{0, static_cast<std::int32_t>(encoded_.tokens())};
  const auto in_one_graph = [&](const std::function<void()>& work) { in_one(work); };
  const auto found = generate_places(server_.context(), t.model, catalogue, encoded_, h, std::span(&seen, 1), make_limits(catalogue, all), beams, in_one_graph)[0];
  encoded_.keep(mark);
  std::vector<SuggestedPlace> suggested;
  for (const GeneratedPlace& g : varied(catalogue, found, options)) {
    const auto place = catalogue.place(g.place);
    const auto visits = std::count_if(window_.begin(), window_.end(), [&](const PastAction& a) { return a.place == g.place; });
    suggested.push_back({std::string(place->id), std::string(place->category), {place->latitude, place->longitude}, std::exp(g.log_probability), static_cast<int>(visits)});
  }
  return suggested;
}

std::vector<float> PlaceSession::embed(const RequestContext& request) {
  const TrainedActions& t = server_.trained();
  need_stage(t, "embed", "embed users");
  const NoGrad no_grad;
  encode_window();
  const auto mark = encoded_.mark();
  Tensor<B> vector;
  in_one([&] { vector = normalized(t.model.user(ask(request, Question::state))); });
  encoded_.keep(mark);
  return vector.to_host<float>();
}

}  // namespace chronotope
