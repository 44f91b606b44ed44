#pragma once
// Rows of fields as blocks of binary columns, little-endian; docs/data.md says byte by byte how they lie.

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "action_fields.hpp"
#include "byte_sink.hpp"

namespace chronotope {

static_assert(std::endian::native == std::endian::little, "columns are written as they lie in memory");

inline constexpr std::string_view column_magic = "ctcols1\n";
inline constexpr std::uint32_t most_block_rows = 65536;
inline constexpr std::size_t full_block_texts = 4 << 20;    ///< bytes of different texts with which a block is ended early
inline constexpr std::uint32_t most_block_bytes = 16 << 20;  ///< no writer comes near: texts as above and a row, 57 bytes a row beside them

/// What stands before a block; one of 0 rows is the end, and the number of all rows follows.
struct BlockHead {
  std::uint32_t rows = 0, bytes = 0, checksum = 0;  ///< of the columns behind it; the checksum is zlib's CRC-32
};

/// Gathers rows in memory of O(block). A field that is not put in a row is missing there.
class ColumnWriter {
 public:
  ColumnWriter(ByteSink& file, FieldList fields);

  void put(ActionField field, std::string_view text);
  void put(ActionField field, std::int64_t value);
  void put(ActionField field, double value);
  void end_row();
  /// Writes the last rows and the end.
  void finish();

 private:
  struct Column {
    ActionField field;
    std::vector<std::uint32_t> codes;  // of texts: 0 missing, else 1 + number in the dictionary
    std::string texts;                 // the dictionary: lengths and bytes
    std::unordered_map<std::string, std::uint32_t> code_of;
    std::vector<std::uint8_t> present;  // of numbers, a bit a row
    std::vector<std::int64_t> wholes;
    std::vector<double> numbers;
  };

  Column& of(ActionField field);
  void write_block();

  ByteSink& file_;
  std::vector<Column> columns_;
  std::uint32_t rows_ = 0;  // of the block
  std::size_t texts_ = 0;
  std::uint64_t all_rows_ = 0;
};

}  // namespace chronotope
