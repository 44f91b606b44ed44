#pragma once
// Finds the places that are near and popular, exactly, without looking at most of them.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace chronotope {

/// A place with its weight at distance 0, as a logarithm.
struct WeightedPlace {
  double latitude = 0, longitude = 0;
  double log_weight = 0;
};

/// A place of an answer: log_weight - km / decay_km.
struct PlaceScore {
  double score = 0;
  std::int32_t place = 0;
};

/// A k-d tree over the places as points of the unit sphere, so that neither poles nor the date line are special.
/// Building: O(n log n) time, O(n) memory.
class PlaceTree {
 public:
  PlaceTree(std::vector<WeightedPlace> places, double decay_km);

  /// The `count` best places for a position in degrees, best first, the lower number first among equals; fewer only
  /// when there are fewer. Subtrees that cannot hold one of them are left out: typically O(log n + count log count).
  std::vector<PlaceScore> best(double latitude, double longitude, std::size_t count) const;

 private:
  using Point = std::array<double, 3>;
  struct Node {
    Point low{}, high{};    // box around the places
    double log_weight = 0;  // highest inside
    std::int32_t begin = 0, end = 0;
    std::int32_t left = -1, right = -1;
  };
  struct Query;

  std::int32_t build(std::int32_t begin, std::int32_t end);
  double bound(const Node& node, const Point& at) const;
  void visit(std::int32_t node, Query& query) const;

  double decay_km_;
  std::vector<WeightedPlace> places_;
  std::vector<Point> points_;
  std::vector<std::int32_t> order_;
  std::vector<Node> nodes_;
};

}  // namespace chronotope
