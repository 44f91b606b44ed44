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

}  // namespace

std::optional<Heads> heads_of(const View& view, std::int64_t rows, std::int64_t heads, std::int64_t dim) {
  if (view.dtype != DType::f32 || !(view.shape == Shape{rows, heads, dim})) return std::nullopt;
  if (dim > 1 && view.strides[2] != 1) return std::nullopt;
  return Heads{view.as<float>(), view.strides[0], view.strides[1]};
}

AttentionPlan::AttentionPlan(Impl& impl, const AttentionLayout& layout, std::int64_t tokens, std::int64_t heads)
    : count_(layout.offsets.shape[0] - 1), heads_(heads) {
  const auto* offsets = layout.offsets.as<std::int32_t>();
  const auto* rows = layout.query_rows.as<std::int32_t>();
  const std::int64_t queries = layout.query_rows.shape[0];
  check_offsets(offsets, count_, tokens);
  check_rows(rows, queries, tokens);
  const std::size_t bytes = sizeof(Sequence) * static_cast<std::size_t>(count_ + 1);
  sequences_ = static_cast<Sequence*>(impl.scratch.get(Slot::attention_2, bytes));
  std::int64_t query = 0;
  for (std::int64_t s = 0; s < count_; ++s) {
    Sequence& sequence = sequences_[s];
    sequence = {offsets[s], offsets[s + 1] - offsets[s], 0, query, 0, cost_, 0};
    // Packing a token and starting a unit cost about as much as these many pairs.
    sequence.cost = 16 * sequence.tokens + 64;
    for (; query < queries && rows[query] < offsets[s + 1]; ++query) {
      sequence.visible = rows[query] - offsets[s] + 1;
      sequence.cost += sequence.visible;
    }
    sequence.queries = query - sequence.query;
    cost_ += sequence.cost;
  }
}

}  // namespace chronotope::onednn
