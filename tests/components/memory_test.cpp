// What a decoder keeps for its backward pass.

#ifdef CHRONOTOPE_HAVE_ONEDNN

#include <doctest/doctest.h>

#include "chronotope/backend/onednn_backend.hpp"
#include "chronotope/components/decoder.hpp"

using namespace chronotope;

namespace {

using B = onednn_backend;

constexpr std::int64_t T = 128, D = 64, H = 2, F = 192;  // sizes that the allocator does not round

/// Bytes that are kept after the forward pass of `layers` blocks, all of whose rows are asked for.
template <class Decoder> std::size_t kept(int layers) {
  Context<B> context(B::stream(2), 1);
  DecoderOptions options;
  options.layers = layers, options.width = D, options.heads = H, options.feed_forward = F, options.positions = T;
  const Decoder decoder(context, options);
  const Packing<B> packing(context, {T});
  const Parameter<B> x(uniform(context, {T, D}));
  const std::size_t before = context.memory().in_use;
  const Tensor<B> y = decoder.decode(x(), packing, detail::every_row(x()));
  return context.memory().in_use - before;
}

}  // namespace

TEST_CASE("a Llama block keeps eight activations of its width and three of its feed-forward layer") {
  const std::size_t block = kept<LlamaDecoder<B>>(3) - kept<LlamaDecoder<B>>(2);
  const std::size_t of_width = 8 * T * D;         // input, q, k, v, what attention gives, their sum; two norms
  const std::size_t of_feed_forward = 3 * T * F;  // gate and up, their product
  const std::size_t of_rows = T * H + 2 * T;      // logsumexp of attention, scales of the norms
  CHECK(block <= (of_width + of_feed_forward + of_rows) * sizeof(float));
}

#endif
