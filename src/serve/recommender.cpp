#include "chronotope/serve/recommender.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include "chronotope/backend/graphs.hpp"
#include "chronotope/data/calendar.hpp"
#include "chronotope/data/geohash.hpp"
#include "chronotope/train/run.hpp"

namespace chronotope {
namespace {

using B = any_backend;

/// How often and mostly when the user was at a place.
void describe_visits(Recommendation& r, const std::vector<Visit>& history) {
  std::array<int, 24> hours{};
  for (const Visit& visit : history) {
    if (visit.place != r.place) continue;
    ++r.visits;
    ++hours[static_cast<std::size_t>(calendar_fields(visit.local).hour)];
  }
  if (r.visits > 0) r.usual_hour = static_cast<int>(std::max_element(hours.begin(), hours.end()) - hours.begin());
}

Recommendation describe(const Place& place, double probability, const std::vector<Visit>& history) {
  Recommendation r{place.id, place.category, place.latitude, place.longitude, probability, {}, 0, {}};
  if (!history.empty()) r.distance_km = distance_km(history.back().latitude, history.back().longitude, place.latitude, place.longitude);
  describe_visits(r, history);
  return r;
}

}  // namespace

std::vector<Visit> visits_of(const CheckinTable& table, std::size_t user) {
  std::vector<Visit> visits;
  for (const Checkin& row : table.history(user)) visits.push_back(make_visit(row, table));
  return visits;
}

struct Recommender::Impl {
  Impl(const std::string& folder, any_backend::stream stream)
      : checkpoint(read_trained(folder)), tokenizer(place_tokenizer(checkpoint)), context(std::move(stream)), model(load_model(context, checkpoint)) {
    checkpoint.tensors.clear();
  }

  Checkpoint checkpoint;
  PlaceTokenizer tokenizer;
  Context<B> context;
  AnyPlaceModel<B> model;
  AsGraph<B> as_graph;

  std::vector<float> probabilities(const ActionBatch& query) {
    const NoGrad no_grad;
    Tensor<B> p;
    as_graph(context.stream(), [&] { p = model.probabilities(ActionTensors<B>(context, query)); });
    return p.to_host<float>();
  }
};

Recommender::Recommender(const std::string& folder, any_backend::stream stream) : impl_(std::make_unique<Impl>(folder, std::move(stream))) {}
Recommender::~Recommender() = default;
Recommender::Recommender(Recommender&&) noexcept = default;

void Recommender::use_graphs() { impl_->as_graph = AsGraph<B>(impl_->context.stream(), "recommending as a graph (--graphs)"); }
const Config& Recommender::config() const { return impl_->checkpoint.config; }
const PlaceTokenizer& Recommender::tokenizer() const { return impl_->tokenizer; }

std::vector<Recommendation> Recommender::recommend(const std::vector<Visit>& history, std::int64_t utc, std::int64_t local, int top) const {
  std::vector<Action> actions;
  for (const Visit& visit : history) actions.push_back(make_action(visit, tokenizer()));
  const CalendarFields when = calendar_fields(local);
  Action asked;
  asked.when = {when.month, when.day, when.weekday, when.hour};
  asked.utc = utc;
  asked.local = local;
  const ModelConfig& m = config().model;
  const std::vector<float> p = impl_->probabilities(make_query(actions, asked, m.length, m.target_time));
  std::vector<std::int32_t> order(p.size() - 1);
  std::iota(order.begin(), order.end(), 1);  // token 0 is no place
  const auto n = std::min(order.size(), static_cast<std::size_t>(std::max(top, 0)));
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(n), order.end(), [&](std::int32_t a, std::int32_t b) {
    const float pa = p[static_cast<std::size_t>(a)], pb = p[static_cast<std::size_t>(b)];
    return pa != pb ? pa > pb : a < b;
  });
  std::vector<Recommendation> result;
  for (std::size_t i = 0; i < n; ++i) result.push_back(describe(tokenizer().place(order[i]), p[static_cast<std::size_t>(order[i])], history));
  return result;
}

}  // namespace chronotope
