// .npy files: as numpy writes them, damaged, and written here.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "chronotope/data/npy.hpp"
#include "scratch.hpp"

using chronotope::Matrix;
using chronotope::read_npy;
using chronotope::write_npy;

namespace {

std::string header(const std::string& dictionary, int version = 1, std::size_t padded = 128) {
  const std::size_t before = version == 1 ? 10 : 12, length = padded - before;
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  for (std::size_t at = 0; at < before - 8; ++at) bytes += static_cast<char>(length >> 8 * at & 255);
  bytes += dictionary;
  bytes.resize(padded - 1, ' ');
  return bytes + "\n";
}

std::string dictionary(const std::string& type, const std::string& shape, const std::string& fortran = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': (" + shape + "), }";
}

// numpy.save of [[1.5, -2, 3], [0.1, 0.001, 65504]] (numpy 2): the header is header() of the same dictionary.
const std::string as_f4("\x00\x00\xc0?\x00\x00\x00\xc0\x00\x00@@\xcd\xcc\xcc=o\x12\x83:\x00\xe0\x7fG", 24);
const std::string as_f8("\x00\x00\x00\x00\x00\x00\xf8?\x00\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x08@\x00\x00\x00\xa0\x99\x99\xb9?"
                        "\x00\x00\x00\xe0MbP?\x00\x00\x00\x00\x00\xfc\xef@", 48);
const std::string as_f2("\x00>\x00\xc0\x00" "Bf.\x19\x14\xff{", 12);
const std::vector<float> values{1.5f, -2, 3, 0.1f, 0.001f, 65504};

std::string error_of(const std::string& bytes) {
  const scratch::Folder folder;
  const std::string path = folder.put("x.npy", bytes);
  return scratch::error_of([&] { read_npy(path); });
}

void refused(const std::string& bytes, const std::string& rule) {
  const std::string error = error_of(bytes);
  CAPTURE(error);
  CHECK(error.starts_with("FormatError: "));
  CHECK(error.find("x.npy") != error.npos);
  CHECK(error.find(rule) != error.npos);
}

Matrix read(const std::string& bytes) {
  const scratch::Folder folder;
  return read_npy(folder.put("x.npy", bytes));
}

}  // namespace

TEST_CASE("npy: what numpy writes is read, in all three types and versions") {
  for (const int version : {1, 2, 3}) {
    const Matrix f4 = read(header(dictionary("<f4", "2, 3"), version) + as_f4);
    CHECK(f4.rows == 2);
    CHECK(f4.width == 3);
    CHECK(f4.values == values);
    CHECK(f4.row(1)[0] == 0.1f);
  }
  CHECK(read(header(dictionary("<f8", "2, 3")) + as_f8).values == values);
  const Matrix f2 = read(header(dictionary("<f2", "2, 3")) + as_f2);
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(f2.values[i] == doctest::Approx(values[i]).epsilon(0.0005));
}

TEST_CASE("npy: half numbers of every kind") {
  const std::string bits("\x01\x00\x00\x80\x00\x7c\x00\xfc\x01\x7c\xff\x03\x00\x04", 14);
  const Matrix m = read(header(dictionary("<f2", "1, 7")) + bits);
  CHECK(m.values[0] == 0x1p-24f);
  CHECK(m.values[1] == 0);
  CHECK(std::signbit(m.values[1]));
  CHECK(m.values[2] == std::numeric_limits<float>::infinity());
  CHECK(m.values[3] == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(m.values[4]));
  CHECK(m.values[5] == 1023 * 0x1p-24f);
  CHECK(m.values[6] == 0x1p-14f);
}

TEST_CASE("npy: what is written is what numpy writes, and reads back") {
  const scratch::Folder folder;
  const std::string path = folder.file("out.npy");
  write_npy(path, {2, 3, values});
  CHECK(scratch::bytes_of(path) == header(dictionary("<f4", "2, 3")) + as_f4);
  CHECK(folder.entries() == 1);
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Matrix large{1000, 77, {}};
  for (int i = 0; i < 77000; ++i) large.values.push_back(std::normal_distribution<float>()(random));
  write_npy(path, large);
  const Matrix back = read_npy(path);
  CHECK(back.rows == 1000);
  CHECK(back.width == 77);
  CHECK(back.values == large.values);
  write_npy(path, {0, 5, {}});
  CHECK(read_npy(path).rows == 0);
  CHECK(read_npy(path).width == 5);
}

TEST_CASE("npy: nothing remains of a file that is not finished") {
  const scratch::Folder folder;
  const std::string path = folder.put("out.npy", "before");
  {
    chronotope::NpyWriter writer(path, 3);
    writer.write(std::span<const float>(values).first(3));
    CHECK_THROWS_AS(writer.write(std::span<const float>(values).first(2)), chronotope::ShapeError);
  }
  CHECK(scratch::bytes_of(path) == "before");
  CHECK(folder.entries() == 1);
  chronotope::NpyWriter finished(path, 1);
  finished.finish();
  CHECK_THROWS_AS(finished.finish(), chronotope::FileError);
  CHECK(read_npy(path).rows == 0);
  CHECK_THROWS_AS(chronotope::NpyWriter(path, 0), chronotope::ConfigError);
  CHECK_THROWS_AS(chronotope::NpyWriter(folder.file("no/x.npy"), 1), chronotope::FileError);
  CHECK_THROWS_AS(write_npy(path, Matrix{2, 2, {1}}), chronotope::ShapeError);
}

TEST_CASE("npy: errors say what was found and what to do") {
  const std::string data(24, '\0');
  refused("", "empty");
  refused("PK\x03\x04 a zip file", "numpy.save");
  refused(header(dictionary("<i8", "2, 3")) + data, "'<i8'");
  refused(header(dictionary(">f4", "2, 3")) + data, "astype('<f4')");
  refused(header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3)}") + data, "records");
  refused(header(dictionary("<f4", "2, 3", "True")) + data, "ascontiguousarray");
  refused(header(dictionary("<f4", "6,")) + data, "(6); a matrix of two axes");
  refused(header(dictionary("<f4", "1, 2, 3")) + data, "(1, 2, 3)");
  refused(header(dictionary("<f4", "")) + data, "()");
  refused(header(dictionary("<f4", "5, 0")), "no columns");
  refused(header(dictionary("<f4", "18446744073709551615, 3")) + data, "does not fit");
  refused(header(dictionary("<f4", "4611686018427387904, 4")) + data, "does not fit");
  refused(header(dictionary("<f4", "18446744073709551616, 1")) + data, "no whole number");
  refused(header(dictionary("<f4", "-2, 3")) + data, "no whole number");
  refused(header(dictionary("<f4", "2, 3")) + data + "x", "appended");
  refused(header(dictionary("<f4", "2, 3")) + data.substr(1), "cut off");
  refused(header(dictionary("<f4", "2, 3"), 4) + data, "version 4.0");
  refused(header("{'descr': '<f4', 'shape': (2, 3)}") + data, "fortran_order is missing");
  refused(header("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}") + data, "stands twice");
  refused(header("{'more': 1, 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}") + data, "unknown key 'more'");
  refused(header(dictionary("<f4", "2, 3") + "x") + data, "behind its end");
  refused(header(dictionary("<f4", "2, 3"), 2, 70000) + data, "longer than");
  CHECK(error_of(header(dictionary("<f8", "1, 1")) + std::string("\x00\x00\x00\x00\x00\x00\xf0\x7e", 8)).find("row 0, column 0") !=
        std::string::npos);
  const scratch::Folder folder;
  CHECK(scratch::error_of([&] { read_npy(folder.file("no.npy")); }).starts_with("FileError: "));
}

TEST_CASE("npy: a column or a row of one may stand in either order") {
  CHECK(read(header(dictionary("<f4", "6, 1", "True")) + as_f4).rows == 6);
  CHECK(read(header(dictionary("<f4", "1, 6", "True")) + as_f4).width == 6);
}

TEST_CASE("npy: cut anywhere, or with any bit of the header turned, a file is refused or read within its bytes") {
  for (const int version : {1, 2}) {
    const std::string good = header(dictionary("<f4", "2, 3"), version) + as_f4;
    const scratch::Folder folder;
    for (std::size_t size = 0; size < good.size(); ++size) {
      CAPTURE(size);
      const std::string path = folder.put("x.npy", good.substr(0, size));
      CHECK(scratch::error_of([&] { read_npy(path); }).starts_with("FormatError: "));
    }
    int read_well = 0;
    const std::size_t bits = version == 1 ? 128 * 8 : 12 * 8;  // behind that, headers are the same
    for (std::size_t bit = 0; bit < bits; ++bit) {
      CAPTURE(bit);
      std::string bad = good;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
      const std::string path = folder.put("x.npy", bad);
      const std::string error = scratch::error_of([&] {
        const Matrix m = read_npy(path);
        CHECK(m.values.size() == static_cast<std::size_t>(m.rows * m.width));
        CHECK(m.values.size() == 6);
        ++read_well;
      });
      if (!error.empty()) CHECK(error.starts_with("FormatError: "));
    }
    CHECK(read_well < 64);  // padding: a blank turned into a tab, say
  }
}
