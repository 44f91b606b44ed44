#include "chronotope/components/token_pointers.hpp"

namespace chronotope {
namespace {

std::vector<TokenTrail::Asker> askers_of(const TokenTrail& trail, std::span<const PointerAsk> asks) {
  std::vector<TokenTrail::Asker> all;
  for (const PointerAsk& ask : asks) all.push_back(trail.asker(ask.row));
  return all;
}

std::vector<std::int32_t> steps_of(const std::vector<TokenTrail::Asker>& askers) {
  std::vector<std::int32_t> all;
  for (const TokenTrail::Asker& a : askers) all.push_back(a.step);
  return all;
}

}  // namespace

TokenPointers::TokenPointers(const TokenTrail& trail, std::span<const PointerAsk> asks) : TokenPointers(trail, asks, askers_of(trail, asks)) {}

TokenPointers::TokenPointers(const TokenTrail& trail, std::span<const PointerAsk> asks, const Askers& askers) : PastGrid(trail, steps_of(askers)) {
  const std::size_t cells = asks.size() * static_cast<std::size_t>(keys);
  value.assign(cells, 0), hidden.assign(cells, 1), alone.assign(asks.size(), 1);
  for_each(trail, steps_of(askers), [&](std::size_t a, std::size_t cell, const TrailStep& asking, const TrailStep& past) {
    if (!asking.knows(past) || past.inner == 0 || (askers[a].block >= 0 && past.block != askers[a].block)) return;
    hidden[cell] = 0, alone[a] = 0;
    value[cell] = asks[a].what == Question::block ? past.block : past.inner;
  });
}

std::vector<float> TokenPointers::match(std::span<const std::int32_t> targets) const {
  std::vector<float> all(hidden.size());
  const std::size_t N = hidden.size() / targets.size();
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = hidden[i] == 0 && value[i] == targets[i / N] ? 1.f : 0.f;
  return all;
}

}  // namespace chronotope
