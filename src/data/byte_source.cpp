#include "byte_source.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>
#include <utility>

#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 16;
constexpr unsigned char gzip_magic[2] = {0x1f, 0x8b};
constexpr int gzip_window = 15 + 16;  // zlib: the largest window, and "expect a gzip header"

std::string errno_text() { return std::error_code(errno, std::generic_category()).message(); }

}  // namespace

struct ByteSource::Inflater {
  z_stream stream{};
  bool inside = true;  // false between the end of one member and the start of the next

  Inflater() {
    if (inflateInit2(&stream, gzip_window) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream); }
};

ByteSource::ByteSource(std::string path) : path_(std::move(path)), buffer_(new char[buffer_bytes]) {
  do descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) throw FileError(path_ + ": cannot be opened: " + errno_text());
}

ByteSource::~ByteSource() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::size_t ByteSource::read_raw(char* out, std::size_t size) {
  for (;;) {
    const ssize_t got = ::read(descriptor_, out, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) throw FileError(path_ + ": cannot be read: " + errno_text());
  }
}

bool ByteSource::refill() {
  next_ = 0;
  end_ = read_raw(buffer_.get(), buffer_bytes);
  return end_ > 0;
}

void ByteSource::recognise() {
  recognised_ = true;
  // A pipe may deliver a single byte first.
  while (end_ < sizeof gzip_magic) {
    const std::size_t got = read_raw(buffer_.get() + end_, buffer_bytes - end_);
    if (got == 0) return;
    end_ += got;
  }
  if (std::memcmp(buffer_.get(), gzip_magic, sizeof gzip_magic) == 0) inflater_ = std::make_unique<Inflater>();
}

std::size_t ByteSource::read(char* out, std::size_t size) {
  if (!recognised_) recognise();
  return inflater_ ? read_gzip(out, size) : read_plain(out, size);
}

std::size_t ByteSource::read_plain(char* out, std::size_t size) {
  std::size_t done = std::min(size, end_ - next_);
  std::memcpy(out, buffer_.get() + next_, done);
  next_ += done;
  while (done < size) {
    const std::size_t got = read_raw(out + done, size - done);
    if (got == 0) break;
    done += got;
  }
  return done;
}

// Zero bytes after the last member are padding (tape blocks, preallocated files), as gzip itself takes them.
bool ByteSource::begin_next_member() {
  for (;; ++next_) {
    if (next_ == end_ && !refill()) return false;
    if (buffer_[next_] != 0) break;
  }
  if (static_cast<unsigned char>(buffer_[next_]) != gzip_magic[0])
    throw FormatError(path_ +
                      ": bytes that are not gzip data follow the end of the gzip data; unpack and pack it anew");
  inflateReset(&inflater_->stream);
  return inflater_->inside = true;
}

std::size_t ByteSource::read_gzip(char* out, std::size_t size) {
  z_stream& stream = inflater_->stream;
  std::size_t done = 0;
  while (done < size) {
    if (!inflater_->inside && !begin_next_member()) break;
    if (next_ == end_ && !refill())
      throw FormatError(path_ + ": the gzip data is cut off before its end; copy or download the file again");
    stream.next_in = reinterpret_cast<Bytef*>(buffer_.get() + next_);
    stream.avail_in = static_cast<uInt>(end_ - next_);
    stream.next_out = reinterpret_cast<Bytef*>(out + done);
    stream.avail_out = static_cast<uInt>(std::min<std::size_t>(size - done, std::size_t{1} << 30));
    const uInt offered = stream.avail_out;
    const int status = inflate(&stream, Z_NO_FLUSH);
    done += offered - stream.avail_out;
    next_ = end_ - stream.avail_in;
    if (status == Z_STREAM_END) inflater_->inside = false;
    else if (status == Z_MEM_ERROR) throw std::bad_alloc();
    else if (status != Z_OK)
      throw FormatError(path_ + ": the gzip data is damaged (" + (stream.msg ? stream.msg : "unexpected content") +
                        "); copy or download the file again");
  }
  return done;
}

}  // namespace chronotope
