#include "chronotope/train/action_windows.hpp"

#include <algorithm>

#include "chronotope/core/shuffle.hpp"

namespace chronotope {
namespace {

/// Actions first … last - 1 in windows; see sequence_windows.
void cut(std::size_t user, std::size_t first, std::size_t last, std::size_t length, std::size_t offset, std::vector<ActionWindow>& windows) {
  if (last - first < 2) return;
  const std::size_t half = std::max<std::size_t>(length / 2, 1);
  for (std::size_t start = first; start < last;) {
    const std::size_t end = std::min(last, start + (start == first ? length - offset : half));
    windows.push_back({user, std::max(first + length, end) - length, end, start == first ? first + 1 : start});
    start = end;
  }
}

}  // namespace

std::vector<ActionWindow> sequence_windows(const ActionHistories& h, SequenceSet set, std::int64_t length, std::int64_t until,
                                           std::uint64_t seed, std::uint64_t epoch) {
  const auto L = static_cast<std::size_t>(length);
  std::vector<ActionWindow> windows;
  for (std::size_t user = 0; user < h.users.size(); ++user) {
    std::size_t last = h.begin[user];
    while (last < h.begin[user + 1] && h.actions[last].utc < until) ++last;
    const auto run_end = [&](std::size_t at) { return static_cast<std::size_t>(std::find_if(h.status.begin() + static_cast<std::ptrdiff_t>(at), h.status.begin() + static_cast<std::ptrdiff_t>(last), [&](TravelStatus s) { return s != h.status[at]; }) - h.status.begin()); };
    const auto add = [&](std::size_t first, std::size_t end) { cut(user, first, end, L, end - first > L ? draw_below(seed, epoch, first, std::max<std::size_t>(L / 2, 1)) : 0, windows); };
    if (set == SequenceSet::single)
      for (std::size_t at = h.begin[user]; at < last; at = run_end(at)) add(at, run_end(at));
    else if (h.begin[user] < last && run_end(h.begin[user]) < last) add(h.begin[user], last);
  }
  return windows;
}

std::vector<ActionWindow> target_windows(const ActionHistories& h, std::int64_t length, std::int64_t from, std::int64_t until) {
  const auto L = static_cast<std::size_t>(length);
  std::vector<ActionWindow> windows;
  for (std::size_t user = 0; user < h.users.size(); ++user)
    for (std::size_t at = h.begin[user] + 1; at < h.begin[user + 1]; ++at) {
      const PastAction& a = h.actions[at];
      if (a.utc >= from && a.utc < until && a.interest && a.place != 0)
        windows.push_back({user, std::max(h.begin[user] + L, at + 1) - L, at + 1, at});
    }
  return windows;
}

std::size_t forgotten_actions(std::size_t actions, std::size_t length) {
  if (actions <= length) return 0;
  const std::size_t at_once = length - std::max<std::size_t>(length / 2, 1) + 1;
  return (actions - length + at_once - 1) / at_once * at_once;
}

ActionRows add_place_tokens(const ActionTokenizer& tokenizer, const PastAction& action, bool with_inner, TokenBatch& batch) {
  ActionRows rows;
  rows.context = rows.block = batch.context(tokenizer.context(action));
  if (tokenizer.places().block_rows() > 0) rows.block = batch.block(tokenizer.block(action));
  if (!with_inner) return rows;
  batch.inner(tokenizer.inner(action));
  if (!tokenizer.vocabulary().types.empty()) batch.type(action.type);
  return rows;
}

ActionTokens::ActionTokens(const ActionHistories& histories, const ActionTokenizer& tokenizer, std::int64_t profile_tokens)
    : histories_(histories), tokenizer_(tokenizer), profiles_(histories.users.size()) {
  for (std::size_t user = 0; user < profiles_.size() && profile_tokens > 0; ++user)
    if (!histories.profiles[user].empty()) profiles_[user] = profile_pieces(tokenizer.vocabulary(), histories.profiles[user], profile_tokens);
}

std::vector<std::int32_t> profile_pieces(const ActionVocabulary& vocabulary, const std::string& profile, std::int64_t most) {
  std::vector<std::int32_t> pieces = vocabulary.profiles.encode(profile, static_cast<std::size_t>(most - 1));
  pieces.push_back(TextTokenizer::end);
  return pieces;
}

void ActionTokens::add_profile(std::size_t user, TokenBatch& batch) const {
  if (user >= profiles_.size()) return;
  for (const std::int32_t piece : profiles_[user]) batch.text(piece);
}

bool ActionTokens::add(const ActionWindow& w, TokenBatch& batch) const {
  const bool any = [&] {
    for (std::size_t i = w.first_target; i < w.end; ++i)
      if (asked(i)) return true;
    return false;
  }();
  if (!any) return false;
  batch.sequence();
  add_profile(w.user, batch);
  for (std::size_t i = w.begin; i < w.end; ++i) {
    const ActionRows rows = add_place_tokens(tokenizer_, histories_.actions[i], i + 1 < w.end, batch);
    if (i < w.first_target || !asked(i)) continue;
    const PlaceCode target = tokenizer_.places().tokens(histories_.actions[i].place);
    if (rows.block != rows.context) batch.ask(rows.context, Question::block, static_cast<std::int32_t>(target.block));
    batch.ask(rows.block, Question::inner, static_cast<std::int32_t>(target.inner));
  }
  return true;
}

std::vector<std::int32_t> ActionTokens::add_history(std::size_t user, std::size_t begin, std::size_t end, TokenBatch& batch) const {
  batch.sequence();
  add_profile(user, batch);
  std::vector<std::int32_t> behind{batch.tokens()};
  for (std::size_t i = begin; i < end; ++i) {
    add_place_tokens(tokenizer_, histories_.actions[i], true, batch);
    behind.push_back(batch.tokens());
  }
  return behind;
}

}  // namespace chronotope
