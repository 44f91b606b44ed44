#include <fcntl.h>
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
#include "core/folder_lock.hpp"

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

  void read(std::uint64_t offset, void* out, std::size_t size) const {
    char* next = static_cast<char*>(out);
    while (size > 0) {
      const ssize_t got = ::pread(descriptor_, next, size, static_cast<::off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail("reading");
      if (got == 0) throw FormatError(path_ + ": ends too early; remove the folder to begin anew");
      next += got, size -= static_cast<std::size_t>(got), offset += static_cast<std::uint64_t>(got);
    }
  }

  void copy_to(AtomicFile& out, std::uint64_t offset, std::uint64_t size, std::vector<char>& buffer) const {
    while (size > 0) {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(size, buffer.size()));
      read(offset, buffer.data(), part);
      out.write(buffer.data(), part);
      offset += part, size -= part;
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
    lock_.emplace(folder_);
    if (fs::exists(progress_path())) restore();
    pieces_.emplace(folder_ + "/pieces");
    pieces_->cut(bytes_);
  }

  void append(const ClickLog& piece) {
    std::vector<Column> columns = clicks::columns_of(piece);
    const Extent more{piece.size(), piece.behaviours.size(), piece.semi_synthetic};
    check_same(columns, more);
    const std::uint64_t head[] = {more.samples, more.behaviours};
    pieces_->write(std::as_bytes(std::span(head)));
    bytes_ += sizeof head;
    for (const Column& c : columns) {
      pieces_->write(c.role == Role::first || c.role == Role::last ? shifted(c.bytes) : c.bytes);
      bytes_ += c.bytes.size();
    }
    extent_.samples += more.samples;
    extent_.behaviours += more.behaviours;
    extent_.semi_synthetic |= more.semi_synthetic;
  }

  void save(std::string note) {
    note_ = std::move(note);
    pieces_->sync();  // before the progress that counts on it
    const Json progress = {{"version", clicks::cache_version},
                           {"fingerprint", fingerprint_},
                           {"note", note_},
                           {"samples", extent_.samples},
                           {"behaviours", extent_.behaviours},
                           {"bytes", bytes_},
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
    std::vector<Place> pieces = find_pieces();
    std::vector<char> buffer(copy_bytes);
    for (const Column& c : columns_) {
      out.write(std::string(c.offset - at, '\0'));
      for (Place& piece : pieces) {
        const std::uint64_t size = piece.extent.bytes_of(c);
        pieces_->copy_to(out, piece.offset, size, buffer);
        piece.offset += size;  // where its next column is
      }
      at = c.offset + extent_.bytes_of(c);
    }
    out.commit();
    pieces_.reset();
    std::error_code ignored;  // the cache is whole; a folder left behind only takes room
    fs::remove_all(folder_, ignored);
  }

  const std::string& note() const { return note_; }
  const Extent& extent() const { return extent_; }

 private:
  std::string progress_path() const { return folder_ + "/progress.json"; }

  void check_same(const std::vector<Column>& columns, const Extent& extent) {
    for (const Column& c : columns)
      if (c.bytes.size() != extent.bytes_of(c))
        throw DataError(path_ + ": " + c.title() + ": its length differs from that of the others");
    if (columns_.empty()) {
      columns_ = columns;
      for (Column& c : columns_) c.bytes = {};  // those of the first piece are gone soon
    }
    const auto same = [](const Column& a, const Column& b) { return a.same_kind(b); };
    const auto [mine, other] = std::mismatch(columns_.begin(), columns_.end(), columns.begin(), columns.end(), same);
    if (mine == columns_.end() && other == columns.end()) return;
    throw DataError(path_ + ": " + (other == columns.end() ? *mine : *other).title() +
                    ": the columns of a piece differ from those of the first");
  }

  /// Where the columns of a piece begin, and how long they are.
  struct Place {
    std::uint64_t offset = 0;
    Extent extent;
  };

  std::vector<Place> find_pieces() const {
    std::vector<Place> pieces;
    Extent total;
    for (std::uint64_t at = 0; at < bytes_;) {
      std::uint64_t head[2];
      pieces_->read(at, head, sizeof head);
      const Extent extent{head[0], head[1], false};
      // No piece is longer than all of them, so neither sums nor products below can overflow.
      if (head[0] > extent_.samples - total.samples || head[1] > extent_.behaviours - total.behaviours)
        damaged("the counts of its pieces do not add up");
      total.samples += head[0], total.behaviours += head[1];
      pieces.push_back({at + sizeof head, extent});
      at += sizeof head;
      for (const Column& c : columns_) at += extent.bytes_of(c);
      if (at > bytes_) damaged("the counts of its pieces do not add up");
    }
    if (total.samples != extent_.samples || total.behaviours != extent_.behaviours)
      damaged("the counts of its pieces do not add up");
    return pieces;
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
      bytes_ = clicks::count_from_json(progress, "bytes");
      note_ = progress.value("note", "");
      constexpr std::uint64_t most = std::uint64_t{1} << 48;  // so that no count of bytes overflows
      if (extent_.samples > most || extent_.behaviours > most || bytes_ > most ||
          (columns_.empty() && extent_.samples > 0))
        throw std::string("its counts make no sense");
    } catch (const std::string& rule) {
      damaged(rule);
    } catch (const Json::exception& e) {
      damaged(e.what());
    }
  }

  [[noreturn]] void damaged(const std::string& rule) const {
    throw FormatError(progress_path() + ": cannot go on from it: " + rule + "; remove the folder to begin anew");
  }

  std::string path_, folder_, fingerprint_, note_;
  std::optional<FolderLock> lock_;
  std::optional<PieceFile> pieces_;
  Extent extent_;
  std::uint64_t bytes_ = 0;  // of the file of pieces: for each its two counts, then its columns
  std::vector<Column> columns_;
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
