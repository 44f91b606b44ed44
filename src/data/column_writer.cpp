#include <zlib.h>

#include <algorithm>

#include "column_blocks.hpp"

namespace chronotope {
namespace {

template <class Value> void append(std::string& bytes, Value value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); }

template <class Value> void append_all(std::string& bytes, const std::vector<Value>& values) {
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value));
}

/// The least value, the bytes that the largest distance from it takes, and the distances.
void append_wholes(std::string& bytes, const std::vector<std::int64_t>& values, const std::vector<std::uint8_t>& present) {
  std::int64_t least = 0, most = 0;
  bool any = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!(present[i / 8] >> i % 8 & 1)) continue;
    least = any ? std::min(least, values[i]) : values[i], most = any ? std::max(most, values[i]) : values[i];
    any = true;
  }
  const std::uint64_t range = static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least);
  const std::uint8_t width = range == 0 ? 0 : range < 1u << 8 ? 1 : range < 1u << 16 ? 2 : range < 1ull << 32 ? 4 : 8;
  append(bytes, least), append(bytes, width);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint64_t apart = present[i / 8] >> i % 8 & 1 ? static_cast<std::uint64_t>(values[i]) - static_cast<std::uint64_t>(least) : 0;
    bytes.append(reinterpret_cast<const char*>(&apart), width);
  }
}

}  // namespace

ColumnWriter::ColumnWriter(ByteSink& file, FieldList fields) : file_(file) {
  std::string head(column_magic);
  append(head, static_cast<std::uint8_t>(fields.size()));
  for (const ActionField field : fields) {
    append(head, static_cast<std::uint8_t>(name_of(field).size()));
    head += name_of(field);
    columns_.emplace_back().field = field;
  }
  file_.write(head);
}

ColumnWriter::Column& ColumnWriter::of(ActionField field) {
  return *std::find_if(columns_.begin(), columns_.end(), [&](const Column& c) { return c.field == field; });
}

void ColumnWriter::put(ActionField field, std::string_view text) {
  if (text.empty()) return;
  Column& column = of(field);
  const auto [found, is_new] = column.code_of.try_emplace(std::string(text), static_cast<std::uint32_t>(column.code_of.size() + 1));
  if (is_new) append(column.texts, static_cast<std::uint32_t>(text.size())), column.texts += text, texts_ += text.size();
  column.codes.resize(rows_), column.codes.push_back(found->second);
}

void ColumnWriter::put(ActionField field, std::int64_t value) {
  Column& column = of(field);
  column.wholes.resize(rows_), column.wholes.push_back(value);
  column.present.resize(rows_ / 8 + 1), column.present[rows_ / 8] |= static_cast<std::uint8_t>(1 << rows_ % 8);
}

void ColumnWriter::put(ActionField field, double value) {
  Column& column = of(field);
  column.numbers.resize(rows_), column.numbers.push_back(value);
  column.present.resize(rows_ / 8 + 1), column.present[rows_ / 8] |= static_cast<std::uint8_t>(1 << rows_ % 8);
}

void ColumnWriter::end_row() {
  ++rows_, ++all_rows_;
  if (rows_ == most_block_rows || texts_ >= full_block_texts) write_block();
}

void ColumnWriter::write_block() {
  std::string bytes;
  for (Column& column : columns_) {
    if (kind_of(column.field) == FieldKind::text) {
      column.codes.resize(rows_);
      append(bytes, static_cast<std::uint32_t>(column.code_of.size())), bytes += column.texts, append_all(bytes, column.codes);
    } else {
      column.present.resize((rows_ + 7) / 8), append_all(bytes, column.present);
      if (kind_of(column.field) == FieldKind::whole) column.wholes.resize(rows_), append_wholes(bytes, column.wholes, column.present);
      else column.numbers.resize(rows_), append_all(bytes, column.numbers);
    }
    const ActionField field = column.field;
    column = {};
    column.field = field;
  }
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::string head;
  append(head, rows_), append(head, size), append(head, static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), size)));
  file_.write(head), file_.write(bytes);
  rows_ = 0, texts_ = 0;
}

void ColumnWriter::finish() {
  if (rows_ > 0) write_block();
  std::string end;
  append(end, BlockHead{}), append(end, all_rows_);
  file_.write(end);
}

}  // namespace chronotope
