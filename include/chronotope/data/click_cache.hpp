#pragma once
// Click logs as one file of columns that is mapped into memory instead of read (docs/data.md describes the bytes).

#include <cstdint>
#include <memory>
#include <string>

#include "chronotope/data/clicks.hpp"

namespace chronotope {

/// Writes a log as a cache: by AtomicFile, so the file appears whole or not at all; the columns are not copied.
/// Throws DataError for a log that check_click_log refuses, FileError when the system does.
void write_click_cache(const ClickLog& log, const std::string& path);

/// What open_click_cache looks at.
enum class CacheCheck : std::uint8_t {
  /// The head, and everything check_click_log says: reads every byte once. No id, range or time of the log can then
  /// lead
  /// outside its arrays, whatever the file holds.
  everything,
  /// The head only: lengths, places and types of all columns. Opening takes microseconds, but ids and ranges are as the
  /// file says: for files this machine wrote, or call check_click_log before the first use.
  head,
};

/// Maps a cache. The spans of the log point into the mapping, which `memory` keeps; pages are read when they are
/// touched and may be dropped by the system at any time, so a log may be larger than the memory. The file must not be
/// changed in place while it is mapped (chronotope replaces files and never does). Throws FormatError with file and
/// column for a file that is no cache, of another version, cut off, damaged (checksum of the head), with columns that
/// overlap, lie outside the file or have lengths that do not fit, or, under CacheCheck::everything, content that
/// check_click_log refuses. FileError when it cannot be opened or mapped.
ClickLog open_click_cache(const std::string& path, CacheCheck check = CacheCheck::everything);

/// Writes a cache piece by piece, in memory of one piece. The pieces lie in the folder `path`.partial (one file a
/// column) until commit() puts them together, so for a while the disk holds the data twice. What was saved survives a
/// killed process: a writer of the same path and fingerprint goes on after the last save().
class ClickCacheWriter {
 public:
  /// Starts, or goes on where the last save() was. `fingerprint` stands for everything the content depends on.
  /// Throws ConfigError when a partial cache of another fingerprint is there, FormatError when it is damaged, FileError
  /// when another process is writing it.
  ClickCacheWriter(std::string path, std::string fingerprint);
  ~ClickCacheWriter();
  ClickCacheWriter(const ClickCacheWriter&) = delete;
  ClickCacheWriter& operator=(const ClickCacheWriter&) = delete;

  /// The note of the last save(); empty when the writer started anew.
  const std::string& note() const;
  std::uint64_t samples() const;
  std::uint64_t behaviours() const;

  /// Adds the samples and behaviours of `piece`, whose ranges count from its own behaviours. It is not checked. All
  /// pieces must have the same columns (DataError).
  void append(const ClickLog& piece);
  /// Makes all that was appended durable, with a note for whoever goes on: all of it or, if interrupted, none.
  void save(std::string note);
  /// Puts the file together, gives it its name and removes the folder. Nothing may be appended afterwards.
  /// Throws DataError when there are no samples.
  void commit();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace chronotope
