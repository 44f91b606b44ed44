#include "chronotope/data/geo_index_folder.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"
#include "core/folder_lock.hpp"
#include "csv.hpp"
#include "geo_index_write.hpp"

namespace chronotope {
namespace {

namespace fs = std::filesystem;

/// The whole of a text as a version: 1 or more, no sign, no zeros in front.
std::optional<std::uint32_t> version_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.front() == '0') return std::nullopt;
  return number;
}

/// Files that a killed writer left. The lock is held, so nobody is writing them.
void remove_leftovers(const std::string& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if ((name.starts_with("index.") || name.starts_with("current.")) && name.find(".tmp-") != name.npos) fs::remove(entry.path(), ignored);
  }
}

}  // namespace

std::string GeoIndexFolder::file_of(std::uint32_t version) const { return path_ + "/index." + std::to_string(version); }

std::vector<std::uint32_t> GeoIndexFolder::numbers() const {
  std::vector<std::uint32_t> numbers;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path_, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("index.")) continue;
    if (const auto number = version_of(std::string_view(name).substr(6))) numbers.push_back(*number);
  }
  if (error) throw FileError(path_ + ": the folder cannot be read: " + error.message());
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

GeoIndexFolder GeoIndexFolder::create(const std::string& path, const PlaceList& places,
                                      const GeoIndexOptions& options) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw FileError(path + ": the folder cannot be made: " + error.message());
  GeoIndexFolder folder(path);
  const FolderLock lock(path);
  if (fs::exists(path + "/current"))
    throw ConfigError(path + ": holds an index already, version " + std::to_string(folder.current()) +
                      "; append to it, or choose another folder");
  remove_leftovers(path);
  build_geo_index(places, folder.file_of(1), options);
  folder.make_current(1);
  return folder;
}

std::uint32_t GeoIndexFolder::current() const {
  const std::string file = path_ + "/current";
  std::ifstream in(file, std::ios::binary);
  if (!in) throw FileError(file + ": cannot be opened; an index is a folder made by chronotope index build");
  std::string text(32, '\0');
  in.read(text.data(), 32);
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.ends_with('\n')) text.pop_back();
  const auto number = text.empty() ? std::nullopt : version_of(text);
  if (!number)
    throw FormatError(file + ": " + shown(text) + " is no version; write the number of one of the index.N beside it");
  return *number;
}

GeoIndex GeoIndexFolder::open(std::uint32_t version, std::uint64_t expected) const {
  const std::uint32_t number = version ? version : current();
  if (!fs::exists(file_of(number))) {
    std::string known;
    for (const std::uint32_t n : numbers()) known += " " + std::to_string(n);
    throw ConfigError(path_ + ": there is no version " + std::to_string(number) +
                      "; there are:" + (known.empty() ? " none" : known));
  }
  GeoIndex index(file_of(number), expected);
  if (index.info().version != number)
    throw FormatError(index.path() + ": says that it is version " + std::to_string(index.info().version) +
                      "; give the file its own name back");
  return index;
}

std::vector<GeoIndexInfo> GeoIndexFolder::versions() const {
  std::vector<GeoIndexInfo> list;
  for (const std::uint32_t number : numbers()) list.push_back(open(number).info());
  return list;
}

void GeoIndexFolder::make_current(std::uint32_t version) const {
  write_file_atomically(path_ + "/current", std::to_string(version) + "\n");
}

std::uint32_t GeoIndexFolder::next_number() const {
  const std::uint32_t last = numbers().back();
  if (last == ~std::uint32_t{0})
    throw ConfigError(path_ + ": no number is left for a further version; build the index anew");
  return last + 1;
}

GeoIndexInfo GeoIndexFolder::change(const std::function<void(const GeoIndex&, geo::Draft&)>& fill) const {
  const FolderLock lock(path_);
  const GeoIndex before = open();
  before.check();  // what is damaged is not carried on
  remove_leftovers(path_);
  const geo::View old(before.path());
  const PlaceList none;
  geo::Draft draft;
  draft.old = &old, draft.places = &none, draft.version = next_number(), draft.options = before.info().options;
  fill(before, draft);
  draft.plan = geo::plan_index(&old, before.grid(), *draft.places, draft.options.most_inner);
  geo::write_index(draft, file_of(draft.version));
  make_current(draft.version);
  return open().info();
}

GeoIndexInfo GeoIndexFolder::append(const PlaceList& places) const {
  if (places.size() == 0) throw DataError(path_ + ": there are no places to append");
  return change([&](const GeoIndex&, geo::Draft& draft) { draft.places = &places; });
}

GeoIndexInfo GeoIndexFolder::remove(std::span<const std::string> ids) const {
  if (ids.empty()) throw DataError(path_ + ": there are no places to remove");
  return change([&](const GeoIndex& before, geo::Draft& draft) {
    draft.retire.resize(draft.old->head().rows);
    for (const std::string& id : ids) {
      const auto code = before.find(id);
      if (!code)
        throw DataError(before.path() + ": there is no place " + shown(id) + " to remove; nothing was changed");
      const std::size_t row = std::size_t{draft.old->rows(code->block - 1).begin} + code->inner - 1;
      if (draft.retire[row])
        throw DataError(before.path() + ": the place " + shown(id) + " is named twice; nothing was changed");
      draft.retire[row] = true;
    }
  });
}

GeoIndexInfo GeoIndexFolder::rollback(std::uint32_t version) const {
  const FolderLock lock(path_);
  const GeoIndex index = open(version);
  index.check();
  make_current(version);
  return index.info();
}

}  // namespace chronotope
