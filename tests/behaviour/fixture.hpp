#pragma once
// A small made-up batch in f64, and every behaviour module at a small size.

#include "chronotope/components/behaviour/all.hpp"
#include "chronotope/components/click_concepts.hpp"
#include "components/tiny.hpp"

namespace chronotope::test {

inline constexpr std::int64_t kept = 6, materials = 2, key_width = 4;
inline const ClickWidths widths{2, 2, 3, 4, key_width, kept};

/// Samples with everything a module may read. Behaviour ids: item, category, region; request ids: region.
struct World {
  ClickBatch host;
  std::vector<T> parts;  ///< hour, week, location, item
  T keys;

  T valid() const { return T::from_host(context(), host.valid, {host.samples, host.kept}); }
  ClickInputs<Reference> with(const std::vector<T>& own_parts, const T& own_keys) const {
    return {host, {own_parts[0], own_parts[1], own_parts[2], own_parts[3], T()}, own_keys, valid()};
  }
  ClickInputs<Reference> inputs() const { return with(parts, keys); }
};

/// Gives every value in padding (`inside` false) or outside of it a number that follows from `seed`.
inline void fill(ClickBatch& host, std::uint64_t seed, bool in_padding) {
  const auto number = [&](std::uint64_t which, std::size_t at, std::uint32_t below) { return static_cast<std::int32_t>(philox(seed, which, at)[0] % below); };
  for (std::size_t at = 0; at < host.valid.size(); ++at) {
    if ((host.valid[at] == 0) != in_padding) continue;
    host.behaviour_hour[at] = number(0, at, 24), host.behaviour_weekday[at] = number(1, at, 7);
    host.age[at] = std::exp(static_cast<float>(number(2, at, 80)) / 10 - 3);
    for (std::size_t c = 0; c < 3; ++c) host.behaviour_ids[c][at] = number(3 + c, at, 4);
    const std::size_t k = static_cast<std::size_t>(host.kept), m = static_cast<std::size_t>(host.materials);
    for (std::size_t j = 0; j < m; ++j) host.review[(at / k * m + j) * k + at % k] = static_cast<std::uint8_t>(number(6 + j, at, 2));
  }
}

/// Rows with this many behaviours each, the newest of them last.
inline World world(const std::vector<std::int64_t>& behaviours = {kept, 4, 1, 0, kept}, std::uint64_t seed = 5) {
  World w;
  ClickBatch& host = w.host;
  host.samples = static_cast<std::int64_t>(behaviours.size()), host.kept = kept, host.materials = materials;
  const auto rows = behaviours.size(), all = rows * static_cast<std::size_t>(kept);
  host.valid.resize(all), host.behaviour_hour.resize(all), host.behaviour_weekday.resize(all), host.age.resize(all);
  host.behaviour_ids.assign(3, std::vector<std::int32_t>(all)), host.ids.assign(1, std::vector<std::int32_t>(rows));
  host.review.resize(all * static_cast<std::size_t>(materials));
  for (std::size_t i = 0; i < rows; ++i) {
    host.hour.push_back(static_cast<std::int32_t>(philox(seed, 20, i)[0] % 24)), host.weekday.push_back(0);
    host.ids[0][i] = 1 + static_cast<std::int32_t>(i % 3);
    for (std::int64_t j = kept - behaviours[i]; j < kept; ++j) host.valid[i * static_cast<std::size_t>(kept) + static_cast<std::size_t>(j)] = 1;
  }
  fill(host, seed, false);
  std::uint64_t next = seed + 1;
  for (std::int64_t width : {widths.hour, widths.week, widths.location, widths.item}) w.parts.push_back(random({host.samples, width}, next++));
  w.keys = random({host.samples, kept, widths.key}, next);
  return w;
}

/// Rows `begin` to `end` - 1 alone, without the first `front` places.
inline World part(const World& w, std::size_t begin, std::size_t end, std::size_t front = 0) {
  const auto k = static_cast<std::size_t>(w.host.kept), m = static_cast<std::size_t>(w.host.materials);
  World out;
  out.host.samples = static_cast<std::int64_t>(end - begin), out.host.kept = w.host.kept - static_cast<std::int64_t>(front), out.host.materials = w.host.materials;
  const auto cut = [&](const auto& from, std::size_t rows) {  // `rows` rows of k a sample
    auto to = from;
    to.clear();
    for (std::size_t r = begin * rows; r < end * rows; ++r)
      to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(r * k + front), from.begin() + static_cast<std::ptrdiff_t>((r + 1) * k));
    return to;
  };
  const auto own = [&](const std::vector<std::int32_t>& from) {
    return std::vector<std::int32_t>(from.begin() + static_cast<std::ptrdiff_t>(begin), from.begin() + static_cast<std::ptrdiff_t>(end));
  };
  out.host.hour = own(w.host.hour), out.host.weekday = own(w.host.weekday), out.host.ids = {own(w.host.ids[0])};
  out.host.valid = cut(w.host.valid, 1), out.host.age = cut(w.host.age, 1), out.host.review = cut(w.host.review, m);
  out.host.behaviour_hour = cut(w.host.behaviour_hour, 1), out.host.behaviour_weekday = cut(w.host.behaviour_weekday, 1);
  for (const auto& column : w.host.behaviour_ids) out.host.behaviour_ids.push_back(cut(column, 1));
  const auto rows = [&](const T& x) { return slice(x, 0, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end)); };
  for (const T& x : w.parts) out.parts.push_back(rows(x));
  out.keys = slice(rows(w.keys), 1, static_cast<std::int64_t>(front), w.host.kept);
  return out;
}

// Every module, by type and name.

template <class M> struct Make;
#define CHRONOTOPE_MAKE(name, ...)                                             \
  template <> struct Make<name<Reference>> {                                   \
    static constexpr const char* text = #name;                                 \
    static name<Reference> make(const ClickWidths& w = widths) { return name<Reference>(context(), w __VA_OPT__(, ) __VA_ARGS__, DType::f64); } \
  };
CHRONOTOPE_MAKE(NoBehaviours)
CHRONOTOPE_MAKE(GsuPooling)
CHRONOTOPE_MAKE(Din, DinOptions{5})
CHRONOTOPE_MAKE(Dien)
CHRONOTOPE_MAKE(Sim, SimOptions{2, 3})
CHRONOTOPE_MAKE(TwinV2, TwinV2Options{2, 0, 1})
CHRONOTOPE_MAKE(InterestClock, InterestClockOptions{1.5})
CHRONOTOPE_MAKE(LongInterestClock, LongInterestClockOptions{2, 4})
CHRONOTOPE_MAKE(Fim, FimOptions{2, materials})
CHRONOTOPE_MAKE(StPil, StPilOptions{0, 2, 4})
CHRONOTOPE_MAKE(MultiHeadAttention, MultiHeadAttentionOptions{2})
#undef CHRONOTOPE_MAKE

/// A module whose parameters are all away from their initial values.
template <class M> M made() {
  M module = Make<M>::make();
  stir(module, 40);
  return module;
}

#define CHRONOTOPE_MODULES                                                                                             \
  NoBehaviours<Reference>, GsuPooling<Reference>, Din<Reference>, Dien<Reference>, Sim<Reference>, TwinV2<Reference>,  \
      InterestClock<Reference>, LongInterestClock<Reference>, Fim<Reference>, StPil<Reference>, MultiHeadAttention<Reference>

}  // namespace chronotope::test
