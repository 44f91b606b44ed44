#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/data/click_cache.hpp"
#include "click_layout.hpp"

namespace chronotope {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using clicks::Column;
using clicks::Extent;
using clicks::Role;

constexpr std::size_t copy_bytes = std::size_t{1} << 22;

/// A file that is appended to, and cut to the length it had when it was last saved.
class PieceFile {
 public:
  explicit PieceFile(std::string path) : path_(std::move(path)) {
    do descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    while (descriptor_ < 0 && errno == EINTR);
    if (descriptor_ < 0) fail("opening");
  }
  ~PieceFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  PieceFile(PieceFile&& other) noexcept
      : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  PieceFile& operator=(PieceFile&&) = delete;

  bool lock() { return ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0; }

  /// What lies behind `bytes` was never saved. Throws FormatError when the file is shorter.
  void cut(std::uint64_t bytes) {
    const ::off_t size = ::lseek(descriptor_, 0, SEEK_END);
    if (size < 0) fail("measuring");
    if (static_cast<std::uint64_t>(size) < bytes)
      throw FormatError(path_ + ": has " + std::to_string(size) + " bytes where " + std::to_string(bytes) +
                        " were saved; remove the folder to begin anew");
    if (::ftruncate(descriptor_, static_cast<::off_t>(bytes)) != 0) fail("truncating");
    if (::lseek(descriptor_, static_cast<::off_t>(bytes), SEEK_SET) < 0) fail("positioning");
  }

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("writing");
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  void sync() {
    if (::fdatasync(descriptor_) != 0) fail("flushing to the disk");
  }

  void copy_to(AtomicFile& out, std::vector<char>& buffer) {
    if (::lseek(descriptor_, 0, SEEK_SET) < 0) fail("positioning");
    for (;;) {
      const ssize_t got = ::read(descriptor_, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail("reading");
      if (got == 0) return;
      out.write(buffer.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  [[noreturn]] void fail(const char* step) const {
    const std::string reason = std::error_code(errno, std::generic_category()).message();
    throw FileError(path_ + ": " + step + " failed: " + reason);
  }

  std::string path_;
  int descriptor_ = -1;
};

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw FileError(path + ": cannot be opened");
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

class ClickCacheWriter::State {
 public:
  State(std::string path, std::string fingerprint)
      : path_(std::move(path)), folder_(path_ + ".partial"), fingerprint_(std::move(fingerprint)) {
    std::error_code error;
    fs::create_directory(folder_, error);
    if (error) throw FileError(folder_ + ": cannot be made: " + error.message());
    lock_.emplace(folder_ + "/lock");
    if (!lock_->lock()) throw FileError(folder_ + ": another process is writing this cache; let it end or stop it");
    if (fs::exists(progress_path())) restore();
  }

  void append(const ClickLog& piece) {
    std::vector<Column> columns = clicks::columns_of(piece);
    if (files_.empty()) start(columns);
    else check_same(columns);
    const Extent more{piece.size(), piece.behaviours.size(), piece.semi_synthetic};
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].bytes.size() != more.bytes_of(columns[i]))
        throw DataError(path_ + ": " + columns[i].title() + ": its length differs from that of the others");
      if (columns[i].role == Role::first || columns[i].role == Role::last) files_[i].write(shifted(columns[i].bytes));
      else files_[i].write(columns[i].bytes);
    }
    extent_.samples += more.samples;
    extent_.behaviours += more.behaviours;
    extent_.semi_synthetic |= more.semi_synthetic;
  }

  void save(std::string note) {
    note_ = std::move(note);
    for (PieceFile& file : files_) file.sync();
    const Json progress = {{"version", clicks::cache_version},
                           {"fingerprint", fingerprint_},
                           {"note", note_},
                           {"samples", extent_.samples},
                           {"behaviours", extent_.behaviours},
                           {"semi_synthetic", extent_.semi_synthetic},
                           {"columns", clicks::to_json(columns_)}};
    write_file_atomically(progress_path(), progress.dump(1, ' ', false, Json::error_handler_t::replace));
  }

  void commit() {
    if (extent_.samples == 0) throw DataError(path_ + ": a click log without samples is not written");
    AtomicFile out(path_);
    const std::string head = clicks::make_head(extent_, columns_);
    out.write(head);
    std::uint64_t at = head.size();
    std::vector<char> buffer(copy_bytes);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      out.write(std::string(columns_[i].offset - at, '\0'));
      files_[i].copy_to(out, buffer);
      at = columns_[i].offset + extent_.bytes_of(columns_[i]);
    }
    out.commit();
    files_.clear();
    std::error_code ignored;  // the cache is whole; a folder left behind only takes room
    fs::remove_all(folder_, ignored);
  }

  const std::string& note() const { return note_; }
  const Extent& extent() const { return extent_; }

 private:
  std::string progress_path() const { return folder_ + "/progress.json"; }

  void open_files() {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      files_.emplace_back(folder_ + "/column-" + std::to_string(i));
      files_.back().cut(extent_.bytes_of(columns_[i]));  // to nothing, when this is the first piece
    }
  }

  void start(const std::vector<Column>& columns) {
    columns_ = columns;
    for (Column& c : columns_) c.bytes = {};  // those of the first piece are gone soon
    open_files();
  }

  void check_same(const std::vector<Column>& columns) const {
    const auto same = [](const Column& a, const Column& b) { return a.same_kind(b); };
    const auto [mine, other] = std::mismatch(columns_.begin(), columns_.end(), columns.begin(), columns.end(), same);
    if (mine == columns_.end() && other == columns.end()) return;
    throw DataError(path_ + ": " + (other == columns.end() ? *mine : *other).title() +
                    ": the columns of a piece differ from those of the first");
  }

  std::span<const std::byte> shifted(std::span<const std::byte> bytes) {
    const auto* const values = reinterpret_cast<const std::uint64_t*>(bytes.data());
    shifted_.assign(values, values + bytes.size() / sizeof(std::uint64_t));
    for (std::uint64_t& value : shifted_) value += extent_.behaviours;
    return std::as_bytes(std::span<const std::uint64_t>(shifted_));
  }

  void restore() {
    try {
      const Json progress = Json::parse(content_of(progress_path()));
      if (!progress.is_object() || clicks::count_from_json(progress, "version") != clicks::cache_version)
        throw std::string("it is of another version");
      if (progress.value("fingerprint", "") != fingerprint_)
        throw ConfigError(folder_ +
                          ": a cache was begun here with other settings or inputs; remove the folder to begin anew, "
                          "or use the settings it was begun with");
      extent_ = {clicks::count_from_json(progress, "samples"), clicks::count_from_json(progress, "behaviours"),
                 progress.value("semi_synthetic", false)};
      columns_ = clicks::columns_from_json(progress.contains("columns") ? progress["columns"] : Json(), false);
      note_ = progress.value("note", "");
      constexpr std::uint64_t most = std::uint64_t{1} << 48;  // so that no count of bytes overflows
      if (extent_.samples > most || extent_.behaviours > most || (columns_.empty() && extent_.samples > 0))
        throw std::string("its counts make no sense");
    } catch (const std::string& rule) {
      damaged(rule);
    } catch (const Json::exception& e) {
      damaged(e.what());
    }
    open_files();
  }

  [[noreturn]] void damaged(const std::string& rule) const {
    throw FormatError(progress_path() + ": cannot go on from it: " + rule + "; remove the folder to begin anew");
  }

  std::string path_, folder_, fingerprint_, note_;
  std::optional<PieceFile> lock_;
  Extent extent_;
  std::vector<Column> columns_;
  std::vector<PieceFile> files_;
  std::vector<std::uint64_t> shifted_;
};

ClickCacheWriter::ClickCacheWriter(std::string path, std::string fingerprint)
    : state_(std::make_unique<State>(std::move(path), std::move(fingerprint))) {}
ClickCacheWriter::~ClickCacheWriter() = default;

const std::string& ClickCacheWriter::note() const { return state_->note(); }
std::uint64_t ClickCacheWriter::samples() const { return state_->extent().samples; }
std::uint64_t ClickCacheWriter::behaviours() const { return state_->extent().behaviours; }
void ClickCacheWriter::append(const ClickLog& piece) { state_->append(piece); }
void ClickCacheWriter::save(std::string note) { state_->save(std::move(note)); }
void ClickCacheWriter::commit() { state_->commit(); }

}  // namespace chronotope
