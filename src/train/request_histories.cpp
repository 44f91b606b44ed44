#include "chronotope/train/request_histories.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

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
  actions_.add_history(r.user, history(r).second, r.end, batch);
  return {first, batch.context(actions_.tokenizer().context(r.at)) + 1};
}

/// What each of the requests sees of the histories that were added.
std::vector<Prefix> RequestTokens::add_histories(std::span<const std::uint32_t> some, TokenBatch& batch) const {
  struct Added {
    std::size_t end = 0;
    std::int32_t first = 0;
    std::vector<std::int32_t> behind = {};  // rows, as add_history says
  };
  std::map<History, Added> added;
  for (const std::uint32_t number : some) {
    const AskedRequest& r = requests_.requests[number];
    Added& own = added[history(r)];
    own.end = std::max(own.end, r.end);
  }
  for (auto& [key, own] : added) {
    own.first = batch.tokens();
    own.behind = actions_.add_history(key.first, key.second, own.end, batch);
  }
  std::vector<Prefix> seen;
  for (const std::uint32_t number : some) {
    const AskedRequest& r = requests_.requests[number];
    const History key = history(r);
    const Added& own = added.at(key);
    seen.push_back({own.first, own.behind[r.end - key.second]});
  }
  return seen;
}

void RequestTokens::add_users(std::span<const std::uint32_t> some, TokenBatch& batch) const {
  const std::vector<Prefix> seen = add_histories(some, batch);
  for (std::size_t i = 0; i < some.size(); ++i) {
    batch.branch(seen[i]);
    batch.ask(batch.context(actions_.tokenizer().context(requests_.requests[some[i]].at)), Question::state);
  }
}

void RequestTokens::add_ranked(std::span<const std::uint32_t> some, TokenBatch& batch) const {
  const std::vector<Prefix> seen = add_histories(some, batch);
  for (std::size_t i = 0; i < some.size(); ++i) {
    const AskedRequest& r = requests_.requests[some[i]];
    const ContextInput u = actions_.tokenizer().context(r.at);
    for (const SeenPlace& place : requests_.candidates(r)) {
      batch.branch(seen[i]);
      batch.context(u);
      batch.ask(add_candidate(actions_.tokenizer(), place, batch), Question::state);
    }
  }
}

void RequestTokens::add_generated(std::span<const std::uint32_t> some, TokenBatch& batch) const {
  const ActionTokenizer& tokenizer = actions_.tokenizer();
  const bool single = tokenizer.places().block_rows() == 0;
  const std::vector<Prefix> seen = add_histories(some, batch);
  for (std::size_t i = 0; i < some.size(); ++i) {
    const AskedRequest& r = requests_.requests[some[i]];
    const ContextInput u = tokenizer.context(r.at);
    std::optional<std::int32_t> row;
    for (const SeenPlace& place : requests_.candidates(r)) {
      if (place.place == 0) continue;
      if (!single || !row) batch.branch(seen[i]), row = batch.context(u);
      const PlaceCode target = tokenizer.places().tokens(place.place);
      if (!single) batch.ask(*row, Question::block, static_cast<std::int32_t>(target.block));
      batch.ask(single ? *row : batch.block(tokenizer.block(place)), Question::inner, static_cast<std::int32_t>(target.inner));
    }
  }
}

std::vector<std::vector<std::uint32_t>> RequestTokens::groups(std::span<const std::uint32_t> some, std::size_t most) const {
  const auto key = [&](std::uint32_t number) {
    const AskedRequest& r = requests_.requests[number];
    return std::tuple{history(r), r.utc, number};
  };
  std::vector<std::uint32_t> order(some.begin(), some.end());
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return key(a) < key(b); });
  std::vector<std::vector<std::uint32_t>> groups;
  for (auto first = order.begin(); first != order.end();) {
    const History own = history(requests_.requests[*first]);
    const auto end = std::find_if(first, order.end(), [&](std::uint32_t number) { return history(requests_.requests[number]) != own; });
    const auto sharing = static_cast<std::size_t>(end - first), pieces = own.first == AskedRequest::nobody ? sharing : (sharing + most - 1) / most;
    for (std::size_t piece = 0; piece < pieces; ++piece)
      groups.emplace_back(first + static_cast<std::ptrdiff_t>(sharing * piece / pieces), first + static_cast<std::ptrdiff_t>(sharing * (piece + 1) / pieces));
    first = end;
  }
  return groups;
}

}  // namespace chronotope
