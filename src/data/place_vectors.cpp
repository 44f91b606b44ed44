#include "chronotope/data/place_vectors.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <string_view>
#include <unordered_map>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/core/safetensors.hpp"
#include "chronotope/data/place_list.hpp"
#include "csv.hpp"
#include "line_reader.hpp"
#include "npy_file.hpp"

namespace chronotope {
namespace {

/// The row of each id.
class IdRows {
 public:
  /// `place` says where the id stands, for error messages.
  template <class Place> void add(std::string_view id, Place place) {
    const auto fail = [&](const std::string& rule) { throw DataError(place() + ": " + rule); };
    if (id.empty()) fail("an empty id; every vector needs the id of its place");
    if (id.size() > most_place_text) fail("the id " + shown(id) + " is longer than 1,024 bytes");
    if (!is_utf8(id)) fail("the id " + shown(id) + " is not UTF-8");
    if (id.find_first_of(std::string_view("\n\r\0", 3)) != id.npos)
      fail("the id " + shown(id) + " holds a line break or a zero byte");
    const auto [at, added] = rows_.try_emplace(std::string(id), size());
    if (!added) fail("the id " + shown(id) + " stands twice, first for row " + std::to_string(at->second) + " (from 0)");
  }

  std::int64_t size() const { return static_cast<std::int64_t>(rows_.size()); }

  /// -1 when there is none.
  std::int64_t row(const std::string& id) const {
    const auto found = rows_.find(id);
    return found == rows_.end() ? -1 : found->second;
  }

 private:
  std::unordered_map<std::string, std::int64_t> rows_;
};

IdRows read_ids(const std::string& path) {
  IdRows ids;
  LineReader lines(path);
  for (std::string_view line; lines.next(line);) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    ids.add(line, [&] { return lines.place(); });
  }
  return ids;
}

IdRows ids_of(const HostTensor& tensor, const std::string& path) {
  if (tensor.dtype != DType::u8)
    throw FormatError(path + ": tensor \"ids\" holds " + std::string(to_string(tensor.dtype)) +
                      "; the ids are wanted as text in U8, divided by line feeds");
  std::string_view text(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
  if (text.ends_with('\n')) text.remove_suffix(1);
  IdRows ids;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    ids.add(text.substr(0, end), [&] { return path + ": id " + std::to_string(ids.size()) + " (from 0) of \"ids\""; });
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return ids;
}

/// Rows of a file, whatever its format.
struct RowSource {
  std::int64_t rows = 0, width = 0;
  std::function<void(std::int64_t row, float* to)> read;
};

void check(const RowSource& source, const IdRows& ids, std::int64_t width, const std::string& path) {
  if (ids.size() != source.rows)
    throw DataError(path + ": " + std::to_string(source.rows) + " vectors, but " + std::to_string(ids.size()) +
                    " ids; every vector needs exactly one");
  if (source.width > widest_vector)
    throw DataError(path + ": vectors of width " + std::to_string(source.width) + "; at most " +
                    std::to_string(widest_vector) + " are read");
  if (width > 0 && source.width != width)
    throw DataError(path + ": vectors of width " + std::to_string(source.width) + ", wanted are " + std::to_string(width) +
                    ": these vectors belong to another model, or the model to other vectors");
}

PlaceVectors pick(const RowSource& source, const IdRows& rows, std::span<const std::string> ids, const std::string& path) {
  PlaceVectors result;
  result.vectors = {static_cast<std::int64_t>(ids.size()), source.width, {}};
  result.vectors.values.resize(ids.size() * static_cast<std::size_t>(source.width));
  result.found.resize(ids.size());
  std::vector<std::uint8_t> used(static_cast<std::size_t>(source.rows));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::int64_t row = rows.row(ids[i]);
    if (row < 0) continue;
    float* const to = result.vectors.values.data() + static_cast<std::int64_t>(i) * source.width;
    source.read(row, to);
    for (std::int64_t c = 0; c < source.width; ++c)
      if (!std::isfinite(to[c]))
        throw DataError(path + ": row " + std::to_string(row) + ", column " + std::to_string(c) +
                        " (both from 0) is not a finite number; leave out places without a vector");
    result.found[i] = used[static_cast<std::size_t>(row)] = 1;
  }
  for (const std::uint8_t found : result.found) result.missing += !found;
  for (const std::uint8_t was_used : used) result.unknown += !was_used;
  return result;
}

const HostTensor& tensor_of(const Safetensors& content, const std::string& name, const std::string& path) {
  const auto found = content.tensors.find(name);
  if (found == content.tensors.end())
    throw FormatError(path + ": there is no tensor \"" + name + "\"; \"vectors\" [N, D] and \"ids\" are wanted");
  return found->second;
}

/// F64 that no F32 can hold becomes infinite, which pick() refuses.
float narrowed(double value) {
  return std::abs(value) > std::numeric_limits<float>::max() ? std::numeric_limits<float>::infinity() : static_cast<float>(value);
}

PlaceVectors from_safetensors(const std::string& path, std::span<const std::string> ids, std::int64_t width) {
  const Safetensors content = read_safetensors(path);
  const HostTensor& vectors = tensor_of(content, "vectors", path);
  if (vectors.shape.rank() != 2 || vectors.shape[1] == 0 || !is_floating(vectors.dtype))
    throw FormatError(path + ": \"vectors\" is " + to_string(vectors.shape) + " of " + to_string(vectors.dtype) +
                      "; rows of numbers [N, D] in F32 or F64 are wanted");
  const RowSource source{vectors.shape[0], vectors.shape[1], [&](std::int64_t row, float* to) {
                           const std::int64_t from = row * vectors.shape[1];
                           const std::byte* const data = vectors.data.data();
                           for (std::int64_t c = 0; c < vectors.shape[1]; ++c)
                             to[c] = vectors.dtype == DType::f32
                                         ? reinterpret_cast<const float*>(data)[from + c]
                                         : narrowed(reinterpret_cast<const double*>(data)[from + c]);
                         }};
  const IdRows rows = ids_of(tensor_of(content, "ids", path), path);
  check(source, rows, width, path);
  return pick(source, rows, ids, path);
}

PlaceVectors from_npy(const std::string& path, std::span<const std::string> ids, std::int64_t width) {
  const npy::File file(path);
  const RowSource source{file.rows(), file.width(), [&](std::int64_t row, float* to) { file.read_row(row, to); }};
  const IdRows rows = read_ids(path.substr(0, path.size() - 3) + "ids");
  check(source, rows, width, path);
  return pick(source, rows, ids, path);
}

}  // namespace

PlaceVectors read_place_vectors(const std::string& path, std::span<const std::string> ids, std::int64_t width) {
  if (path.ends_with(".npy")) return from_npy(path, ids, width);
  if (path.ends_with(".safetensors")) return from_safetensors(path, ids, width);
  throw ConfigError(path + ": vectors of places are read from .npy (with the ids beside it, in .ids) or .safetensors");
}

void write_place_ids(const std::string& path, std::span<const std::string> ids) {
  IdRows checked;
  std::string text;
  for (const std::string& id : ids) {
    checked.add(id, [&] { return path + ": place " + std::to_string(checked.size()) + " (from 0)"; });
    text += id + '\n';
  }
  write_file_atomically(path, text);
}

}  // namespace chronotope
