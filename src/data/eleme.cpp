#include "chronotope/data/eleme.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "chronotope/core/error.hpp"
#include "chronotope/data/click_cache.hpp"
#include "click_layout.hpp"
#include "eleme_row.hpp"

namespace chronotope {
namespace {

using Json = nlohmann::json;
using eleme::RowFault;

[[noreturn]] void refuse(const std::string& name, const std::string& rule) {
  throw ConfigError("convert_eleme: " + name + ": " + rule);
}

void check_tables(const ElemeTables& t) {
  for (const auto& [name, rows] : {std::pair{"user", t.user},
                                   {"shop", t.shop},
                                   {"item", t.item},
                                   {"city", t.city},
                                   {"district", t.district},
                                   {"aoi", t.aoi},
                                   {"geohash", t.geohash},
                                   {"brand", t.brand},
                                   {"category", t.category},
                                   {"food", t.food}})
    if (rows < 2)
      refuse(std::string("tables.") + name, std::to_string(rows) + " rows; a hashed table needs at least 2");
}

void check(const std::vector<std::string>& inputs, const ElemeOptions& o) {
  check_tables(o.tables);
  if (inputs.empty()) refuse("inputs", "there are none");
  if (!(o.timediff_seconds > 0 && o.timediff_seconds <= 1e6)) refuse("timediff_seconds", "must be above 0, up to 1e6");
  if (std::abs(o.utc_offset_minutes) > 1440) refuse("utc_offset_minutes", "must be between -1440 and 1440");
  if (o.monday < 0 || o.monday > 6) refuse("monday", "must be between 0 and 6");
  if (!o.split_of_input.empty() && o.split_of_input.size() != inputs.size())
    refuse("split_of_input", "must name a split for each input, or be empty");
  if (!o.split_of_input.empty() && (o.validation_from != 0 || o.test_from != 0))
    refuse("split_of_input", "splits are given by input or by time, not both");
  if (o.number_buckets < 0 || o.number_buckets > 1000) refuse("number_buckets", "must be between 0 and 1,000");
  if (o.threads < 1 || o.threads > 1024) refuse("threads", "must be between 1 and 1,024");
  if (o.block_bytes < 1 || o.block_bytes > std::size_t{1} << 31) refuse("block_bytes", "must be between 1 and 2^31");
}

double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// A file read at any place.
class Input {
 public:
  explicit Input(const std::string& path) : path_(path) {
    do descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    while (descriptor_ < 0 && errno == EINTR);
    if (descriptor_ < 0) fail("opened");
  }
  ~Input() { ::close(descriptor_); }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  std::uint64_t size() const {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) fail("measured");
    return static_cast<std::uint64_t>(status.st_size);
  }

  /// Fewer than `size` bytes only at the end of the file.
  std::size_t read(char* out, std::size_t size, std::uint64_t offset) const {
    std::size_t have = 0;
    while (have < size) {
      const ssize_t got = ::pread(descriptor_, out + have, size - have, static_cast<::off_t>(offset + have));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail("read");
      if (got == 0) break;
      have += static_cast<std::size_t>(got);
    }
    return have;
  }

 private:
  [[noreturn]] void fail(const char* step) const {
    const std::string reason = std::error_code(errno, std::generic_category()).message();
    throw FileError(path_ + ": cannot be " + step + ": " + reason);
  }

  std::string path_;
  int descriptor_ = -1;
};

/// Some whole rows of a block, parsed by one thread.
struct Slice {
  explicit Slice(const ElemeOptions& options) : parser(options) {}

  void parse(std::string_view text, Split split, bool skip_bad_rows) {
    const double begin = thread_seconds();
    parser.clear();
    rows = skipped = 0;
    fault.reset();
    failure = nullptr;
    try {
      while (!text.empty() && !fault) add_row(text, split, skip_bad_rows);
    } catch (...) {
      failure = std::current_exception();  // it belongs to the caller's thread
    }
    seconds = thread_seconds() - begin;
  }

  void add_row(std::string_view& text, Split split, bool skip_bad_rows) {
    const void* const found = std::memchr(text.data(), '\n', text.size());
    const std::size_t length =
        found ? static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) : text.size();
    std::string_view row = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    if (row.ends_with('\r')) row.remove_suffix(1);
    ++rows;
    try {
      parser.add(row, split);
    } catch (const RowFault& bad) {
      if (skip_bad_rows) ++skipped;
      else fault = bad;
    }
  }

  eleme::RowParser parser;
  std::uint64_t rows = 0, skipped = 0;
  std::optional<RowFault> fault;  // of the last row
  std::exception_ptr failure;
  double seconds = 0;
};

/// How far inputs are read.
struct Position {
  std::size_t input = 0;
  std::uint64_t bytes = 0, row = 0;  // of that input
};

/// One block, parsed: what is left to do with it.
struct Block {
  std::vector<std::unique_ptr<Slice>> slices;  // one a thread
  std::size_t input = 0;
  std::uint64_t bytes = 0;
  std::exception_ptr failure;  // of reading it
};

/// Two blocks take turns: while one is written, the next is read and parsed.
class Converter {
 public:
  Converter(const std::vector<std::string>& inputs, const std::string& output, const ElemeOptions& options)
      : inputs_(inputs), options_(options), writer_(output, fingerprint()) {
    for (Block& block : blocks_)
      for (int i = 0; i < options.threads; ++i) block.slices.push_back(std::make_unique<Slice>(options_));
    restore();
  }

  ElemeProgress run() {
    buffer_.resize(options_.block_bytes);
    ahead_ = {progress_.input, progress_.bytes, row_};
    Block *now = &blocks_[0], *next = &blocks_[1];
    for (read_next(*now); now->bytes > 0 || now->failure; std::swap(now, next)) {
      const std::jthread reader([&] { read_next(*next); });  // joined before the blocks change their roles
      store(*now);
    }
    progress_.input = inputs_.size() - 1, progress_.bytes = ahead_.bytes;
    if (writer_.samples() == 0)
      throw DataError(inputs_.front() + ": holds no rows, nor do the other inputs; nothing is written");
    writer_.commit();
    return progress_;
  }

 private:
  /// Everything the cache depends on, as a short text. Threads and blocks only cut the same rows differently.
  std::string fingerprint() const {
    const ElemeOptions& o = options_;
    const ElemeTables& t = o.tables;
    Json all = {{"tables", {t.user, t.shop, t.item, t.city, t.district, t.aoi, t.geohash, t.brand, t.category, t.food}},
                {"options",
                 {o.timediff_seconds, static_cast<int>(o.order), o.utc_offset_minutes, o.monday, o.validation_from,
                  o.test_from, o.number_buckets, o.skip_bad_rows}}};
    for (const Split split : o.split_of_input) all["splits"].push_back(static_cast<int>(split));
    for (const std::string& path : inputs_) all["inputs"].push_back({path, Input(path).size()});
    return std::to_string(clicks::checksum(all.dump(-1, ' ', false, Json::error_handler_t::replace)));
  }

  void restore() {
    if (writer_.note().empty()) return;
    try {
      const Json note = Json::parse(writer_.note());
      ElemeProgress& p = progress_;
      std::uint64_t* const counts[] = {&p.rows,         &p.skipped,         &p.behaviours,
                                       &p.hour_differs, &p.weekday_differs, &p.newest_first,
                                       &p.oldest_first, &p.bytes,           &row_};
      for (std::size_t i = 0; i < std::size(counts); ++i) *counts[i] = note.at("counts").at(i).get<std::uint64_t>();
      p.input = note.at("input").get<std::size_t>();
    } catch (const Json::exception& e) {
      throw FormatError("the partial cache cannot be gone on with: its note is damaged (" + std::string(e.what()) +
                        "); remove its folder to begin anew");
    }
  }

  void save() {
    const ElemeProgress& p = progress_;
    const Json note = {{"input", p.input},
                       {"counts",
                        {p.rows, p.skipped, p.behaviours, p.hour_differs, p.weekday_differs, p.newest_first,
                         p.oldest_first, p.bytes, row_}}};
    writer_.save(note.dump());
    if (options_.progress) options_.progress(progress_);
  }

  /// Reads and parses the next block; its `bytes` are 0 at the end of all inputs. What goes wrong waits until it is stored,
  /// so that the blocks before it are.
  void read_next(Block& block) {
    block.bytes = 0;
    block.failure = nullptr;
    try {
      for (; ahead_.input < inputs_.size(); next_input()) {
        if (!input_) input_.emplace(inputs_[ahead_.input]);
        if (const std::size_t size = read_block(*input_)) return parse(block, size);
      }
    } catch (...) {
      block.failure = std::current_exception();
    }
  }

  void next_input() {
    input_.reset();
    if (++ahead_.input < inputs_.size()) ahead_.bytes = ahead_.row = 0;  // the last one's stay for the result
  }

  /// Whole rows from where the last block ended; 0 at the end of the file, whose last row may lack its line end.
  std::size_t read_block(const Input& input) {
    const std::size_t have = input.read(buffer_.data(), buffer_.size(), ahead_.bytes);
    if (have < buffer_.size()) return have;
    const std::size_t last = std::string_view(buffer_).rfind('\n');
    if (last != std::string::npos) return last + 1;
    if (input.size() == ahead_.bytes + have) return have;
    throw FormatError(inputs_[ahead_.input] + ": row " + std::to_string(ahead_.row + 1) + ": is longer than " +
                      std::to_string(buffer_.size()) + " bytes; this may be no such file, or block_bytes must be larger");
  }

  void parse(Block& block, std::size_t size) {
    block.input = ahead_.input;
    block.bytes = size;
    parse_slices(block.slices, std::string_view(buffer_).substr(0, size),
                 options_.split_of_input.empty() ? Split::train : options_.split_of_input[block.input]);
    ahead_.bytes += size;
    for (const auto& slice : block.slices) ahead_.row += slice->rows;
  }

  /// One slice a thread; this thread takes the first.
  void parse_slices(std::vector<std::unique_ptr<Slice>>& slices, std::string_view text, Split split) const {
    const auto begin_of = [&](std::size_t i) { return slice_begin(text, i, slices.size()); };
    const auto work = [&](std::size_t i) {
      slices[i]->parse(text.substr(begin_of(i), begin_of(i + 1) - begin_of(i)), split, options_.skip_bad_rows);
    };
    std::vector<std::jthread> threads;  // joined even when starting one of them fails
    for (std::size_t i = 1; i < slices.size(); ++i) threads.emplace_back(work, i);
    work(0);
  }

  /// Where row begins that is nearest behind i / count of the text.
  static std::size_t slice_begin(std::string_view text, std::size_t i, std::size_t count) {
    if (i == count) return text.size();
    const std::size_t aim = text.size() / count * i;
    return aim == 0 ? 0 : std::min(text.find('\n', aim - 1), text.size() - 1) + 1;
  }

  /// Adds a parsed block to the cache, durably.
  void store(const Block& block) {
    if (block.failure) std::rethrow_exception(block.failure);
    if (block.input != progress_.input) progress_.input = block.input, progress_.bytes = row_ = 0;
    std::uint64_t rows = 0;
    for (const auto& slice : block.slices) {
      if (slice->failure) std::rethrow_exception(slice->failure);
      rows += slice->rows;
      if (slice->fault) fail(row_ + rows, *slice->fault);
    }
    for (const auto& slice : block.slices) {
      if (!slice->parser.columns().click.empty()) writer_.append(view_click_columns(slice->parser.columns()));
      count(*slice);
    }
    progress_.bytes += block.bytes;
    progress_.parsed_bytes += block.bytes;
    row_ += rows;
    save();
  }

  void count(const Slice& slice) {
    const eleme::RowCounts& counts = slice.parser.counts();
    progress_.rows += slice.rows;
    progress_.skipped += slice.skipped;
    progress_.behaviours += slice.parser.columns().behaviours_at.time.size();
    progress_.hour_differs += counts.hour_differs;
    progress_.weekday_differs += counts.weekday_differs;
    progress_.newest_first += counts.newest_first;
    progress_.oldest_first += counts.oldest_first;
    progress_.parse_seconds += slice.seconds;
  }

  [[noreturn]] void fail(std::uint64_t row, const RowFault& fault) const {
    std::string text = inputs_[progress_.input] + ": row " + std::to_string(row);
    if (fault.field < eleme::field_count)
      text += ", column " + std::to_string(fault.field + 1) + " (" + eleme::names[fault.field] + ")";
    text += ": " + fault.text;
    if (fault.malformed) throw FormatError(text);
    throw DataError(text);
  }

  const std::vector<std::string>& inputs_;
  const ElemeOptions& options_;
  ClickCacheWriter writer_;
  ElemeProgress progress_;
  std::uint64_t row_ = 0;  // of the current input that are stored
  // The rest is the reader's, which is ahead of what is stored.
  Block blocks_[2];
  Position ahead_;
  std::optional<Input> input_;  // number ahead_.input
  std::string buffer_;
};

}  // namespace

ElemeProgress convert_eleme(const std::vector<std::string>& inputs, const std::string& output,
                            const ElemeOptions& options) {
  check(inputs, options);
  return Converter(inputs, output, options).run();
}

}  // namespace chronotope
