#include "attention_units.hpp"

#include <string>

#include "chronotope/core/error.hpp"

namespace chronotope::onednn {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw ShapeError("[attention] " + what); }

void check_offsets(const std::int32_t* offsets, std::int64_t sequences, std::int64_t tokens) {
  if (offsets[0] != 0) refuse("offsets begin with " + std::to_string(offsets[0]) + ", not 0");
  for (std::int64_t s = 0; s < sequences; ++s) {
    if (offsets[s + 1] < offsets[s]) refuse("offsets fall after sequence " + std::to_string(s));
  }
  if (offsets[sequences] != tokens) {
    refuse("offsets end with " + std::to_string(offsets[sequences]) + ", tokens are " + std::to_string(tokens));
  }
}

void check_rows(const std::int32_t* rows, std::int64_t queries, std::int64_t tokens) {
  for (std::int64_t i = 0; i < queries; ++i) {
    if (rows[i] < 0 || rows[i] >= tokens) {
      refuse("query row " + std::to_string(rows[i]) + " is outside [0, " + std::to_string(tokens) + ")");
    }
    if (i > 0 && rows[i] <= rows[i - 1]) refuse("query rows do not ascend at entry " + std::to_string(i));
  }
}

/// A layout's lists.
struct Segments {
  const std::int32_t *offsets, *prefix, *rows;
  std::int64_t count, queries;

  explicit Segments(const AttentionLayout& layout)
      : offsets(layout.offsets.as<std::int32_t>()),
        prefix(layout.prefix.as<std::int32_t>()),
        rows(layout.query_rows.as<std::int32_t>()),
        count(layout.offsets.shape[0] - 1),
        queries(layout.query_rows.shape[0]) {}
  bool is_branch(std::int64_t s) const { return prefix && prefix[2 * s + 1] != prefix[2 * s]; }
  std::int32_t prefix_length(std::int64_t s) const { return is_branch(s) ? prefix[2 * s + 1] - prefix[2 * s] : 0; }

  /// Calls f(query, segment) for all queries.
  template <class F> void each_query(F&& f) const {
    std::int64_t s = 0;
    for (std::int64_t i = 0; i < queries; ++i) {
      while (rows[i] >= offsets[s + 1]) ++s;
      f(i, s);
    }
  }
};

/// What a plan keeps, and what is needed while it is made.
struct Lists {
  Sequence* sequences;
  Query* queries;
  OwnKey* own;
  std::int32_t *unseen, *sequence, *asked;  ///< a segment's sequence, and its own tokens up to the last one that asks
  std::int64_t floats;

  Lists(Arena arena, const Segments& segments, std::int64_t tokens) {
    sequences = arena.take_as<Sequence>(segments.count);
    queries = arena.take_as<Query>(segments.queries);
    own = arena.take_as<OwnKey>(tokens);
    unseen = arena.take_as<std::int32_t>(tokens);
    sequence = arena.take_as<std::int32_t>(segments.count);
    asked = arena.take_as<std::int32_t>(segments.count);
    floats = arena.used();
  }
};

/// The root that segment s branches from.
std::int64_t root_of(const Segments& segments, std::int64_t s) {
  const std::int32_t begin = segments.prefix[2 * s], end = segments.prefix[2 * s + 1];
  const auto refuse_prefix = [&] {
    refuse("segment " + std::to_string(s) + " has the prefix " + std::to_string(begin) + " … " + std::to_string(end) +
           ": it must be the first rows of an earlier segment without a prefix");
  };
  if (begin < 0 || end < begin || end > segments.offsets[s]) refuse_prefix();
  const std::int32_t* after = std::upper_bound(segments.offsets, segments.offsets + s + 1, begin);
  const std::int64_t root = after - segments.offsets - 1;
  if (segments.offsets[root] != begin || *after < end || segments.is_branch(root)) refuse_prefix();
  return root;
}

/// Begins a sequence for each root and returns their number.
std::int64_t number_sequences(const Segments& segments, const Lists& lists) {
  std::int32_t count = 0;
  for (std::int64_t s = 0; s < segments.count; ++s) {
    lists.asked[s] = 0;
    if (segments.is_branch(s)) {
      lists.sequence[s] = lists.sequence[root_of(segments, s)];
    } else {
      lists.sequences[count] = {segments.offsets[s], 0, nullptr, 0, nullptr, 0, 0, 0};
      lists.sequence[s] = count++;
    }
  }
  return count;
}

/// Queries by sequence, in the order of rows. Those of branches have their segment for own_begin and the number of
/// their own keys for own_end until list_own_keys().
void list_queries(const Segments& segments, const Lists& lists, std::int64_t sequences) {
  segments.each_query([&](std::int64_t, std::int64_t s) { ++lists.sequences[lists.sequence[s]].query_count; });
  Query* next = lists.queries;
  for (Sequence* s = lists.sequences; s != lists.sequences + sequences; ++s) {
    s->queries = next;
    next += s->query_count;
    s->query_count = 0;
  }
  segments.each_query([&](std::int64_t i, std::int64_t s) {
    Sequence& sequence = lists.sequences[lists.sequence[s]];
    const std::int32_t own = segments.rows[i] - segments.offsets[s] + 1, index = static_cast<std::int32_t>(i);
    Query& query = sequence.queries[sequence.query_count++];
    if (segments.is_branch(s)) query = {index, segments.prefix_length(s), static_cast<std::int32_t>(s), own};
    else query = {index, own, 0, 0};
    lists.asked[s] = own;
  });
}

void order_queries(Sequence& s) {
  Query *begin = s.queries, *end = begin + s.query_count;
  const auto before = [](const Query& a, const Query& b) {
    return a.seen != b.seen ? a.seen < b.seen : a.index < b.index;
  };
  if (!std::is_sorted(begin, end, before)) std::sort(begin, end, before);
  s.visible = begin == end ? 0 : end[-1].seen;
}

/// Returns the place for the next sequence's list.
OwnKey* list_own_keys(Sequence& s, const Segments& segments, const Lists& lists, OwnKey* own) {
  std::int32_t segment = -1, begin = 0, end = 0;
  s.own = own;
  for (std::int64_t i = 0; i < s.query_count; ++i) {
    Query& query = s.queries[i];
    if (query.own_end == 0) continue;
    if (query.own_begin != segment) {
      segment = query.own_begin;
      begin = end;
      end += lists.asked[segment];
      for (std::int32_t t = 0; t < lists.asked[segment]; ++t)
        *own++ = {segments.offsets[segment] + t, static_cast<std::int32_t>(i)};
    }
    query.own_begin = begin;
    query.own_end += begin;
  }
  s.own_count = end;
  return own;
}

std::int64_t cost_of(const Sequence& s) {
  // Packing a token and starting a unit cost about as much as these many pairs.
  std::int64_t cost = 16 * (s.visible + s.own_count) + 64;
  for (std::int64_t i = 0; i < s.query_count; ++i)
    cost += s.queries[i].seen + s.queries[i].own_end - s.queries[i].own_begin;
  return cost;
}

std::int64_t list_unseen(const Segments& segments, const Lists& lists) {
  std::int64_t count = 0;
  for (std::int64_t s = 0; s < segments.count; ++s) {
    const std::int64_t seen = segments.is_branch(s) ? lists.asked[s] : lists.sequences[lists.sequence[s]].visible;
    for (std::int64_t t = segments.offsets[s] + seen; t < segments.offsets[s + 1]; ++t)
      lists.unseen[count++] = static_cast<std::int32_t>(t);
  }
  return count;
}

}  // namespace

std::optional<Heads> heads_of(const View& view, std::int64_t rows, std::int64_t heads, std::int64_t dim) {
  if (view.dtype != DType::f32 || !(view.shape == Shape{rows, heads, dim})) return std::nullopt;
  if (dim > 1 && view.strides[2] != 1) return std::nullopt;
  return Heads{view.as<float>(), view.strides[0], view.strides[1]};
}

AttentionPlan::AttentionPlan(Impl& impl, const AttentionLayout& layout, std::int64_t tokens, std::int64_t heads)
    : heads_(heads) {
  Segments segments(layout);
  check_offsets(segments.offsets, segments.count, tokens);
  check_rows(segments.rows, segments.queries, tokens);
  const std::int64_t floats = Lists(Arena(), segments, tokens).floats;
  const Lists lists(Arena(impl.floats(Slot::attention_2, floats)), segments, tokens);
  sequences_ = lists.sequences;
  unseen_ = lists.unseen;
  count_ = number_sequences(segments, lists);
  list_queries(segments, lists, count_);
  OwnKey* own = lists.own;
  for (Sequence* s = sequences_; s != sequences_ + count_; ++s) {
    order_queries(*s);
    own = list_own_keys(*s, segments, lists, own);
    s->cost_before = cost_;
    s->cost = cost_of(*s);
    cost_ += s->cost;
  }
  unseen_count_ = list_unseen(segments, lists);
}

}  // namespace chronotope::onednn
