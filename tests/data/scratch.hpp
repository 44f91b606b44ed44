#pragma once
// A folder of its own for a test, removed afterwards, and shorthands to make files and look at errors.

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <typeinfo>

#include "chronotope/core/error.hpp"
#include "chronotope/data/checkins.hpp"

namespace scratch {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "chronotope-test-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::filesystem::filesystem_error("mkdtemp", name, std::error_code());
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }

  std::string put(const std::string& name, const std::string& bytes) const {
    std::ofstream out(file(name), std::ios::binary);
    out << bytes;
    return file(name);
  }

  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::string path_;
};

inline std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// "DataError: text" of what `action` throws, "" if nothing.
template <class Action> std::string error_of(Action&& action) {
  try {
    action();
  } catch (const chronotope::FormatError& e) {
    return std::string("FormatError: ") + e.what();
  } catch (const chronotope::DataError& e) {
    return std::string("DataError: ") + e.what();
  } catch (const chronotope::FileError& e) {
    return std::string("FileError: ") + e.what();
  } catch (const chronotope::ConfigError& e) {
    return std::string("ConfigError: ") + e.what();
  } catch (const std::exception& e) {
    return std::string("something else: ") + e.what();
  }
  return "";
}

/// The same for reading a file of this content, with the folder taken out of the text.
inline std::string read_error(const std::string& bytes) {
  const Folder folder;
  const std::string path = folder.put("in.csv", bytes);
  std::string error = error_of([&] { chronotope::read_checkins(path); });
  const auto at = error.find(path);
  if (at != std::string::npos) error.replace(at, path.size(), "in.csv");
  return error;
}

inline chronotope::CheckinTable read_text(const std::string& bytes) {
  const Folder folder;
  return chronotope::read_checkins(folder.put("in.csv", bytes));
}

inline const std::string small_header = "user_id,poi_id,latitude,longitude,utc_timestamp,split\n";

}  // namespace scratch
