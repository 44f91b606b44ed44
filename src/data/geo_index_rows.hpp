#pragma once
// The rows of an index that is about to be written, wherever they come from.

#include "geo_index_write.hpp"

namespace chronotope::geo {

class Rows {
 public:
  explicit Rows(const Draft& draft) : draft_(draft), old_rows_(draft.old ? draft.old->head().rows : 0) {
    for (std::uint32_t row = 0; row < old_rows_; ++row) retired_ += was_retired(row);
  }

  std::uint32_t size() const { return static_cast<std::uint32_t>(draft_.plan.source.size()); }
  std::uint64_t retired() const { return retired_; }
  std::uint64_t added() const { return size() - old_rows_; }

  bool is_new(std::uint32_t row) const { return draft_.plan.source[row] >= old_rows_; }
  bool is_retired(std::uint32_t row) const { return !is_new(row) && was_retired(draft_.plan.source[row]); }
  /// Of a row that is new.
  std::size_t place(std::uint32_t row) const { return draft_.plan.source[row] - old_rows_; }
  /// Of a row that is not.
  Record record(std::uint32_t row) const { return draft_.old->record(draft_.plan.source[row]); }

  std::string_view id(std::uint32_t row) const {
    return is_new(row) ? (*draft_.places)[place(row)].id : draft_.old->id_of(record(row));
  }
  PlaceCode code(std::uint32_t row) const;
  /// Throws the error of an id that two rows have.
  [[noreturn]] void refuse_same(std::uint32_t row, std::uint32_t other) const;

 private:
  bool was_retired(std::uint32_t old_row) const {
    return draft_.old->record(old_row).retired() || (!draft_.retire.empty() && draft_.retire[old_row]);
  }

  const Draft& draft_;
  std::uint64_t old_rows_, retired_ = 0;
};

}  // namespace chronotope::geo
