#include "chronotope/train/request_histories.hpp"

#include <algorithm>

namespace chronotope {

RequestHistories::RequestHistories(const RequestPass& next, const ActionHistories& histories, const ActionTokenizer& tokenizer) {
  for (LoggedRequest r; next(r);) {
    AskedRequest asked;
    asked.utc = r.time;
    asked.at = {local_time(r.time, r.offset, r.user_position), r.user_position};
    asked.first_shown = shown.size(), asked.shown = r.shown.size();
    if (const auto user = histories.user(r.user)) {
      asked.user = *user;
      const auto own = histories.history(*user);
      const auto before = std::partition_point(own.begin(), own.end(), [&](const PastAction& a) { return a.utc < r.time; });
      asked.begin = histories.begin[*user], asked.end = asked.begin + static_cast<std::size_t>(before - own.begin());
    }
    for (const ShownPlace& place : r.shown) {
      shown.push_back(tokenizer.seen(place.place, place.position, place.category));
      clicked.push_back(place.clicked);
      unknown_places += shown.back().place == 0;
    }
    requests.push_back(asked);
  }
}

CandidateLabels RequestHistories::labels(std::span<const std::uint32_t> some, bool known) const {
  CandidateLabels labels;
  for (const std::uint32_t number : some) {
    const AskedRequest& r = requests[number];
    const std::size_t before = labels.clicked.size();
    for (std::size_t i = r.first_shown; i < r.first_shown + r.shown; ++i)
      if (!known || shown[i].place != 0) labels.clicked.push_back(clicked[i]);
    labels.counts.push_back(static_cast<std::int32_t>(labels.clicked.size() - before));
  }
  return labels;
}

std::vector<std::uint32_t> requests_between(const RequestHistories& h, std::int64_t from, std::int64_t until, RequestNeeds needs) {
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < h.requests.size(); ++i) {
    const AskedRequest& r = h.requests[i];
    if (r.utc < from || r.utc >= until || r.shown == 0) continue;
    const CandidateLabels own = h.labels({&i, 1}, needs == RequestNeeds::both_known);
    const auto clicked = std::count(own.clicked.begin(), own.clicked.end(), std::uint8_t{1});
    if (needs == RequestNeeds::anything || (clicked > 0 && clicked < static_cast<std::ptrdiff_t>(own.clicked.size()))) numbers.push_back(i);
  }
  return numbers;
}

std::int32_t add_candidate(const ActionTokenizer& tokenizer, const SeenPlace& place, TokenBatch& batch) {
  if (tokenizer.places().block_rows() > 0) batch.block(tokenizer.block(place));
  return batch.inner(tokenizer.inner(place));
}

Prefix RequestTokens::add_user(const AskedRequest& r, TokenBatch& batch) const {
  const std::int32_t first = batch.tokens();
  actions_.add_history(r.user, r.end - std::min(r.end - r.begin, length_), r.end, batch);
  return {first, batch.context(actions_.tokenizer().context(r.at)) + 1};
}

void RequestTokens::add_ranked(const AskedRequest& r, TokenBatch& batch) const {
  const Prefix seen = add_user(r, batch);
  for (const SeenPlace& place : requests_.candidates(r)) {
    batch.branch(seen);
    batch.ask(add_candidate(actions_.tokenizer(), place, batch), Question::state);
  }
}

void RequestTokens::add_generated(const AskedRequest& r, TokenBatch& batch) const {
  const ActionTokenizer& tokenizer = actions_.tokenizer();
  const Prefix seen = add_user(r, batch);
  const bool single = tokenizer.places().block_rows() == 0;
  for (const SeenPlace& place : requests_.candidates(r)) {
    if (place.place == 0) continue;
    const PlaceCode target = tokenizer.places().tokens(place.place);
    batch.ask(seen.end - 1, single ? Question::inner : Question::block, static_cast<std::int32_t>(single ? target.inner : target.block));
  }
  if (single) return;
  for (const SeenPlace& place : requests_.candidates(r)) {
    if (place.place == 0) continue;
    batch.branch(seen);
    batch.ask(batch.block(tokenizer.block(place)), Question::inner, static_cast<std::int32_t>(tokenizer.places().tokens(place.place).inner));
  }
}

}  // namespace chronotope
