// What a training step asks of a device: kernels, products of cuBLAS, and waits of the host (docs/gpu_performance.md). Of sizes only the
// number of blocks of logits changes them; here it is one.
#include "chronotope/train/optimizer.hpp"
#include "emulator/control.hpp"
#include "generative/tiny.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

struct Counts {
  std::size_t kernels = cuda_on_host::kernels_run(), products = cuda_on_host::products_run(), waits = cuda_on_host::waits();
  Counts operator-(const Counts& other) const {
    Counts apart = *this;
    apart.kernels -= other.kernels, apart.products -= other.products, apart.waits -= other.waits;
    return apart;
  }
};

/// The second step of a model with so many layers: forward, backward, norm of the gradients, AdamW.
Counts step(std::int64_t layers) {
  DecoderOptions decoder = tiny_decoder();
  decoder.layers = layers;
  const TinyShape shape;
  GenerativeModel model(context(), TokenEncoder<Reference>(context(), tiny_tokens(shape)), LlamaDecoder<Reference>(context(), decoder),
                        JointHead<Reference>(context(), {tiny_width, shape.blocks, shape.inners, DType::f64, 2, 3, tiny_categories}), 4, DType::f64,
                        std::optional<CandidatePointer<Reference>>());
  AdamW<Reference> optimizer(named_parameters(model), {});
  const TokenTensors<Reference> tokens(context(), made_up_tokens(1, shape));
  const auto once = [&] {
    backward(sum(model.nll(tokens)));
    optimizer.step(1e-3, 1, 1);
    context().synchronize();
    return Counts();
  };
  const Counts before = once();
  return once() - before;
}

}  // namespace

TEST_CASE("a training step takes as many kernels, products and waits as docs/gpu_performance.md says") {
  const Counts two = step(2), three = step(3), layer = three - two;
  MESSAGE("a layer: " << layer.kernels << " kernels, " << layer.products << " products, " << layer.waits << " waits; a step of two layers: "
                      << two.kernels << ", " << two.products << ", " << two.waits);
  CHECK(layer.kernels == 54);
  CHECK(layer.products == 12);
  CHECK(layer.waits == 0);
  CHECK(two.kernels == 381);
  CHECK(two.products == 31);
  CHECK(two.waits == 2);
  CHECK(cuda_on_host::fault() == "");
}
