// Thousands of damaged safetensors files: each is read or refused by an error of ours, nothing else.

#include <random>

#include "chronotope/core/safetensors.hpp"
#include "data/scratch.hpp"
#include "doctest/doctest.h"
#include "train/raw_safetensors.hpp"

using namespace chronotope;

namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); }

const std::string& piece(Random& random) {
  static const std::vector<std::string> pieces{
      "-1", "0", "4", "8", "18446744073709551615", "9223372036854775808", "4294967296", "1e308", "1.5", "null", "true", "[]", "{}", "[[[[[[", "}", "]", "\"",
      ",", ":", "\\", "\\ud800", "\"F64\"", "\"U8\"", "\"dtype\"", "\"shape\"", "\"data_offsets\"", "\"__metadata__\"", std::string(1, '\0'), "\xff", "\xc3",
      std::string(70, ' ')};
  return pieces[below(random, pieces.size())];
}

void mutate(std::string& bytes, Random& random) {
  const std::size_t at = below(random, bytes.size() + 1), left = bytes.size() - at, length = left ? below(random, std::min<std::size_t>(left, 12)) : 0;
  switch (below(random, 6)) {
    case 0: bytes.insert(at, piece(random)); break;
    case 1: bytes.replace(at, length, piece(random)); break;
    case 2: bytes.erase(at, length); break;
    case 3: if (left) bytes[at] = static_cast<char>(random()); break;
    case 4: if (left) bytes[at] = static_cast<char>(bytes[at] ^ 1 << below(random, 8)); break;
    default: bytes.insert(below(random, bytes.size() + 1), bytes.substr(at, length)); break;
  }
}

/// The header length made right again, so that damage reaches what lies behind it.
void repair_length(std::string& bytes, std::size_t data) {
  if (bytes.size() < 8 + data) return;
  const std::uint64_t length = bytes.size() - 8 - data;
  bytes.replace(0, 8, std::string(reinterpret_cast<const char*>(&length), 8));
}

}  // namespace

TEST_CASE("random damage ends in an error of ours or in tensors that fit their shapes") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  MESSAGE("seed " << seed);
  Random random(seed);
  const std::string data(20, 'd');
  const std::string sound = raw::file("{\"__metadata__\":{\"a\":\"b\"}," + raw::entry("x", "F32", "[2,2]", 0, 16) + "," + raw::entry("y", "U8", "[4]", 16, 20) + "}", data);
  const scratch::Folder folder;
  int read = 0, refused = 0;
  for (int i = 0; i < 2500; ++i) {
    std::string bytes = sound;
    for (std::size_t n = 1 + below(random, 4); n > 0; --n) mutate(bytes, random);
    if (i % 4) repair_length(bytes, data.size());
    const std::string path = folder.put("x", bytes);
    try {
      for (const auto& [name, tensor] : read_safetensors(path).tensors)
        REQUIRE(tensor.data.size() == static_cast<std::size_t>(tensor.shape.elements()) * size_of(tensor.dtype));
      ++read;
    } catch (const Error&) {
      ++refused;
    } catch (const std::exception& e) {
      FAIL("mutation " << i << ": not an error of ours: " << e.what());
    }
  }
  MESSAGE(read << " read, " << refused << " refused");
  CHECK(refused > 600);
  CHECK(read > 10);
}
