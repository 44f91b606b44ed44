// Vectors of places from .npy with .ids, and from .safetensors.
#include <doctest/doctest.h>

#include <functional>
#include <limits>

#include "chronotope/core/safetensors.hpp"
#include "chronotope/data/place_vectors.hpp"
#include "scratch.hpp"

using namespace chronotope;

namespace {

const std::vector<std::string> asked{"b", "nowhere", "a", "b"};
const Matrix three{3, 2, {1, 2, 3, 4, 5, 6}};  // of a, b, c

HostTensor text(const std::string& ids) {
  return HostTensor::of(std::vector<std::uint8_t>(ids.begin(), ids.end()), Shape{static_cast<std::int64_t>(ids.size())});
}

struct Files {
  scratch::Folder folder;

  std::string npy(const std::string& ids, const Matrix& matrix = three) const {
    write_npy(folder.file("v.npy"), matrix);
    folder.put("v.ids", ids);
    return folder.file("v.npy");
  }
  std::string tensors(const std::map<std::string, HostTensor>& named) const {
    write_safetensors(folder.file("v.safetensors"), {named, {}});
    return folder.file("v.safetensors");
  }
  std::string error(const std::string& path, std::int64_t width = 0) const {
    return scratch::error_of([&] { read_place_vectors(path, asked, width); });
  }
};

void check_three(const PlaceVectors& v) {
  CHECK(v.vectors.rows == 4);
  CHECK(v.vectors.width == 2);
  CHECK(v.vectors.values == std::vector<float>{3, 4, 0, 0, 1, 2, 3, 4});
  CHECK(v.found == std::vector<std::uint8_t>{1, 0, 1, 1});
  CHECK(v.missing == 1);
  CHECK(v.unknown == 1);
}

bool says(const std::string& error, const std::string& type, const std::string& rule) {
  CAPTURE(error);
  const bool as_it_should = error.starts_with(type) && error.find(rule) != error.npos;
  CHECK(as_it_should);
  return as_it_should;
}

}  // namespace

TEST_CASE("place vectors: both formats say the same, whatever ends the lines") {
  const Files files;
  check_three(read_place_vectors(files.npy("a\nb\nc\n"), asked, 2));
  check_three(read_place_vectors(files.npy("a\r\nb\r\nc"), asked));
  const std::vector<double> wide{1, 2, 3, 4, 5, 6};
  check_three(read_place_vectors(files.tensors({{"vectors", HostTensor::of(three.values, {3, 2})}, {"ids", text("a\nb\nc")}}), asked));
  check_three(read_place_vectors(files.tensors({{"vectors", HostTensor::of(wide, {3, 2})}, {"ids", text("a\nb\nc\n")}}), asked, 2));
}

TEST_CASE("place vectors: ids written beside a matrix are read back") {
  const Files files;
  const std::vector<std::string> ids{"a", "b ", "\xE5\xBA\x97;,\""};
  const std::string path = files.npy("");
  write_place_ids(files.folder.file("v.ids"), ids);
  CHECK(read_place_vectors(path, ids).vectors.values == three.values);
  for (const std::string& bad : {std::string(), std::string("a\nb"), std::string("a\r"), std::string(1025, 'x'), std::string("\xff")})
    CHECK_THROWS_AS(write_place_ids(files.folder.file("v.ids"), std::vector<std::string>{"z", bad}), DataError);
  CHECK_THROWS_AS(write_place_ids(files.folder.file("v.ids"), std::vector<std::string>{"z", "z"}), DataError);
  CHECK(read_place_vectors(path, ids).missing == 0);  // the file is as it was
}

TEST_CASE("place vectors: what does not fit is said") {
  const Files files;
  says(files.error(files.npy("a\nb\n")), "DataError", "3 vectors, but 2 ids");
  says(files.error(files.npy("a\nb\nc\nd\n")), "DataError", "3 vectors, but 4 ids");
  says(files.error(files.npy("a\nb\na\n")), "DataError", "v.ids: line 3: the id 'a' stands twice, first for row 0");
  says(files.error(files.npy("a\n\nc\n")), "DataError", "v.ids: line 2: an empty id");
  says(files.error(files.npy("a\n\xff\nc\n")), "DataError", "not UTF-8");
  says(files.error(files.npy("a\nb\nc\n"), 64), "DataError", "width 2, wanted are 64");
  says(files.error(files.npy("a\nb\nc\n", {3, 2, {1, 2, std::numeric_limits<float>::quiet_NaN(), 4, 5, 6}})), "DataError", "row 1, column 0");
  says(files.error(files.folder.file("v.csv")), "ConfigError", ".safetensors");
  std::filesystem::remove(files.folder.file("v.ids"));
  says(files.error(files.folder.file("v.npy")), "FileError", "v.ids");
}

TEST_CASE("place vectors: tensors of other names, shapes and types are refused") {
  const Files files;
  const HostTensor vectors = HostTensor::of(three.values, {3, 2}), ids = text("a\nb\nc");
  says(files.error(files.tensors({{"vectors", vectors}})), "FormatError", "no tensor \"ids\"");
  says(files.error(files.tensors({{"x", vectors}, {"ids", ids}})), "FormatError", "no tensor \"vectors\"");
  says(files.error(files.tensors({{"vectors", HostTensor::of(three.values, {6})}, {"ids", ids}})), "FormatError", "[6]");
  says(files.error(files.tensors({{"vectors", HostTensor::of(std::vector<std::int32_t>(6), {3, 2})}, {"ids", ids}})), "FormatError", "i32");
  says(files.error(files.tensors({{"vectors", vectors}, {"ids", vectors}})), "FormatError", "f32");
  says(files.error(files.tensors({{"vectors", vectors}, {"ids", text("a\nb")}})), "DataError", "but 2 ids");
  says(files.error(files.tensors({{"vectors", vectors}, {"ids", text("a\n\nb")}})), "DataError", "id 1 (from 0)");
  const std::vector<double> huge{1, 2, 3, 1e300, 5, 6};
  says(files.error(files.tensors({{"vectors", HostTensor::of(huge, {3, 2})}, {"ids", ids}})), "DataError", "row 1, column 1");
  const std::vector<float> wide(static_cast<std::size_t>(widest_vector) + 1);
  says(files.error(files.tensors({{"vectors", HostTensor::of(wide, {1, widest_vector + 1})}, {"ids", text("a")}})), "DataError", "at most 65536");
}
