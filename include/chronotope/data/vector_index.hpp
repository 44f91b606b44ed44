#pragma once
// Indexes of vectors for nearest neighbours by inner product, as files of FAISS (Johnson et al., "Billion-scale
// similarity search with GPUs", 2017): component `vectors`, which can be built without FAISS.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "chronotope/data/npy.hpp"

namespace chronotope {

enum class VectorIndexKind : std::uint8_t {
  flat,  ///< compares with every vector: exact; O(rows x D) a query
  ivf,   ///< compares with the vectors of the nearest of several lists
  hnsw   ///< walks a graph of neighbours
};

/// "flat", "ivf", "hnsw" and back; the latter throws ConfigError.
const char* to_string(VectorIndexKind kind);
VectorIndexKind vector_index_kind(const std::string& name);

struct VectorIndexOptions {
  VectorIndexKind kind = VectorIndexKind::flat;
  int lists = 0;           ///< ivf: 0 for the square root of the rows, but no fewer than 39 vectors a list
  int probes = 0;          ///< ivf: lists a query looks into; 0 for an eighth of them
  int links = 32;          ///< hnsw: neighbours a vector
  int breadth = 128;       ///< hnsw: candidates a walk keeps, when building and when searching
  std::uint64_t seed = 1;  ///< ivf: of the k-means that makes the lists
};

/// Whether this library was built with FAISS. Without, everything below throws a ConfigError that says how to get it.
bool has_vector_indexes();

/// Writes an index of all rows of `vectors` whose metric is the inner product, for cosine similarity of rows that have
/// length 1; neighbours are numbers of rows. FAISS in any language reads it; probes and breadth are kept in it. By
/// AtomicFile. Memory: the vectors once more, and what the kind adds (hnsw about 8 x links bytes a row). Throws
/// DataError without rows or for a number that is not finite, ConfigError for options out of range, FileError.
void write_vector_index(const std::string& path, const Matrix& vectors, const VectorIndexOptions& options = {});

/// The rows with the largest inner products, falling.
struct Neighbours {
  std::int64_t k = 0;
  std::vector<std::int64_t> rows;  ///< [queries, k]; -1 where fewer were found
  std::vector<float> products;     ///< [queries, k]; of no meaning where the row is -1
};

/// An index in memory. FAISS reads the file and trusts what lies behind its head: open only files that you wrote.
class VectorIndex {
 public:
  /// Throws FormatError for what is no index of the three kinds with inner products, or is cut off; FileError.
  /// FAISS does not free what it had read of a file that is cut off.
  explicit VectorIndex(const std::string& path);
  ~VectorIndex();
  VectorIndex(VectorIndex&&) noexcept;
  VectorIndex& operator=(VectorIndex&&) noexcept;

  std::int64_t rows() const;
  std::int64_t width() const;

  /// Uses all threads of OpenMP. Throws ShapeError for queries of another width, ConfigError for k < 1, DataError for a
  /// number that is not finite.
  Neighbours search(const Matrix& queries, std::int64_t k) const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// The same for one search.
Neighbours search_vector_index(const std::string& path, const Matrix& queries, std::int64_t k);

}  // namespace chronotope
