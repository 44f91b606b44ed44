// Safetensors files: what is written comes back, and what is damaged is refused with the tensor's name.

#include <sys/resource.h>

#include <cstring>

#include "chronotope/core/safetensors.hpp"
#include "data/scratch.hpp"
#include "doctest/doctest.h"
#include "train/raw_safetensors.hpp"

using namespace chronotope;
using raw::entry;
using raw::file;
using scratch::error_of;
using scratch::Folder;

namespace {

std::string read_error(const std::string& bytes) {
  const Folder folder;
  const std::string path = folder.put("x.safetensors", bytes);
  const std::string error = error_of([&] { read_safetensors(path); });
  if (!error.empty()) CHECK(error.find(path) != std::string::npos);
  return error;
}

/// The file is refused, and the message says `words`.
void refused(const std::string& bytes, const std::string& words) {
  CAPTURE(words);
  const std::string error = read_error(bytes);
  CAPTURE(error);
  CHECK(error.rfind("FormatError: ", 0) == 0);
  CHECK(error.find(words) != std::string::npos);
}

template <Element T> void check_round_trip(const std::vector<T>& values, const Shape& shape) {
  const Folder folder;
  const std::string path = folder.file("x.safetensors");
  write_safetensors(path, {{{"x", HostTensor::of(values, shape)}}, {}});
  const HostTensor back = read_safetensors(path).tensors.at("x");
  CHECK(back.dtype == dtype_of<T>);
  CHECK(back.shape == shape);
  CHECK(back.values<T>() == values);
}

}  // namespace

TEST_CASE("every element type, scalars and empty tensors come back as they were") {
  check_round_trip<float>({1.5f, -0.f, 3e-42f, std::numeric_limits<float>::infinity()}, {2, 2});
  check_round_trip<double>({1e-300, -2, 3}, {3, 1});
  check_round_trip<std::int32_t>({INT32_MIN, INT32_MAX}, {2});
  check_round_trip<std::int64_t>({INT64_MIN, INT64_MAX, 0, 1, 2, 3, 4, 5}, {2, 2, 2});
  check_round_trip<std::uint8_t>({0, 255, 7}, {3});
  check_round_trip<float>({42}, {});
  check_round_trip<float>({}, {0});
  check_round_trip<double>({}, {3, 0, 2});
  check_round_trip<double>({}, {1000000, 0});  // far more elements than the file has bytes, if it were not for the 0
  check_round_trip<std::int32_t>({9}, {1, 1, 1, 1, 1, 1, 1, 1});
}

TEST_CASE("many tensors and metadata in one file") {
  const Folder folder;
  const std::string path = folder.file("x.safetensors");
  Safetensors content;
  for (int i = 0; i < 40; ++i)
    content.tensors.emplace("layer." + std::to_string(i), HostTensor::of(std::vector<float>(static_cast<std::size_t>(i), 0.5f * static_cast<float>(i)), {i}));
  content.metadata = {{"", ""}, {"config", "{\"a\": \"\\n\"}"}, {"name \"quoted\"", "über\n\t"}};
  write_safetensors(path, content);
  const Safetensors back = read_safetensors(path);
  CHECK(back.metadata == content.metadata);
  REQUIRE(back.tensors.size() == content.tensors.size());
  for (const auto& [name, tensor] : content.tensors) CHECK(back.tensors.at(name).data == tensor.data);
  CHECK(folder.entries() == 1);
}

TEST_CASE("the data starts at a multiple of 64 bytes") {
  for (std::size_t length = 1; length < 80; ++length) {
    const Folder folder;
    const std::string path = folder.file("x.safetensors");
    write_safetensors(path, {{{std::string(length, 'n'), HostTensor::of(std::vector<float>{1}, {})}}, {}});
    std::uint64_t header = 0;
    std::memcpy(&header, scratch::bytes_of(path).data(), sizeof header);
    CHECK((header + 8) % 64 == 0);
  }
}

TEST_CASE("a file without tensors") {
  const Folder folder;
  write_safetensors(folder.file("x"), {});
  CHECK(read_safetensors(folder.file("x")).tensors.empty());
  CHECK(read_error(file("{}", "")) == "");
}

TEST_CASE("a tensor whose bytes do not fit its shape is not written") {
  const Folder folder;
  HostTensor wrong = HostTensor::of(std::vector<float>{1, 2}, {2});
  wrong.shape = {3};
  CHECK_THROWS_AS(write_safetensors(folder.file("x"), {{{"wrong", wrong}}, {}}), ShapeError);
  CHECK(folder.entries() == 0);
}

TEST_CASE("values of another type are not reinterpreted") {
  const HostTensor x = HostTensor::of(std::vector<float>{1, 2}, {2});
  CHECK_THROWS_AS(x.values<std::int32_t>(), DTypeError);
  CHECK_THROWS_AS(x.values<double>(), DTypeError);
}

TEST_CASE("a file cut at any byte is refused") {
  const Folder folder;
  Safetensors content{{{"a", HostTensor::of(std::vector<float>{1, 2, 3}, {3})}, {"b", HostTensor::of(std::vector<std::uint8_t>{1, 2, 3}, {3})}},
                      {{"format", "test"}}};
  write_safetensors(folder.file("x"), content);
  const std::string whole = scratch::bytes_of(folder.file("x"));
  REQUIRE(read_error(whole) == "");
  for (std::size_t n = 0; n < whole.size(); ++n) {
    CAPTURE(n);
    CHECK(read_error(whole.substr(0, n)).rfind("FormatError: ", 0) == 0);
  }
}

TEST_CASE("a missing file and a folder") {
  const Folder folder;
  CHECK(error_of([&] { read_safetensors(folder.file("none")); }).rfind("FileError: ", 0) == 0);
  CHECK_THROWS_AS(read_safetensors(folder.file("")), Error);
}

TEST_CASE("header lengths") {
  const std::string header = "{" + entry("x", "F32", "[1]", 0, 4) + "}";
  const auto with_length = [&](std::uint64_t n) { return file(header, "abcd").replace(0, 8, std::string(reinterpret_cast<const char*>(&n), 8)); };
  REQUIRE(read_error(with_length(header.size())) == "");
  refused("", "0 bytes");
  for (const std::uint64_t n : {std::uint64_t{1000}, std::uint64_t{100'000'001}, std::uint64_t{1} << 62, std::uint64_t{1} << 63, ~std::uint64_t{0}, ~std::uint64_t{7}})
    refused(with_length(n), "header length " + std::to_string(n));
  refused(with_length(0), "not JSON");
  refused(with_length(header.size() - 1), "not JSON");
  refused(with_length(header.size() + 1), "not JSON");
}

TEST_CASE("headers that are no header") {
  refused(file("hello", ""), "not JSON");
  refused(file("[]", ""), "not a JSON object");
  refused(file("3", ""), "not a JSON object");
  refused(file("{\"x\": 3}", ""), "\"x\"");
  refused(file("{\"x\": {}}", ""), "no dtype");
  refused(file(std::string("{\"\xff\xfe\": {}}"), ""), "not JSON");
  refused(file("{\"x\": " + std::string(100000, '[') + std::string(100000, ']') + "}", ""), "too deeply");
  refused(file(std::string(1000000, '['), ""), "too deeply");
  refused(file(std::string(300000, '{'), ""), "not JSON");
}

TEST_CASE("doubled names") {
  const std::string x = entry("x", "F32", "[1]", 0, 4);
  refused(file("{" + x + "," + x + "}", "abcd"), "\"x\": the name stands twice");
  refused(file("{" + x + "," + entry("\\u0078", "F32", "[1]", 4, 8) + "}", "abcdefgh"), "stands twice");
  refused(file("{\"__metadata__\": {}, \"__metadata__\": {}}", ""), "stands twice");
}

TEST_CASE("metadata that is not text") {
  refused(file("{\"__metadata__\": 3}", ""), "__metadata__");
  refused(file("{\"__metadata__\": {\"a\": 3}}", ""), "__metadata__.a");
  refused(file("{\"__metadata__\": {\"a\": null}}", ""), "__metadata__.a");
  refused(file("{\"__metadata__\": {\"a\": {\"b\": \"c\"}}}", ""), "__metadata__.a");
}

TEST_CASE("element types") {
  for (const char* type : {"\"F16\"", "\"f32\"", "\"\"", "3", "null", "[\"F32\"]"})
    refused(file(std::string("{\"x\": {\"dtype\": ") + type + ", \"shape\": [1], \"data_offsets\": [0, 4]}}", "abcd"), "dtype");
}

TEST_CASE("extents") {
  const std::string data(16, 'd');
  for (const char* shape : {"[-1]", "[4.0]", "[1e0]", "[\"4\"]", "[null]", "[[4]]", "[true]", "[18446744073709551616]"})
    refused(file("{" + entry("x", "F32", shape, 0, 16) + "}", data), "an extent is not a whole number");
  for (const char* shape : {"[18446744073709551615]", "[9223372036854775807, 2]", "[4294967296, 4294967296]", "[4611686018427387904, 4]",
                            "[0, 4611686018427387904, 4611686018427387904]", "[65536, 65536, 65536, 65536, 1]"})
    refused(file("{" + entry("x", "F32", shape, 0, 16) + "}", data), "\"x\": the shape needs more bytes");
  refused(file("{" + entry("x", "F32", "[1,1,1,1,1,1,1,1,4]", 0, 16) + "}", data), "more than 8 axes");
  for (const char* shape : {"4", "{\"0\": 4}", "\"[4]\"", "null"}) refused(file("{" + entry("x", "F32", shape, 0, 16) + "}", data), "no shape");
  for (const char* shape : {"[3]", "[5]", "[]", "[0]", "[16]", "[281474976710656]"})
    refused(file("{" + entry("x", "F32", shape, 0, 16) + "}", data), "\"x\": 16 bytes for shape");
}

TEST_CASE("offsets") {
  const std::string data(16, 'd');
  const auto with = [&](const std::string& offsets) {
    return file("{\"x\": {\"dtype\": \"F32\", \"shape\": [4], \"data_offsets\": " + offsets + "}}", data);
  };
  REQUIRE(read_error(with("[0, 16]")) == "");
  for (const char* offsets : {"[0]", "[0, 16, 16]", "[-1, 16]", "[0.0, 16]", "[\"0\", 16]", "0", "null", "{}"}) refused(with(offsets), "data_offsets");
  for (const char* offsets : {"[16, 0]", "[0, 17]", "[16, 32]", "[0, 18446744073709551615]", "[18446744073709551600, 18446744073709551615]"})
    refused(with(offsets), "\"x\": bytes");
}

TEST_CASE("tensors must tile the data") {
  const auto two = [](int a, int b, int c, int d) { return "{" + entry("a", "U8", "[4]", a, b) + "," + entry("b", "U8", "[4]", c, d) + "}"; };
  REQUIRE(read_error(file(two(0, 4, 4, 8), "abcdefgh")) == "");
  REQUIRE(read_error(file(two(4, 8, 0, 4), "abcdefgh")) == "");
  refused(file(two(0, 4, 0, 4), "abcdefgh"), "overlap");
  refused(file(two(0, 4, 3, 7), "abcdefgh"), "overlap");
  refused(file(two(0, 4, 5, 9), "abcdefghi"), "belong to no tensor");
  refused(file(two(1, 5, 5, 9), "abcdefghi"), "bytes 0 to 1 belong to no tensor");
  refused(file(two(0, 4, 4, 8), "abcdefghi"), "bytes after 8");
  refused(file("{}", "a"), "bytes after 0");
}

TEST_CASE("overlapping tensors cannot ask for more memory than the file is long") {
  constexpr int bytes = 1 << 20, tensors = 400;
  std::string header = "{";
  for (int i = 0; i < tensors; ++i)
    header += (i ? "," : "") + entry("t" + std::to_string(i), "U8", "[" + std::to_string(bytes) + "]", 0, bytes);
  const std::string content = file(header + "}", std::string(bytes, 'd'));
  const auto peak_kib = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const long before = peak_kib();
  refused(content, "overlap");
  CHECK(peak_kib() - before < tensors / 4 * 1024);
}
