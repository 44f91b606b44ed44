#include "chronotope/eval/world_summary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "chronotope/eval/user_clicks.hpp"

namespace chronotope {
namespace {

constexpr std::size_t known_after = 40;  // actions
constexpr double least_richness = 0.3;   // the paper's
constexpr std::size_t probability_levels = 65536;
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// Sums until finish() divides them.
void add(BestHits& hits, const ActionTruth& truth) {
  ++hits.actions;
  hits.expected_at_1 += truth.best_probability;
  hits.expected_at_10 += truth.best_ten;
  hits.seen_at_1 += truth.rank == 1;
  hits.seen_at_10 += truth.rank >= 1 && truth.rank <= 10;
}

void divide(BestHits& hits) {
  for (double* value : {&hits.expected_at_1, &hits.expected_at_10, &hits.seen_at_1, &hits.seen_at_10})
    *value = hits.actions > 0 ? *value / static_cast<double>(hits.actions) : undefined;
}

double richness_of(const WorldUser& user) {
  std::unordered_set<std::string> places;
  std::size_t actions = 0;
  for (const WorldAction& row : user.actions) {
    if (!row.truth.interest) continue;
    ++actions;
    places.insert(row.action.place);
  }
  return actions == 0 ? 0 : static_cast<double>(places.size()) / static_cast<double>(actions);
}

class Range {
 public:
  explicit Range(std::int64_t from) { best_.from = from; }

  void add(const WorldUser& user, std::uint32_t number) {
    for (std::size_t i = known_after; i < user.actions.size(); ++i) {
      const ActionTruth& truth = user.actions[i].truth;
      if (!truth.interest || user.actions[i].action.time < best_.from) continue;
      if (truth.from_request) {
        chronotope::add(best_.from_requests, truth);
        continue;
      }
      chronotope::add(best_.all, truth);
      chronotope::add(best_.by_status[static_cast<std::size_t>(truth.status)], truth);
    }
    scores_.clear();
    labels_.clear();
    for (const WorldRequest& row : user.requests)
      if (row.request.time >= best_.from) add(row);
    const std::vector<std::uint32_t> same(scores_.size(), number);
    for (const UserAuc& auc : user_aucs({scores_, labels_}, same)) user_aucs_.push_back(auc);
  }

  WorldBest finish() const {
    WorldBest best = best_;
    divide(best.all);
    for (BestHits& hits : best.by_status) divide(hits);
    divide(best.from_requests);
    best.auc = auc_of_levels();
    best.gauc = gauc(user_aucs_).value;
    return best;
  }

 private:
  void add(const WorldRequest& row) {
    std::uint64_t clicks = 0;
    for (std::size_t i = 0; i < row.request.shown.size(); ++i) {
      const bool clicked = row.request.shown[i].clicked;
      scores_.push_back(static_cast<float>(row.click_probability[i]));
      labels_.push_back(clicked);
      ++counts_[static_cast<std::size_t>(row.click_probability[i] * probability_levels)][clicked];
      clicks += clicked;
    }
    ++best_.requests;
    best_.requests_with_click += clicks > 0;
    best_.shown += row.request.shown.size();
    best_.clicks += clicks;
  }

  // As auc(), of counts: no row is kept. Probabilities of the world are multiples of 1 / 65536.
  double auc_of_levels() const {
    double below = 0, pairs = 0;
    for (const auto& [others, clicks] : counts_) {
      pairs += static_cast<double>(clicks) * (below + static_cast<double>(others) / 2);
      below += static_cast<double>(others);
    }
    const double all = static_cast<double>(best_.clicks) * static_cast<double>(best_.shown - best_.clicks);
    return all > 0 ? pairs / all : undefined;
  }

  WorldBest best_;
  std::vector<std::array<std::uint64_t, 2>> counts_ =
      std::vector<std::array<std::uint64_t, 2>>(probability_levels + 1);  // shown and not clicked, clicked
  std::vector<UserAuc> user_aucs_;
  std::vector<float> scores_;  // of one user
  std::vector<std::uint8_t> labels_;
};

}  // namespace

class WorldSummaryBuilder::State {
 public:
  explicit State(const World& world) {
    const std::int64_t length = world.end() - world.begin();
    for (const int percent : {0, 80, 90}) ranges_.emplace_back(world.begin() + length * percent / 100);
  }

  void add(const WorldUser& user) {
    const double richness = richness_of(user);
    ++sum_.users;
    sum_.actions += user.actions.size();
    for (const WorldAction& row : user.actions) sum_.functional += !row.truth.interest;
    if (user.robot) {
      ++sum_.robots;
      sum_.robot_actions += user.actions.size();
      sum_.rich_robots += richness >= least_richness;
      return;
    }
    for (const WorldAction& row : user.actions)
      if (row.truth.interest) ++sum_.by_status[static_cast<std::size_t>(row.truth.status)];
    sum_.poor += richness < least_richness;
    richness_.push_back(richness);
    for (Range& range : ranges_) range.add(user, static_cast<std::uint32_t>(sum_.users));
  }

  WorldSummary finish() const {
    WorldSummary summary = sum_;
    std::vector<double> sorted = richness_;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < summary.richness.size(); ++i)
      summary.richness[i] = sorted.empty() ? undefined : sorted[i * (sorted.size() - 1) / 10];
    for (const Range& range : ranges_) summary.best.push_back(range.finish());
    return summary;
  }

 private:
  WorldSummary sum_;
  std::vector<double> richness_;
  std::vector<Range> ranges_;
};

WorldSummaryBuilder::WorldSummaryBuilder(const World& world) : state_(std::make_unique<State>(world)) {}
WorldSummaryBuilder::~WorldSummaryBuilder() = default;
void WorldSummaryBuilder::add(const WorldUser& user) { state_->add(user); }
WorldSummary WorldSummaryBuilder::finish() const { return state_->finish(); }

}  // namespace chronotope
