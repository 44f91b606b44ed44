#include "chronotope/core/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

using Json = nlohmann::json;
constexpr std::uint64_t longest_header = 100'000'000;  // the limit of the format's own reader
constexpr std::uint64_t largest_shape = std::uint64_t{1} << 48;  // product of the extents but zeros: strides cannot overflow

const char* format_name(DType t) {
  constexpr const char* names[] = {"F32", "F64", "I32", "I64", "U8"};
  return names[static_cast<int>(t)];
}

/// Bytes begin … end - 1 of the data.
struct Range {
  std::uint64_t begin, end;
};

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), file_(path, std::ios::binary) {
    if (!file_) throw FileError("cannot open " + path + ": " + std::strerror(errno));
    file_.seekg(0, std::ios::end);
    size_ = static_cast<std::uint64_t>(file_.tellg());
    file_.seekg(0);
  }

  /// With `data` the tensors hold theirs, else only types and shapes.
  Safetensors read(bool data) {
    const Json header = read_header();
    Safetensors content;
    std::map<std::string, Range> ranges;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") read_metadata(entry, content);
      else ranges.emplace(name, read_entry(name, entry, content));
    }
    check_cover(ranges);  // before any data is read: overlapping tensors could ask for any amount of memory
    if (data)
      for (auto& [name, tensor] : content.tensors) read_data(ranges.at(name), tensor);
    return content;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw FormatError(path_ + " is not a sound safetensors file: " + what); }
  [[noreturn]] void fail(const std::string& tensor, const std::string& what) const { fail("tensor \"" + tensor + "\": " + what); }

  void read_bytes(void* to, std::uint64_t n) {
    file_.read(static_cast<char*>(to), static_cast<std::streamsize>(n));
    if (static_cast<std::uint64_t>(file_.gcount()) != n) fail("it ends too early");
  }

  Json read_header() {
    std::uint64_t length = 0;
    if (size_ < sizeof length) fail("it has " + std::to_string(size_) + " bytes, fewer than the header length takes");
    read_bytes(&length, sizeof length);
    if (length > longest_header || length > size_ - sizeof length)
      fail("the header length " + std::to_string(length) + " does not fit a file of " + std::to_string(size_) + " bytes");
    std::string text(length, '\0');
    read_bytes(text.data(), length);
    data_begin_ = sizeof length + length;
    return parse(text);
  }

  /// JSON keeps the last of two equal names silently, so names are counted while parsing; nesting is bounded too.
  Json parse(const std::string& text) {
    std::set<std::string> names;
    std::string doubled;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
      if (event == Json::parse_event_t::key && depth == 1 && !names.insert(value.get<std::string>()).second) doubled = value.get<std::string>();
      if (depth > 4) fail("the header nests too deeply");
      return true;
    };
    Json header;
    try {
      header = Json::parse(text, watch);
    } catch (const Json::exception& e) {
      fail("the header is not JSON (" + std::string(e.what()) + ")");
    }
    if (!doubled.empty()) fail(doubled, "the name stands twice");
    if (!header.is_object()) fail("the header is not a JSON object");
    return header;
  }

  void read_metadata(const Json& entry, Safetensors& content) const {
    if (!entry.is_object()) fail("__metadata__ is not an object");
    for (const auto& [name, value] : entry.items()) {
      if (!value.is_string()) fail("__metadata__." + name + " is not text");
      content.metadata[name] = value.get<std::string>();
    }
  }

  DType read_dtype(const std::string& name, const Json& entry) const {
    if (!entry.contains("dtype") || !entry["dtype"].is_string()) fail(name, "no dtype");
    const std::string text = entry["dtype"].get<std::string>();
    for (DType t : {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8})
      if (text == format_name(t)) return t;
    fail(name, "dtype \"" + text + "\" is not one of F32, F64, I32, I64, U8");
  }

  Shape read_shape(const std::string& name, const Json& entry) const {
    if (!entry.contains("shape") || !entry["shape"].is_array()) fail(name, "no shape");
    if (entry["shape"].size() > max_rank) fail(name, "more than 8 axes");
    Shape shape;
    std::uint64_t product = 1;
    for (const Json& extent : entry["shape"]) {
      if (!extent.is_number_unsigned()) fail(name, "an extent is not a whole number");
      const auto n = extent.get<std::uint64_t>();
      if (n && product > largest_shape / n) fail(name, "the shape needs more bytes than any file has");
      product *= std::max<std::uint64_t>(n, 1);
      shape.push_back(static_cast<std::int64_t>(n));
    }
    return shape;
  }

  Range read_entry(const std::string& name, const Json& entry, Safetensors& content) {
    if (!entry.is_object()) fail(name, "its entry is not an object");
    HostTensor tensor{read_dtype(name, entry), read_shape(name, entry), {}};
    const Json offsets = entry.value("data_offsets", Json());
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned())
      fail(name, "data_offsets must be two whole numbers");
    const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
    if (begin > end || end > size_ - data_begin_)
      fail(name, "bytes " + std::to_string(begin) + " to " + std::to_string(end) + " lie outside the data");
    if (end - begin != static_cast<std::uint64_t>(tensor.shape.elements()) * size_of(tensor.dtype))
      fail(name, std::to_string(end - begin) + " bytes for shape " + to_string(tensor.shape) + " of " + to_string(tensor.dtype));
    content.tensors.emplace(name, std::move(tensor));
    return {begin, end};
  }

  void read_data(Range range, HostTensor& tensor) {
    tensor.data.resize(range.end - range.begin);
    file_.seekg(static_cast<std::streamoff>(data_begin_ + range.begin));
    read_bytes(tensor.data.data(), tensor.data.size());
  }

  /// Tensors must tile the data: no byte twice, none left over.
  void check_cover(const std::map<std::string, Range>& ranges) const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> pieces;
    for (const auto& [name, range] : ranges) pieces.emplace_back(range.begin, range.end);
    std::sort(pieces.begin(), pieces.end());
    std::uint64_t at = 0;
    for (const auto& [begin, end] : pieces) {
      if (begin < at) fail("two tensors overlap at byte " + std::to_string(begin));
      if (begin > at) fail("bytes " + std::to_string(at) + " to " + std::to_string(begin) + " belong to no tensor");
      at = end;
    }
    if (at != size_ - data_begin_) fail("bytes after " + std::to_string(at) + " belong to no tensor");
  }

  std::string path_;
  std::ifstream file_;
  std::uint64_t size_ = 0, data_begin_ = 0;
};

}  // namespace

void HostTensor::check(DType wanted) const {
  if (wanted != dtype) throw DTypeError(std::string("the tensor holds ") + to_string(dtype) + ", asked for " + to_string(wanted));
}

Safetensors read_safetensors(const std::string& path) { return Reader(path).read(true); }
Safetensors read_safetensors_head(const std::string& path) { return Reader(path).read(false); }

void write_safetensors(const std::string& path, const Safetensors& content) {
  Json header = Json::object();
  if (!content.metadata.empty()) header["__metadata__"] = content.metadata;
  std::uint64_t at = 0;
  for (const auto& [name, tensor] : content.tensors) {
    if (tensor.data.size() != static_cast<std::size_t>(tensor.shape.elements()) * size_of(tensor.dtype))
      throw ShapeError(path + ": tensor \"" + name + "\" has " + std::to_string(tensor.data.size()) + " bytes for shape " +
                       to_string(tensor.shape) + " of " + to_string(tensor.dtype));
    const std::uint64_t end = at + tensor.data.size();
    header[name] = {{"dtype", format_name(tensor.dtype)},
                    {"shape", std::vector<std::int64_t>(tensor.shape.begin(), tensor.shape.end())},
                    {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 8 + 63) / 64 * 64 - 8, ' ');  // the format allows trailing spaces
  const std::uint64_t length = text.size();
  AtomicFile file(path);
  file.write(&length, sizeof length);
  file.write(text);
  for (const auto& [name, tensor] : content.tensors)
    if (!tensor.data.empty()) file.write(tensor.data.data(), tensor.data.size());
  file.commit();
}

}  // namespace chronotope
