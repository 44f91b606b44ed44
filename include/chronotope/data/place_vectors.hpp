#pragma once
// Vectors of places from a file: what a model of texts and images says of each (Spacetime-GR, 3.2.2, multimodal), or
// the embeddings that this library exports.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "chronotope/data/npy.hpp"

namespace chronotope {

/// Vectors in the order of the ids that were asked for.
struct PlaceVectors {
  Matrix vectors;                   ///< [ids, D]; zeros where the file has none
  std::vector<std::uint8_t> found;  ///< [ids] 1 where the file has a vector
  std::int64_t missing = 0;         ///< ids without a vector
  std::int64_t unknown = 0;         ///< vectors of places that nobody asked for: not read
};

inline constexpr std::int64_t widest_vector = 65536;

/// Reads the vectors of `ids` (distinct or not) from
///  - X.npy (as read_npy) with X.ids beside it: the places of its rows, one id a line, and as many lines as rows; or
///  - X.safetensors with "vectors" [N, D], F32 or F64, and "ids", U8: the N ids as text, divided by line feeds.
/// An id has 1 to 1,024 bytes of UTF-8. `width` above 0 is what D must be. O(N + ids x D) time; of a .npy only the rows
/// asked for are read, a .safetensors is held whole. Throws ConfigError for another name; FormatError for files that
/// are damaged, or without the two tensors; DataError, with line or row, for an id that stands twice or breaks the
/// rule, another number of ids than of rows, another width or one
/// above widest_vector, and a number read that is not finite; FileError.
PlaceVectors read_place_vectors(const std::string& path, std::span<const std::string> ids, std::int64_t width = 0);

/// Writes X.ids for a matrix X.npy: by AtomicFile. Throws DataError for an id that could not be read back or stands
/// twice, FileError.
void write_place_ids(const std::string& path, std::span<const std::string> ids);

}  // namespace chronotope
