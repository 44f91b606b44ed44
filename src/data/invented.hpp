#pragma once
// What invented cities and worlds are made of: random numbers, parts of the day, the plane around a centre. Whole
// numbers only, so that every platform makes the same.

#include <array>
#include <cstdint>
#include <vector>

namespace chronotope::invented {

/// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): the same numbers on every platform, unlike std distributions.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream);

  std::uint64_t next();
  /// 0 to count - 1.
  int below(int count);
  bool chance(int percent) { return below(100) < percent; }
  /// An index with probability in proportion to its weight; -1 if all are 0.
  int pick(const std::vector<std::int64_t>& weights);

 private:
  std::uint64_t state_;
};

/// Parts of the day: 0-5, 6-9, 10-11, 12-14, 15-17, 18-20 and 21-23 o'clock.
inline constexpr int day_parts = 7;
int day_part(int hour);

/// How many people are up and about at each hour, in any unit.
const std::array<int, 24>& awake(bool weekend);

inline constexpr std::int64_t first_day = 1'704'067'200;  // Monday 2024-01-01 00:00 on the local clock

struct Point {
  int x = 0, y = 0;  ///< metres east and north of the centre
};

/// Nearness falls with the square of the distance beyond the reach (metres): `full` at distance 0.
std::int64_t nearness(Point a, Point b, int reach, std::int64_t full);

/// Metres around a centre as degrees.
class Plane {
 public:
  /// Degrees.
  Plane(double latitude, double longitude);

  double latitude(Point at) const;
  double longitude(Point at) const;

 private:
  std::int64_t latitude_, longitude_;  // millionths of a degree
  std::int64_t narrowing_;             // cosine of the latitude x 65536
};

}  // namespace chronotope::invented
