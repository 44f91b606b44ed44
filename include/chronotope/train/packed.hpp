#pragma once
// A few numbers and words as bytes, for messages between processes of one program.

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "chronotope/core/error.hpp"

namespace chronotope {

class Packer {
 public:
  template <class T>
    requires std::is_arithmetic_v<T>
  Packer& operator<<(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Packer& operator<<(const std::string& text) {
    *this << text.size();
    bytes_ += text;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Reads what a Packer wrote, in the same order. Throws FormatError when there is less. Keeps no copy of the bytes.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  template <class T>
    requires std::is_arithmetic_v<T>
  T take() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() { return std::string(take(take<std::size_t>())); }

 private:
  std::string_view take(std::size_t n) {
    if (n > rest_.size()) throw FormatError("a message of another process is cut: the processes do not run the same program");
    const std::string_view first = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return first;
  }

  std::string_view rest_;
};

}  // namespace chronotope
