#include "chronotope/components/candidate_pointers.hpp"

#include "components/pointer_bins.hpp"

namespace chronotope {
namespace {

std::vector<TokenTrail::PlaceToken> places_in(const TokenTrail& trail, std::span<const std::int32_t> rows) {
  std::vector<TokenTrail::PlaceToken> all;
  for (const std::int32_t row : rows) all.push_back(trail.place(row));
  return all;
}

std::vector<std::int32_t> steps_of(const std::vector<TokenTrail::PlaceToken>& places) {
  std::vector<std::int32_t> all;
  for (const TokenTrail::PlaceToken& p : places) all.push_back(p.step);
  return all;
}

/// From whoever asks to the candidate.
std::int32_t distance_to(const TokenPosition& place, const TrailStep& asking, const std::vector<TrailStep>& steps) {
  TokenPosition from = asking.user;
  if (!from.known() && asking.past > asking.first)
    if (const TrailStep& before = steps[static_cast<std::size_t>(asking.past) - 1]; asking.knows(before)) from = before.place;
  return from.known() && place.known() ? pointer_bins::distance(from, place, pointer_bins::cosine(from.latitude)) : PointerBins::distance;
}

}  // namespace

CandidatePointers::CandidatePointers(const TokenTrail& trail, std::span<const std::int32_t> rows) : CandidatePointers(trail, places_in(trail, rows)) {}

CandidatePointers::CandidatePointers(const TokenTrail& trail, const Places& places) : PastGrid(trail, steps_of(places)), step(steps_of(places)) {
  for (const TokenTrail::PlaceToken& p : places) {
    place.push_back(p.place.vector), category.push_back(p.place.category);
    distance.push_back(distance_to(p.place.at, trail.steps()[static_cast<std::size_t>(p.step)], trail.steps()));
  }
  const std::size_t cells = places.size() * static_cast<std::size_t>(keys);
  elsewhere.assign(cells, 1), otherwise.assign(cells, 1), unseen.assign(cells, 1);
  for_each(trail, step, [&](std::size_t a, std::size_t cell, const TrailStep& asking, const TrailStep& past) {
    const TokenTrail::PlaceToken& p = places[a];
    if (!asking.knows(past) || past.inner == 0) return;
    unseen[cell] = 0;
    elsewhere[cell] = past.block != p.block || past.inner != p.place.inner;
    otherwise[cell] = past.category == 0 || past.category != p.place.category;
  });
}

}  // namespace chronotope
