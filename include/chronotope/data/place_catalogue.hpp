#pragma once
// The places of an index as a model numbers them.

#include <vector>

#include "chronotope/data/geo_index.hpp"

namespace chronotope {

/// How a place becomes tokens (Spacetime-GR, 3.2.1 and Table 7).
enum class PlaceCodes : std::uint8_t {
  hierarchical,  ///< (block, inner) of the index
  hashed,        ///< the same pairs, dealt out by a hash of the id: nothing geographic is left in them
  single         ///< one token a place: block 0, inner 1 … places
};

/// "hierarchical", "hashed", "single"; ConfigError for another word.
PlaceCodes place_codes(const std::string& name);

/// Numbers 1 … places() for all codes that an index ever gave, those of removed places too, and the tokens that stand for
/// them; 0 is the unknown place. The index is read where it lies: O(blocks) memory, and 12 bytes a place when hashed.
class PlaceCatalogue {
 public:
  PlaceCatalogue(GeoIndex index, PlaceCodes codes);

  const GeoIndex& index() const { return index_; }
  PlaceCodes codes() const { return codes_; }
  std::uint32_t places() const { return first_.back() - 1; }

  /// Rows of the tables of blocks and of inners, row 0 included; no blocks when places are one token.
  std::int64_t block_rows() const { return codes_ == PlaceCodes::single ? 0 : std::int64_t{index_.blocks()} + 1; }
  std::int64_t inner_rows() const { return codes_ == PlaceCodes::single ? std::int64_t{places()} + 1 : std::int64_t{index_.largest_block()} + 1; }

  /// 0 for an id that is not in the index. O(1) on average.
  std::uint32_t number(std::string_view id) const;
  /// The tokens of a place 1 … places(); {0, 0} for 0. O(log blocks), hashed O(1).
  PlaceCode tokens(std::uint32_t number) const;
  /// The place that tokens stand for, 0 where they stand for none. O(1).
  std::uint32_t number(PlaceCode tokens) const;
  /// How many inners a block token has; with single-token places block 0 has all.
  std::uint32_t inners(std::uint32_t block) const;
  /// Id, position, category; nothing for 0 and for a place that was removed.
  std::optional<IndexedPlace> place(std::uint32_t number) const;

 private:
  std::uint32_t at(PlaceCode code) const { return first_[code.block - 1] + code.inner - 1; }
  PlaceCode code_at(std::uint32_t number) const;

  GeoIndex index_;
  PlaceCodes codes_;
  std::vector<std::uint32_t> first_;            // [blocks + 1] number of each block's first place
  std::vector<std::uint32_t> dealt_, back_;     // hashed: number -> code's number, and back; [places + 1]
};

}  // namespace chronotope
