#pragma once
// Generating places (Spacetime-GR, 5.1.1): the most probable blocks, the most probable places in each, by the product of both
// probabilities. Only places that exist, and that the request allows, come out.

#include <algorithm>
#include <functional>
#include <numeric>

#include "chronotope/data/place_catalogue.hpp"
#include "chronotope/models/encoded.hpp"
#include "chronotope/ops/elementwise.hpp"

namespace chronotope {

/// Runs work that reads nothing from the device: as it is, or as a graph.
using RunWork = std::function<void(const std::function<void()>& work)>;
inline void run_as_it_is(const std::function<void()>& work) { work(); }

/// What may be generated, asked while the beams grow: what is not allowed takes no place in a beam.
struct PlaceLimits {
  std::function<bool(std::uint32_t block)> block;  ///< block tokens; none: all
  std::function<bool(std::uint32_t place)> place;  ///< numbers of the catalogue; none: all
};

struct BeamOptions {
  std::int64_t blocks = 10, inners = 10;  ///< widths
  std::int64_t top = 100;                 ///< places wanted
  /// Goes on with further blocks until no place of them can be among the `top`: the exact answer, at the price of as many blocks
  /// as that takes. `inners` is then at least `top`.
  bool exact = false;
};

struct GeneratedPlace {
  std::uint32_t place = 0;  ///< number in the catalogue
  double log_probability = 0;
};

namespace detail {

/// Numbers of the `most` largest allowed entries of scores, falling; lower numbers first among equals. O(n + most log most).
template <class Allowed>
std::vector<std::uint32_t> largest(std::span<const float> scores, std::size_t most, Allowed&& allowed) {
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < scores.size(); ++i)
    if (allowed(i)) order.push_back(i);
  const auto before = [&](std::uint32_t a, std::uint32_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; };
  const std::size_t kept = std::min(most, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(), before);
  order.resize(kept);
  return order;
}

inline void keep_best(std::vector<GeneratedPlace>& places, std::size_t top) {
  const auto before = [](const GeneratedPlace& a, const GeneratedPlace& b) { return a.log_probability != b.log_probability ? a.log_probability > b.log_probability : a.place < b.place; };
  const std::size_t kept = std::min(top, places.size());
  std::partial_sort(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(kept), places.end(), before);
  places.resize(kept);
}

/// The allowed places of one block by their log-probabilities `scores` [NI], the best added to `places`.
void add_places(const PlaceCatalogue& catalogue, std::uint32_t block, double block_score, std::span<const float> scores, const PlaceLimits& limits,
                std::size_t most, std::vector<GeneratedPlace>& places);

/// A request while its beams grow.
struct Beam {
  Prefix seen;                             ///< rows of the request in the encoded sequences
  std::vector<std::uint32_t> blocks;       ///< that may be expanded, best first
  std::vector<double> block_scores;        ///< of those
  std::vector<GeneratedPlace> places;      ///< found so far, best first
  std::size_t expanded = 0;                ///< of the blocks

  /// No further block can change the answer: a place is at most as probable as its block.
  bool done(std::size_t top) const {
    return expanded >= blocks.size() || (places.size() >= top && places.back().log_probability >= block_scores[expanded]);
  }
};

inline Beam make_beam(Prefix seen, std::span<const float> scores, const PlaceLimits& limits, std::size_t most) {
  Beam beam{seen, {}, {}, {}};
  beam.blocks = largest(scores, most, [&](std::uint32_t block) { return block != 0 && (!limits.block || limits.block(block)); });
  for (const std::uint32_t block : beam.blocks) beam.block_scores.push_back(scores[block]);
  return beam;
}

template <Backend B> Tensor<B> as_f32(const Tensor<B>& x) { return x.dtype() == DType::f32 ? x : cast(x, DType::f32); }

/// Row `row` of `rows` in row-major values.
inline std::span<const float> row_of(const std::vector<float>& all, std::size_t row, std::size_t rows) {
  const std::size_t width = all.size() / rows;
  return std::span(all).subspan(row * width, width);
}

/// One round: the next blocks of every beam that is not done, as branches of their requests. False when all were done.
template <class Model, Backend B>
bool expand(Context<B>& context, const Model& model, const PlaceCatalogue& catalogue, Encoded<B>& encoded, std::vector<Beam>& beams,
            const PlaceLimits& limits, std::size_t blocks, std::size_t inners, std::size_t top, const RunWork& run) {
  TokenBatch branches;
  std::vector<std::int32_t> rows;
  std::vector<std::pair<Beam*, std::size_t>> of;
  const auto mark = encoded.mark();
  for (Beam& beam : beams) {
    if (beam.done(top)) continue;
    const std::size_t first = beam.expanded;
    beam.expanded = std::min(beam.blocks.size(), first + blocks);
    for (std::size_t i = first; i < beam.expanded; ++i) {
      branches.branch(beam.seen);
      const std::int32_t row = branches.block(static_cast<std::int32_t>(beam.blocks[i]));
      branches.ask(row, Question::inner);
      rows.push_back(static_cast<std::int32_t>(mark.tokens) + row);
      of.emplace_back(&beam, i);
    }
  }
  if (of.empty()) return false;
  Tensor<B> found;
  run([&] { found = as_f32(model.head.inner_scores(encoded.add(context, model, branches), encoded.contexts(), rows)); });
  const std::vector<float> scores = found.template to_host<float>();
  encoded.keep(mark);
  for (std::size_t b = 0; b < of.size(); ++b) {
    const auto [beam, i] = of[b];
    add_places(catalogue, beam->blocks[i], beam->block_scores[i], row_of(scores, b, of.size()), limits, inners, beam->places);
  }
  for (Beam& beam : beams) keep_best(beam.places, top);
  return true;
}

}  // namespace detail

/// Generates for requests whose tokens are in `encoded`: request i sees the rows seen[i], from its sequence's first on, and h [R, D] has
/// the hidden states of the last of them. Best first for each. `encoded` is as before when it returns. `run` gets the work between two reads of the device. A round costs
/// O((NB + blocks x NI) D) a request; with `exact` there may be NB / blocks of them.
template <class Model, Backend B = typename Model::backend>
std::vector<std::vector<GeneratedPlace>> generate_places(Context<B>& context, const Model& model, const PlaceCatalogue& catalogue, Encoded<B>& encoded,
                                                         const Tensor<B>& h, std::span<const Prefix> seen, const PlaceLimits& limits, const BeamOptions& options,
                                                         const RunWork& run = run_as_it_is) {
  const NoGrad no_grad;
  const auto top = static_cast<std::size_t>(options.top), blocks = static_cast<std::size_t>(options.blocks);
  const bool single = catalogue.block_rows() == 0;
  std::vector<std::int32_t> rows;
  for (const Prefix& own : seen) rows.push_back(own.end - 1);
  const ContextStates<B>& past = encoded.contexts();
  Tensor<B> first;
  run([&] { first = detail::as_f32(single ? model.head.inner_scores(h, past, rows) : model.head.block_scores(h, past, rows)); });
  const std::vector<float> scores = first.template to_host<float>();
  std::vector<detail::Beam> beams;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto own = detail::row_of(scores, i, seen.size());
    beams.push_back(single ? detail::Beam{seen[i], {}, {}, {}} : detail::make_beam(seen[i], own, limits, options.exact ? own.size() : blocks));
    if (single) detail::add_places(catalogue, 0, 0, own, limits, top, beams.back().places);
  }
  const auto inners = static_cast<std::size_t>(options.exact ? std::max(options.inners, options.top) : options.inners);
  while (detail::expand(context, model, catalogue, encoded, beams, limits, blocks, inners, top, run)) {}
  std::vector<std::vector<GeneratedPlace>> found;
  for (detail::Beam& beam : beams) found.push_back(std::move(beam.places));
  return found;
}

}  // namespace chronotope
