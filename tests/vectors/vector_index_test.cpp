// Vector indexes against all inner products; without FAISS, the error that says how to get it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>

#include "chronotope/data/vector_index.hpp"
#include "data/scratch.hpp"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
using LeaksOfFaiss = __lsan::ScopedDisabler;
#else
struct LeaksOfFaiss {};
#endif

using namespace chronotope;

namespace {

/// Rows of length 1.
Matrix unit_rows(std::int64_t rows, std::int64_t width, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Matrix m{rows, width, {}};
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<float> row(static_cast<std::size_t>(width));
    double squares = 0;
    for (float& v : row) v = normal(random), squares += v * v;
    for (const float v : row) m.values.push_back(v / static_cast<float>(std::sqrt(squares)));
  }
  return m;
}

double product(std::span<const float> a, std::span<const float> b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

std::vector<std::int64_t> nearest(const Matrix& vectors, std::span<const float> query, std::size_t k) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(vectors.rows));
  std::iota(rows.begin(), rows.end(), 0);
  std::sort(rows.begin(), rows.end(), [&](auto a, auto b) { return product(vectors.row(a), query) > product(vectors.row(b), query); });
  rows.resize(k);
  return rows;
}

/// Share of the true nearest that were found.
double recall(const Matrix& vectors, const Matrix& queries, const Neighbours& found) {
  double right = 0;
  const auto k = static_cast<std::size_t>(found.k);
  for (std::int64_t q = 0; q < queries.rows; ++q) {
    const auto begin = found.rows.begin() + q * found.k;
    const std::set<std::int64_t> rows(begin, begin + found.k);
    for (const std::int64_t row : nearest(vectors, queries.row(q), k)) right += rows.contains(row);
  }
  return right / static_cast<double>(found.rows.size());
}

std::string error_of_bytes(const std::string& bytes) {
  const scratch::Folder folder;
  const std::string path = folder.put("x.index", bytes);
  [[maybe_unused]] const LeaksOfFaiss not_reported;  // it loses what it had read of a damaged file
  return scratch::error_of([&] { VectorIndex index(path); });
}

}  // namespace

TEST_CASE("vector index: kinds have names") {
  for (const auto kind : {VectorIndexKind::flat, VectorIndexKind::ivf, VectorIndexKind::hnsw}) CHECK(vector_index_kind(to_string(kind)) == kind);
  CHECK_THROWS_AS(vector_index_kind("tree"), ConfigError);
}

TEST_CASE("vector index: without FAISS every use says how to get it") {
  if (has_vector_indexes()) return;
  const scratch::Folder folder;
  for (const std::string& error : {scratch::error_of([&] { write_vector_index(folder.file("x"), unit_rows(2, 2, 1)); }),
                                   scratch::error_of([&] { search_vector_index(folder.file("x"), unit_rows(2, 2, 1), 1); })}) {
    CHECK(error.starts_with("ConfigError: "));
    CHECK(error.find("libfaiss-dev") != error.npos);
  }
  CHECK(folder.entries() == 0);
}

TEST_CASE("vector index: flat finds the nearest exactly, the others almost always") {
  if (!has_vector_indexes()) return;
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  const Matrix vectors = unit_rows(600, 16, seed), queries = unit_rows(20, 16, seed + 1);
  const scratch::Folder folder;
  const std::string path = folder.file("x.index");
  for (const auto kind : {VectorIndexKind::flat, VectorIndexKind::ivf, VectorIndexKind::hnsw}) {
    CAPTURE(to_string(kind));
    write_vector_index(path, vectors, {.kind = kind, .lists = 8, .probes = 4});
    CHECK(folder.entries() == 1);
    const VectorIndex index(path);
    CHECK(index.rows() == 600);
    CHECK(index.width() == 16);
    const Neighbours found = index.search(queries, 10);
    CHECK(recall(vectors, queries, found) >= (kind == VectorIndexKind::flat ? 1.0 : kind == VectorIndexKind::hnsw ? 0.95 : 0.6));
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
      if (found.rows[i] < 0) continue;
      CHECK(found.products[i] == doctest::Approx(product(vectors.row(found.rows[i]), queries.row(static_cast<std::int64_t>(i / 10)))).epsilon(1e-5));
      if (i % 10 > 0) CHECK(found.products[i] <= found.products[i - 1]);
    }
  }
  write_vector_index(path, vectors, {.kind = VectorIndexKind::ivf, .lists = 8, .probes = 8});  // all lists: exact
  CHECK(recall(vectors, queries, search_vector_index(path, queries, 10)) == 1);
}

TEST_CASE("vector index: fewer rows than asked for, one row, no queries") {
  if (!has_vector_indexes()) return;
  const scratch::Folder folder;
  const Matrix one = unit_rows(1, 3, 1);
  for (const auto kind : {VectorIndexKind::flat, VectorIndexKind::ivf, VectorIndexKind::hnsw}) {
    write_vector_index(folder.file("x"), one, {.kind = kind});
    CHECK(search_vector_index(folder.file("x"), one, 3).rows == std::vector<std::int64_t>{0, -1, -1});
    CHECK(search_vector_index(folder.file("x"), Matrix{0, 3, {}}, 3).rows.empty());
  }
}

TEST_CASE("vector index: what cannot be is refused, and nothing is written") {
  if (!has_vector_indexes()) return;
  const scratch::Folder folder;
  const std::string path = folder.file("x");
  Matrix bad = unit_rows(4, 2, 1);
  bad.values[5] = std::numeric_limits<float>::infinity();
  CHECK(scratch::error_of([&] { write_vector_index(path, bad); }).find("row 2") != std::string::npos);
  CHECK_THROWS_AS(write_vector_index(path, Matrix{0, 2, {}}), DataError);
  CHECK_THROWS_AS(write_vector_index(path, Matrix{2, 2, {1}}), ShapeError);
  const Matrix good = unit_rows(4, 2, 1);
  CHECK_THROWS_AS(write_vector_index(path, good, {.kind = VectorIndexKind::ivf, .lists = 5}), ConfigError);
  CHECK_THROWS_AS(write_vector_index(path, good, {.kind = VectorIndexKind::hnsw, .links = 1}), ConfigError);
  CHECK(folder.entries() == 0);
  write_vector_index(path, good);
  CHECK_THROWS_AS(search_vector_index(path, unit_rows(1, 3, 1), 1), ShapeError);
  CHECK_THROWS_AS(search_vector_index(path, good, 0), ConfigError);
  CHECK_THROWS_AS(search_vector_index(path, bad, 1), DataError);
  CHECK_THROWS_AS(VectorIndex(folder.file("none")), FileError);
}

TEST_CASE("vector index: what is no index, or cut off, is refused") {
  if (!has_vector_indexes()) return;
  const scratch::Folder folder;
  for (const auto kind : {VectorIndexKind::flat, VectorIndexKind::ivf, VectorIndexKind::hnsw}) {
    write_vector_index(folder.file("x"), unit_rows(50, 4, 3), {.kind = kind, .lists = 2, .links = 4});
    const std::string bytes = scratch::bytes_of(folder.file("x"));
    CHECK(error_of_bytes(bytes) == "");
    for (std::size_t size = 0; size < bytes.size(); size += size < 40 ? 1 : 397) {
      CAPTURE(size);
      CHECK(error_of_bytes(bytes.substr(0, size)).starts_with("FormatError: "));
    }
    std::string other = bytes;
    other[33] = 1;  // the Euclidean metric
    CHECK(error_of_bytes(other).find("inner product") != std::string::npos);
  }
  CHECK(error_of_bytes(std::string(1000, 'x')).find("does not begin") != std::string::npos);
}
