#include "chronotope/data/vector_index.hpp"

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/impl/FaissException.h>
#include <faiss/impl/io.h>
#include <faiss/index_io.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"
#include "core/mapped_file.hpp"

namespace chronotope {
namespace {

constexpr auto metric = faiss::METRIC_INNER_PRODUCT;

void check_matrix(const Matrix& m, const std::string& what) {
  if (m.rows < 0 || m.width < 1 || m.width > std::numeric_limits<int>::max() ||
      m.values.size() != static_cast<std::size_t>(m.rows * m.width))
    throw ShapeError(what + ": " + std::to_string(m.values.size()) + " numbers for a matrix of " + std::to_string(m.rows) + " x " +
                     std::to_string(m.width));
  const auto bad = std::find_if(m.values.begin(), m.values.end(), [](float v) { return !std::isfinite(v); });
  if (bad != m.values.end())
    throw DataError(what + ": row " + std::to_string((bad - m.values.begin()) / m.width) + " (from 0) has a number that is not finite");
}

void check_options(const VectorIndexOptions& o, std::int64_t rows) {
  if (o.lists < 0 || o.lists > rows || o.probes < 0 || o.links < 2 || o.links > 1024 || o.breadth < 1)
    throw ConfigError("a vector index of " + std::to_string(rows) + " rows with " + std::to_string(o.lists) + " lists, " + std::to_string(o.probes) +
                      " probes, " + std::to_string(o.links) + " links and breadth " + std::to_string(o.breadth) +
                      "; lists are at most the rows, links 2 to 1,024, breadth at least 1, nothing negative");
}

std::unique_ptr<faiss::Index> make_ivf(const Matrix& m, const VectorIndexOptions& o) {
  const auto fitting = static_cast<int>(std::min<double>(std::sqrt(static_cast<double>(m.rows)), static_cast<double>(m.rows) / 39));
  const int lists = o.lists > 0 ? o.lists : std::max(fitting, 1);
  auto quantizer = std::make_unique<faiss::IndexFlatIP>(m.width);
  auto index = std::make_unique<faiss::IndexIVFFlat>(quantizer.get(), static_cast<std::size_t>(m.width), static_cast<std::size_t>(lists), metric);
  quantizer.release();
  index->own_fields = true;
  index->cp.seed = static_cast<int>(o.seed & 0x7FFFFFFF);
  index->cp.min_points_per_centroid = 1;  // asked for fewer, it would write to the standard error
  index->nprobe = static_cast<std::size_t>(std::min(o.probes > 0 ? o.probes : std::max(lists / 8, 1), lists));
  index->train(m.rows, m.values.data());
  return index;
}

std::unique_ptr<faiss::Index> make_hnsw(const Matrix& m, const VectorIndexOptions& o) {
  auto index = std::make_unique<faiss::IndexHNSWFlat>(static_cast<int>(m.width), o.links, metric);
  index->hnsw.efConstruction = index->hnsw.efSearch = o.breadth;
  return index;
}

std::unique_ptr<faiss::Index> make(const Matrix& m, const VectorIndexOptions& o) {
  if (o.kind == VectorIndexKind::ivf) return make_ivf(m, o);
  if (o.kind == VectorIndexKind::hnsw) return make_hnsw(m, o);
  return std::make_unique<faiss::IndexFlatIP>(m.width);
}

struct Writer : faiss::IOWriter {
  explicit Writer(AtomicFile& to) : file(to) {}
  std::size_t operator()(const void* from, std::size_t size, std::size_t items) override {
    file.write(from, size * items);
    return items;
  }
  AtomicFile& file;
};

struct Reader : faiss::IOReader {
  explicit Reader(std::span<const std::byte> from) : left(from) {}
  std::size_t operator()(void* to, std::size_t size, std::size_t items) override {
    const std::size_t whole = size == 0 ? 0 : std::min(items, left.size() / size);
    if (whole > 0) std::memcpy(to, left.data(), whole * size);
    left = left.subspan(whole * size);
    return whole;
  }
  std::span<const std::byte> left;
};

/// Kind, width, rows and metric, which every file of FAISS begins with: refuses what is something else, or too short for
/// its rows.
void check_head(std::span<const std::byte> bytes, const std::string& path) {
  const auto fail = [&](const std::string& what) { throw FormatError(path + " is no vector index: " + what); };
  constexpr std::size_t head_bytes = 4 + 4 + 8 + 8 + 8 + 1 + 4;  // two numbers between rows and metric are not used
  if (bytes.size() < head_bytes) fail("it is too short");
  const std::string_view kind(reinterpret_cast<const char*>(bytes.data()), 4);
  if (kind != "IxFI" && kind != "IwFl" && kind != "IHNf") fail("it does not begin as the kinds flat, ivf and hnsw do");
  const auto number = [&]<class T>(std::size_t at, T value) { return std::memcpy(&value, bytes.data() + at, sizeof value), value; };
  const auto width = number(4, std::int32_t{}), its_metric = number(head_bytes - 4, std::int32_t{});
  const auto rows = number(8, std::int64_t{});
  if (its_metric != metric) fail("its metric is not the inner product");
  if (width < 1 || rows < 0 || static_cast<std::uint64_t>(rows) > bytes.size() / (static_cast<std::uint64_t>(width) * sizeof(float)))
    fail(std::to_string(rows) + " vectors of width " + std::to_string(width) + " do not fit into " + std::to_string(bytes.size()) + " bytes");
}

std::unique_ptr<faiss::Index> read(const std::string& path) {
  const MappedFile file(path);
  check_head(file.bytes(), path);
  Reader reader(file.bytes());
  try {
    return std::unique_ptr<faiss::Index>(faiss::read_index(&reader));
  } catch (const faiss::FaissException& e) {
    throw FormatError(path + " is no sound vector index: " + std::string(e.what()));
  } catch (const std::bad_alloc&) {
    throw FormatError(path + " is no sound vector index: it asks for more memory than there is");
  }
}

}  // namespace

bool has_vector_indexes() { return true; }

void write_vector_index(const std::string& path, const Matrix& vectors, const VectorIndexOptions& options) {
  check_matrix(vectors, path);
  if (vectors.rows == 0) throw DataError(path + ": no vectors to make an index of");
  check_options(options, vectors.rows);
  const std::unique_ptr<faiss::Index> index = make(vectors, options);
  index->add(vectors.rows, vectors.values.data());
  AtomicFile file(path);
  Writer writer(file);
  faiss::write_index(index.get(), &writer);
  file.commit();
}

class VectorIndex::State {
 public:
  explicit State(const std::string& path) : path_(path), index_(read(path)) {}

  const faiss::Index& index() const { return *index_; }
  Neighbours search(const Matrix& queries, std::int64_t k) const {
    if (k < 1) throw ConfigError(path_ + ": " + std::to_string(k) + " neighbours asked for; at least 1 is possible");
    check_matrix(queries, "the queries to " + path_);
    if (queries.width != index_->d)
      throw ShapeError("the queries to " + path_ + " have width " + std::to_string(queries.width) + ", its vectors " + std::to_string(index_->d));
    Neighbours found{k, std::vector<std::int64_t>(static_cast<std::size_t>(queries.rows * k)), {}};
    found.products.resize(found.rows.size());
    if (queries.rows > 0) index_->search(queries.rows, queries.values.data(), k, found.products.data(), found.rows.data());
    return found;
  }

 private:
  std::string path_;
  std::unique_ptr<faiss::Index> index_;
};

VectorIndex::VectorIndex(const std::string& path) : state_(std::make_unique<State>(path)) {}
VectorIndex::~VectorIndex() = default;
VectorIndex::VectorIndex(VectorIndex&&) noexcept = default;
VectorIndex& VectorIndex::operator=(VectorIndex&&) noexcept = default;
std::int64_t VectorIndex::rows() const { return state_->index().ntotal; }
std::int64_t VectorIndex::width() const { return state_->index().d; }
Neighbours VectorIndex::search(const Matrix& queries, std::int64_t k) const { return state_->search(queries, k); }

}  // namespace chronotope
