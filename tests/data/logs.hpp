#pragma once
// What tests of action logs and of request logs share.

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "scratch.hpp"

namespace logs {

template <class Reader, class Row> std::vector<Row> read(const std::string& path) {
  std::vector<Row> all;
  Reader reader(path);
  for (Row row; reader.next(row);) all.push_back(row);
  return all;
}

template <class Writer, class Row> void write(const std::string& path, const std::vector<Row>& all) {
  Writer writer(path);
  for (const Row& row : all) writer.write(row);
  writer.finish();
}

/// The error of reading a file of this content, with the folder taken out; "" if there is none.
template <class Read> std::string read_error(const std::string& bytes, Read read) {
  const scratch::Folder folder;
  const std::string path = folder.put("log", bytes);
  std::string error = scratch::error_of([&] { read(path); });
  if (const auto at = error.find(path); at != std::string::npos) error.replace(at, path.size(), "log");
  return error;
}

inline void check_has(const std::string& text, const std::string& part) {
  INFO("message: ", text);
  CHECK(text.find(part) != std::string::npos);
}

// Half of the changes are of a digit, which often leaves a log that can be read.
inline void mutate(std::string& bytes, std::mt19937_64& random) {
  static const std::string nasty("{}[]\":,\\\n\r-.e0u\xFF\xC3\0", 18);
  const std::size_t at = random() % bytes.size(), digit = bytes.find_first_of("0123456789", at);
  switch (random() % 4) {
    case 0: bytes.erase(at, 1 + random() % 5); break;
    case 1: bytes.insert(at, 1, nasty[random() % nasty.size()]); break;
    default:
      if (digit != std::string::npos) bytes[digit] = static_cast<char>('0' + random() % 10);
  }
}

/// Mutated logs are refused with a chronotope::Error that names the file, or give rows that are written and read again.
template <class Read, class Write> void check_mutations(const std::vector<std::string>& texts, Read read, Write write) {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const scratch::Folder folder;
  constexpr int rounds = 500;
  for (const std::string& text : texts) {
    int refused = 0;
    for (int round = 0; round < rounds; ++round) {
      std::string bytes = text;
      for (std::size_t changes = 1 + random() % 3; changes > 0; --changes) mutate(bytes, random);
      const std::string path = folder.put("mutated", bytes);
      CAPTURE(round);
      CAPTURE(bytes);
      decltype(read(path)) all;
      try {
        all = read(path);
      } catch (const chronotope::Error& error) {
        ++refused;
        CHECK(std::string(error.what()).starts_with(path));
        continue;
      }
      write(folder.file("again.jsonl"), all);
      write(folder.file("again.csv"), all);
      CHECK(read(folder.file("again.csv")) == read(folder.file("again.jsonl")));
    }
    CHECK(refused > rounds / 5);
    CHECK(refused < rounds);
  }
}

}  // namespace logs
