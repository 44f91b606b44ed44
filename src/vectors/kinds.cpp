// What of vector indexes does not need FAISS.

#include "chronotope/core/error.hpp"
#include "chronotope/data/vector_index.hpp"

namespace chronotope {

const char* to_string(VectorIndexKind kind) {
  constexpr const char* names[] = {"flat", "ivf", "hnsw"};
  return names[static_cast<int>(kind)];
}

VectorIndexKind vector_index_kind(const std::string& name) {
  for (const VectorIndexKind kind : {VectorIndexKind::flat, VectorIndexKind::ivf, VectorIndexKind::hnsw})
    if (name == to_string(kind)) return kind;
  throw ConfigError("\"" + name + "\" is no kind of vector index; flat, ivf and hnsw are");
}

Neighbours search_vector_index(const std::string& path, const Matrix& queries, std::int64_t k) {
  return VectorIndex(path).search(queries, k);
}

}  // namespace chronotope
