#include "chronotope/components/token_trail.hpp"

#include <algorithm>
#include <string>

namespace chronotope {
namespace {

/// The first of `all` whose row is not below `row`.
template <class All> auto from_row(All& all, std::int32_t row) {
  return std::partition_point(all.begin(), all.end(), [&](const auto& one) { return one.row < row; });
}

}  // namespace

void TokenTrail::begin(Prefix seen) {
  now_.seen = seen, now_.first = static_cast<std::int32_t>(steps_.size()), now_.step = -1;
  if (seen.length() == 0) return;
  const auto behind = from_row(steps_, seen.end);
  if (behind != steps_.begin() && (behind - 1)->row >= seen.begin) now_.step = static_cast<std::int32_t>(behind - steps_.begin()) - 1;
}

void TokenTrail::context(const ContextInput& input) {
  const auto number = static_cast<std::int32_t>(steps_.size());
  TrailStep step{now_.rows, now_.first, number, now_.rows, input.when, input.local, input.at, {}};
  if (const Prefix seen = now_.seen; seen.length() > 0) {
    if (number > now_.first) throw DataError("[tokens] row " + std::to_string(now_.rows) + " is a second context in a branch: pointers know one a branch");
    const auto numbered = [&](std::int32_t row) { return static_cast<std::int32_t>(from_row(steps_, row) - steps_.begin()); };
    step.first = numbered(seen.begin), step.past = numbered(seen.end), step.sees = seen.end;
  }
  now_.step = number;
  steps_.push_back(step);
}

void TokenTrail::inner(const InnerInput& input) {
  const std::int32_t block = !blocks_.empty() && blocks_.back().step == now_.step ? blocks_.back().block : 0;
  places_.push_back({now_.rows, now_.step, block, input});
  if (now_.seen.length() > 0 || now_.step < 0) return;
  TrailStep& step = steps_[static_cast<std::size_t>(now_.step)];
  step.block = block;
  step.place_row = now_.rows, step.inner = input.inner, step.category = input.category, step.place = input.at;
}

void TokenTrail::add(const TokenBatch& batch, bool goes_on) {
  std::size_t token = 0, contexts = 0, blocks = 0, inners = 0;
  for (std::size_t s = 0; s < batch.lengths().size(); ++s) {
    if (s > 0 || !goes_on) begin(batch.prefixes()[s]);
    for (std::int32_t i = 0; i < batch.lengths()[s]; ++i, ++now_.rows) {
      const TokenKind kind = batch.kinds()[token++];
      if (kind == TokenKind::context) context(batch.contexts()[contexts++]);
      if (kind == TokenKind::block) blocks_.push_back({now_.rows, now_.step, batch.blocks()[blocks++]});
      if (kind == TokenKind::inner) inner(batch.inners()[inners++]);
    }
  }
}

TokenTrail::Asker TokenTrail::asker(std::int32_t row) const {
  const auto step = from_row(steps_, row);
  if (step != steps_.end() && step->row == row) return {static_cast<std::int32_t>(step - steps_.begin()), -1};
  const auto block = from_row(blocks_, row);
  if (block == blocks_.end() || block->row != row || block->step < 0)
    throw DataError("[tokens] row " + std::to_string(row) + " is asked for a place, but is neither a context nor a block behind one");
  return {block->step, block->block};
}

const TokenTrail::PlaceToken& TokenTrail::place(std::int32_t row) const {
  const auto place = from_row(places_, row);
  if (place == places_.end() || place->row != row || place->step < 0)
    throw DataError("[tokens] row " + std::to_string(row) + " is asked for a click, but is no place behind a context");
  return *place;
}

void TokenTrail::keep(const Mark& mark) {
  steps_.erase(from_row(steps_, mark.rows), steps_.end());
  blocks_.erase(from_row(blocks_, mark.rows), blocks_.end());
  places_.erase(from_row(places_, mark.rows), places_.end());
  if (!steps_.empty() && steps_.back().place_row >= mark.rows) {
    TrailStep& last = steps_.back();
    last.place_row = -1, last.block = last.inner = last.category = 0, last.place = {};
  }
  now_ = mark;
}

}  // namespace chronotope
