#include "place_tree.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "chronotope/data/geohash.hpp"

namespace chronotope {
namespace {

constexpr std::int32_t leaf_places = 16;
constexpr double earth_radius_km = 6371.0088;
// Bounds are of rounded numbers: let them be looser by far more than the rounding, by far less than a metre matters.
constexpr double slack_km = 1e-6;

std::array<double, 3> on_sphere(double latitude, double longitude) {
  constexpr double radians = std::numbers::pi / 180;
  const double ring = std::cos(latitude * radians);
  return {ring * std::cos(longitude * radians), ring * std::sin(longitude * radians), std::sin(latitude * radians)};
}

bool better(const PlaceScore& a, const PlaceScore& b) {
  return a.score > b.score || (a.score == b.score && a.place < b.place);
}

}  // namespace

/// The best so far as a heap with the worst of them on top.
struct PlaceTree::Query {
  double latitude, longitude;
  Point at;
  std::size_t count;
  std::vector<PlaceScore> heap{};

  double threshold() const {
    return heap.size() < count ? -std::numeric_limits<double>::infinity() : heap.front().score;
  }
  void offer(const PlaceScore& candidate) {
    if (heap.size() == count) {
      if (!better(candidate, heap.front())) return;
      std::pop_heap(heap.begin(), heap.end(), better);
      heap.pop_back();
    }
    heap.push_back(candidate);
    std::push_heap(heap.begin(), heap.end(), better);
  }
};

PlaceTree::PlaceTree(std::vector<WeightedPlace> places, double decay_km)
    : decay_km_(decay_km), places_(std::move(places)) {
  for (const WeightedPlace& p : places_) points_.push_back(on_sphere(p.latitude, p.longitude));
  order_.resize(places_.size());
  std::iota(order_.begin(), order_.end(), 0);
  if (!places_.empty()) build(0, static_cast<std::int32_t>(places_.size()));
}

// Halves at the median of the widest axis.
std::int32_t PlaceTree::build(std::int32_t begin, std::int32_t end) {
  Node node;
  node.begin = begin, node.end = end;
  node.low = node.high = points_[order_[begin]];
  node.log_weight = -std::numeric_limits<double>::infinity();
  for (std::int32_t i = begin; i < end; ++i) {
    const Point& p = points_[order_[i]];
    for (int axis = 0; axis < 3; ++axis) {
      node.low[axis] = std::min(node.low[axis], p[axis]);
      node.high[axis] = std::max(node.high[axis], p[axis]);
    }
    node.log_weight = std::max(node.log_weight, places_[order_[i]].log_weight);
  }
  const auto number = static_cast<std::int32_t>(nodes_.size());
  nodes_.push_back(node);
  if (end - begin <= leaf_places) return number;
  int widest = 0;
  for (int axis = 1; axis < 3; ++axis)
    if (node.high[axis] - node.low[axis] > node.high[widest] - node.low[widest]) widest = axis;
  const std::int32_t middle = begin + (end - begin) / 2;
  std::nth_element(order_.begin() + begin, order_.begin() + middle, order_.begin() + end,
                   [&](auto a, auto b) { return points_[a][widest] < points_[b][widest]; });
  const std::int32_t left = build(begin, middle), right = build(middle, end);
  nodes_[number].left = left, nodes_[number].right = right;
  return number;
}

// No place of the node scores more: the great circle is longest for the longest chord.
double PlaceTree::bound(const Node& node, const Point& at) const {
  double squared = 0;
  for (int axis = 0; axis < 3; ++axis) {
    const double gap = std::max({node.low[axis] - at[axis], at[axis] - node.high[axis], 0.0});
    squared += gap * gap;
  }
  const double km = 2 * earth_radius_km * std::asin(std::min(1.0, std::sqrt(squared) / 2));
  return node.log_weight - std::max(0.0, km - slack_km) / decay_km_;
}

void PlaceTree::visit(std::int32_t number, Query& query) const {
  const Node& node = nodes_[number];
  if (bound(node, query.at) < query.threshold()) return;
  if (node.left >= 0) {
    const bool left_first = bound(nodes_[node.left], query.at) >= bound(nodes_[node.right], query.at);
    visit(left_first ? node.left : node.right, query);
    visit(left_first ? node.right : node.left, query);
    return;
  }
  for (std::int32_t i = node.begin; i < node.end; ++i) {
    const WeightedPlace& p = places_[order_[i]];
    const double km = distance_km(query.latitude, query.longitude, p.latitude, p.longitude);
    query.offer({p.log_weight - km / decay_km_, order_[i]});
  }
}

std::vector<PlaceScore> PlaceTree::best(double latitude, double longitude, std::size_t count) const {
  Query query{latitude, longitude, on_sphere(latitude, longitude), count};
  if (!nodes_.empty() && count > 0) visit(0, query);
  std::sort(query.heap.begin(), query.heap.end(), better);
  return std::move(query.heap);
}

}  // namespace chronotope
