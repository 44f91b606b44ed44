#pragma once
// Tensors in files: the safetensors format (8 bytes of header length, a JSON header, then the data).

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "chronotope/core/shape.hpp"

namespace chronotope {

/// A tensor in host memory, row-major.
struct HostTensor {
  DType dtype = DType::f32;
  Shape shape;
  std::vector<std::byte> data;  ///< elements x size_of(dtype) bytes

  template <Element T> static HostTensor of(const std::vector<T>& values, const Shape& shape) {
    const auto* bytes = reinterpret_cast<const std::byte*>(values.data());
    return {dtype_of<T>, shape, std::vector<std::byte>(bytes, bytes + values.size() * sizeof(T))};
  }
  /// The values; throws DTypeError when T is not the type held.
  template <Element T> std::vector<T> values() const {
    check(dtype_of<T>);
    const auto* first = reinterpret_cast<const T*>(data.data());
    return std::vector<T>(first, first + data.size() / sizeof(T));
  }

 private:
  void check(DType wanted) const;
};

struct Safetensors {
  std::map<std::string, HostTensor> tensors;
  std::map<std::string, std::string> metadata;  ///< the format's "__metadata__": text by name
};

/// Reads a file whole. Nothing in it is trusted: lengths, types, shapes, overlapping or missing bytes, doubled names and
/// trailing data are checked before any tensor is made. Throws FormatError naming the file and the tensor, FileError
/// when it cannot be read.
Safetensors read_safetensors(const std::string& path);

/// The head only: metadata, and tensors with types and shapes but no data. Checks and errors as read_safetensors.
Safetensors read_safetensors_head(const std::string& path);

/// Writes by AtomicFile: the old file or the new one, never a part. Tensors in name order, data aligned to 64 bytes.
/// Throws ShapeError for a tensor whose bytes do not fit its shape, FileError when it cannot be written.
void write_safetensors(const std::string& path, const Safetensors& content);

}  // namespace chronotope
