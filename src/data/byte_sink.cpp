#include "byte_sink.hpp"

#include <zlib.h>

#include <array>
#include <new>

namespace chronotope {
namespace {

constexpr std::size_t pending_bytes = std::size_t{1} << 18;
constexpr int gzip_window = 15 + 16;  // zlib: the largest window, and "write a gzip header"

}  // namespace

struct ByteSink::Deflater {
  z_stream stream{};
  std::array<char, std::size_t{1} << 16> out{};

  Deflater() {
    const int memory_level = 8;
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  ~Deflater() { deflateEnd(&stream); }
};

ByteSink::ByteSink(const std::string& path) : file_(path) {
  if (path.ends_with(".gz")) deflater_ = std::make_unique<Deflater>();
}

ByteSink::~ByteSink() = default;

void ByteSink::write(std::string_view text) {
  pending_ += text;
  if (pending_.size() >= pending_bytes) flush(false);
}

void ByteSink::commit() {
  flush(true);
  file_.commit();
}

void ByteSink::flush(bool last) {
  if (!deflater_) {
    file_.write(pending_);
    pending_.clear();
    return;
  }
  z_stream& stream = deflater_->stream;
  stream.next_in = reinterpret_cast<Bytef*>(pending_.data());
  stream.avail_in = static_cast<uInt>(pending_.size());
  do {
    stream.next_out = reinterpret_cast<Bytef*>(deflater_->out.data());
    stream.avail_out = static_cast<uInt>(deflater_->out.size());
    deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH);
    file_.write(deflater_->out.data(), deflater_->out.size() - stream.avail_out);
  } while (stream.avail_out == 0);
  pending_.clear();
}

}  // namespace chronotope
