// Memory, threads and the host side of the stream.

#include "stream.hpp"

#include <omp.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "chronotope/core/error.hpp"

namespace chronotope::onednn {

void* aligned_bytes(std::size_t bytes) {
  constexpr std::size_t line = 64, huge_page = std::size_t{2} << 20;
  const bool large = bytes >= 2 * huge_page;
  const std::size_t alignment = large ? huge_page : line;
  void* data = nullptr;
  if (bytes <= static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) - alignment) {
    data = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  }
  if (!data) throw BackendError("[onednn] out of memory: " + std::to_string(bytes) + " bytes were asked for");
#if defined(__linux__)
  // Large blocks are streamed through: with small pages the kernels would wait for page tables. What does not fill a huge page stays on
  // small ones, which take memory only where they are used. A refusal does no harm.
  if (large) madvise(data, bytes / huge_page * huge_page, MADV_HUGEPAGE);
#endif
  return data;
}

Scratch::~Scratch() {
  for (const Block& block : blocks_) std::free(block.data);
}

void* Scratch::get(Slot slot, std::size_t bytes) {
  Block& block = blocks_[static_cast<std::size_t>(slot)];
  if (!block.data || block.bytes < bytes) {
    const std::size_t grown = std::max({bytes, block.bytes + block.bytes / 2, std::size_t{4096}});
    std::free(block.data);
    block = {};
    block.data = aligned_bytes(grown);
    block.bytes = grown;
  }
  return block.data;
}

}  // namespace chronotope::onednn

namespace chronotope {

onednn_backend::stream::stream(int threads) {
  if (threads < 0) throw BackendError("[onednn] a stream cannot have " + std::to_string(threads) + " threads");
  impl_ =
      std::make_unique<Impl>(threads > 0 ? threads : std::max(1, std::min(omp_get_max_threads(), omp_get_num_procs())));
}

onednn_backend::stream::~stream() = default;
onednn_backend::stream::stream(stream&&) noexcept = default;
onednn_backend::stream& onednn_backend::stream::operator=(stream&&) noexcept = default;
int onednn_backend::stream::threads() const { return impl_->threads; }

std::string_view onednn_backend::name() { return "onednn"; }
bool onednn_backend::supports(DType) { return true; }

void* onednn_backend::allocate(stream&, std::size_t bytes) { return onednn::aligned_bytes(bytes); }
void onednn_backend::deallocate(stream&, void* data) noexcept { std::free(data); }
void onednn_backend::upload(stream&, void* device, const void* host, std::size_t bytes) {
  if (bytes > 0) std::memcpy(device, host, bytes);
}
void onednn_backend::download(stream&, void* host, const void* device, std::size_t bytes) {
  if (bytes > 0) std::memcpy(host, device, bytes);
}
void onednn_backend::synchronize(stream&) {}

}  // namespace chronotope
