// Built where there is no FAISS.

#include "chronotope/core/error.hpp"
#include "chronotope/data/vector_index.hpp"

namespace chronotope {
namespace {

[[noreturn]] void fail(const std::string& path) {
  throw ConfigError(path + ": this build of chronotope has no FAISS, which vector indexes need. Install it (Debian, Ubuntu: apt-get install "
                    "libfaiss-dev), configure again with -DCHRONOTOPE_BUILD_FAISS=ON and build; .npy files need nothing");
}

}  // namespace

class VectorIndex::State {};

bool has_vector_indexes() { return false; }
void write_vector_index(const std::string& path, const Matrix&, const VectorIndexOptions&) { fail(path); }
VectorIndex::VectorIndex(const std::string& path) { fail(path); }
VectorIndex::~VectorIndex() = default;
VectorIndex::VectorIndex(VectorIndex&&) noexcept = default;
VectorIndex& VectorIndex::operator=(VectorIndex&&) noexcept = default;
std::int64_t VectorIndex::rows() const { return 0; }
std::int64_t VectorIndex::width() const { return 0; }
Neighbours VectorIndex::search(const Matrix&, std::int64_t) const { return {}; }

}  // namespace chronotope
