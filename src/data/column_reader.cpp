#include <zlib.h>

#include <cstring>

#include "byte_source.hpp"
#include "chronotope/core/error.hpp"
#include "column_blocks.hpp"
#include "csv.hpp"
#include "field_rows.hpp"

namespace chronotope {
namespace {

/// One column of a block; all views are into the block.
struct Column {
  ActionField field;
  std::vector<std::string_view> texts;
  std::string_view codes, present, numbers, wholes;
  std::int64_t least = 0;
  std::uint8_t width = 0;  // of a whole number

  bool has(std::size_t row) const { return present[row / 8] >> row % 8 & 1; }
  std::string_view text(std::size_t row) const {
    const auto code = value<std::uint32_t>(codes, row);
    return code == 0 ? std::string_view() : texts[code - 1];
  }
  std::int64_t whole(std::size_t row) const {
    std::uint64_t apart = 0;
    std::memcpy(&apart, wholes.data() + row * width, width);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(least) + apart);
  }
  double number(std::size_t row) const { return value<double>(numbers, row); }

  template <class Value> static Value value(std::string_view bytes, std::size_t i) {
    Value v;
    std::memcpy(&v, bytes.data() + i * sizeof v, sizeof v);
    return v;
  }
};

class ColumnRows : public FieldRows {
 public:
  ColumnRows(const std::string& path, const LogFields& log) : source_(path) {
    if (bytes(column_magic.size()) != column_magic) fail("is no file of columns of this version; write it again");
    std::vector<ActionField> fields;
    for (int left = number<std::uint8_t>(); left > 0; --left) {
      const std::string name = bytes(number<std::uint8_t>());
      const ActionField field = find_field(name, log.fields, log.log, path + ": ");
      for (const ActionField before : fields)
        if (before == field) fail("has the column " + name + " twice; write it again");
      fields.push_back(field), columns_.emplace_back().field = field;
    }
    check_needed(path, fields, log);
  }

  bool next() override {
    if (ended_) return false;
    if (++at_ >= head_.rows) at_ = 0, load();
    ++row_;
    return !ended_;
  }

  void take(ActionDraft& draft) const override {
    for (const Column& column : columns_)
      if (const char* broken = take(draft, column))
        throw DataError(source_.path() + ": row " + std::to_string(row_) + ", column " + std::string(name_of(column.field)) + ": " + text_of(column) + " " + broken);
  }

  std::string place() const override { return source_.path() + ": row " + std::to_string(row_) + ": "; }

 private:
  const char* take(ActionDraft& draft, const Column& column) const {
    switch (kind_of(column.field)) {
      case FieldKind::text: {
        const std::string_view text = column.text(at_);
        return text.empty() && !is_needed(column.field) ? nullptr : draft.take(column.field, text);
      }
      case FieldKind::whole: return column.has(at_) ? draft.take(column.field, column.whole(at_)) : nullptr;
      default: return column.has(at_) ? draft.take(column.field, column.number(at_)) : nullptr;
    }
  }

  std::string text_of(const Column& column) const {
    switch (kind_of(column.field)) {
      case FieldKind::text: return shown(column.text(at_));
      case FieldKind::whole: return std::to_string(column.whole(at_));
      default: return std::to_string(column.number(at_));
    }
  }

  [[noreturn]] void fail(const std::string& what) const { throw FormatError(source_.path() + ": " + what); }
  [[noreturn]] void damaged() const { fail("the block behind row " + std::to_string(row_) + " is damaged; copy or write the file again"); }

  std::string bytes(std::size_t size) {
    std::string read(size, '\0');
    if (source_.read(read.data(), size) != size) fail("is cut off behind row " + std::to_string(row_) + "; copy or write it again");
    return read;
  }
  template <class Value> Value number() { return Column::value<Value>(bytes(sizeof(Value)), 0); }

  void load() {
    head_ = number<BlockHead>();
    if (head_.rows == 0) return end();
    if (head_.rows > most_block_rows || head_.bytes > most_block_bytes) damaged();
    block_ = bytes(head_.bytes);
    if (crc32(0, reinterpret_cast<const Bytef*>(block_.data()), head_.bytes) != head_.checksum) damaged();
    left_ = block_;
    for (Column& column : columns_) load(column);
    if (!left_.empty()) damaged();
  }

  void end() {
    char more;
    if (head_.bytes != 0 || head_.checksum != 0 || number<std::uint64_t>() != row_ || source_.read(&more, 1) != 0) fail("does not end as it says behind row " + std::to_string(row_) + "; write it again");
    ended_ = true;
  }

  /// The next bytes of the block.
  std::string_view part(std::size_t size) {
    if (size > left_.size()) damaged();
    const std::string_view part = left_.substr(0, size);
    left_.remove_prefix(size);
    return part;
  }
  template <class Value> Value part() { return Column::value<Value>(part(sizeof(Value)), 0); }

  void load(Column& column) {
    const FieldKind kind = kind_of(column.field);
    if (kind == FieldKind::text) return load_texts(column);
    column.present = part((head_.rows + 7) / 8);
    if (kind == FieldKind::number) {
      column.numbers = part(head_.rows * sizeof(double));
      return;
    }
    column.least = part<std::int64_t>(), column.width = part<std::uint8_t>();
    if (column.width > sizeof(std::int64_t)) damaged();
    column.wholes = part(std::size_t{head_.rows} * column.width);
  }

  void load_texts(Column& column) {
    const auto size = part<std::uint32_t>();
    if (size > head_.rows) damaged();
    column.texts.clear();
    for (std::uint32_t i = 0; i < size; ++i) column.texts.push_back(part(part<std::uint32_t>()));
    column.codes = part(head_.rows * sizeof(std::uint32_t));
    for (std::uint32_t row = 0; row < head_.rows; ++row)
      if (Column::value<std::uint32_t>(column.codes, row) > size) damaged();
  }

  ByteSource source_;
  std::vector<Column> columns_;
  BlockHead head_;
  std::string block_;
  std::string_view left_;  // of block_
  std::size_t at_ = 0;     // in the block
  std::uint64_t row_ = 0;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<FieldRows> column_rows(const std::string& path, const LogFields& log) { return std::make_unique<ColumnRows>(path, log); }

}  // namespace chronotope
