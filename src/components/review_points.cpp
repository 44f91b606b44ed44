#include "chronotope/components/review_points.hpp"

#include <algorithm>

#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

std::vector<float> positions(std::int64_t kept, std::size_t samples) {
  std::vector<float> time;
  time.reserve(samples * static_cast<std::size_t>(kept));
  for (std::size_t b = 0; b < samples; ++b)
    for (std::int64_t i = kept - 1; i >= 0; --i) time.push_back(static_cast<float>(i));
  return time;
}

std::size_t rows(std::int64_t kept, std::size_t values) {
  if (kept < 1 || values % static_cast<std::size_t>(kept) != 0)
    throw ShapeError("[review points] " + std::to_string(values) + " flags are no rows of " + std::to_string(kept) + " behaviours");
  return values / static_cast<std::size_t>(kept);
}

}  // namespace

ReviewPoints::ReviewPoints(std::int64_t materials, std::int64_t kept, std::span<const std::uint8_t> valid, std::span<const std::uint8_t> review)
    : ReviewPoints(materials, kept, valid, review, positions(kept, rows(kept, valid.size()))) {}

ReviewPoints::ReviewPoints(std::int64_t materials, std::int64_t kept, std::span<const std::uint8_t> valid, std::span<const std::uint8_t> review,
                           std::span<const float> time)
    : samples(static_cast<std::int64_t>(rows(kept, valid.size()))), materials(materials), kept(kept), valid(valid.begin(), valid.end()),
      review(review.begin(), review.end()), time(time.begin(), time.end()) {
  const std::size_t flags = valid.size() * static_cast<std::size_t>(std::max<std::int64_t>(materials, 0));
  if (materials < 1 || review.size() != flags || time.size() != valid.size())
    throw ShapeError("[review points] valid " + std::to_string(valid.size()) + ", review " + std::to_string(review.size()) + ", time " +
                     std::to_string(time.size()) + " values for " + std::to_string(materials) + " materials of " + std::to_string(kept) + " behaviours");
}

}  // namespace chronotope
