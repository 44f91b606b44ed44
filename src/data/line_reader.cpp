#include "line_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "chronotope/core/error.hpp"

namespace chronotope {

// The buffer holds the longest line with its end, and never grows.
LineReader::LineReader(std::string path) : source_(std::move(path)), buffer_(max_line_bytes + 1, '\0') {
  load_more();
  if (end_ >= 3 && std::memcmp(buffer_.data(), "\xEF\xBB\xBF", 3) == 0) next_ = 3;
}

void LineReader::load_more() {
  std::memmove(buffer_.data(), buffer_.data() + next_, end_ - next_);
  end_ -= std::exchange(next_, 0);
  const std::size_t wanted = buffer_.size() - end_, got = source_.read(buffer_.data() + end_, wanted);
  end_ += got;
  at_end_ = got < wanted;
}

bool LineReader::next(std::string_view& line) {
  ++line_;
  const std::string_view buffer = buffer_;
  std::size_t stop = buffer.substr(0, end_).find('\n', next_);
  if (stop == buffer.npos && !at_end_) {
    load_more();
    stop = buffer.substr(0, end_).find('\n');
  }
  if (stop == buffer.npos && end_ - next_ > max_line_bytes)
    throw FormatError(place() + ": is longer than " + std::to_string(max_line_bytes) +
                      " bytes; write one object a line");
  if (stop == buffer.npos && next_ == end_) return false;
  line = buffer.substr(next_, std::min(stop, end_) - next_);
  next_ = stop == buffer.npos ? end_ : stop + 1;
  return true;
}

}  // namespace chronotope
