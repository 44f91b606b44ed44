#include "generative/tiny.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

const testing::GradientCheckOptions few{.step = 1e-5, .tolerance = 1e-6, .elements = elements_checked(6), .seed = 3};

template <class M, class F> void check_module(const char* name, M& module, F f) {
  stir(module);
  const auto report = testing::check_module_gradients(context(), module, f, few);
  INFO(name, ": ", report.text());
  CHECK(report.passed());
  CHECK(report.checked > 0);
}

}  // namespace

TEST_CASE("gradients of encoder and heads: every composition") {
  const TinyShape shapes[] = {{}, {4, 5, 0, FusionWeights::gated}, {4, 5, 0, FusionWeights::fixed, false}, {0, 7}, {4, 5, 3}};
  for (const TinyShape& shape : shapes) {
    const TokenTensors<Reference> tokens(context(), made_up_tokens(1, shape));
    auto typed = tiny_generative(shape);
    auto joint = tiny_generative<LlamaDecoder<Reference>, JointHead<Reference>>(shape);
    auto pointer = tiny_generative<LlamaDecoder<Reference>, TokenPointerHead<Reference>>(shape);
    if (shape.vector_width > 0) {
      typed.encoder.set_vectors(random({3, shape.vector_width}, 5));
      joint.encoder.set_vectors(random({3, shape.vector_width}, 5));
      pointer.encoder.set_vectors(random({3, shape.vector_width}, 5));
    }
    INFO("blocks ", shape.blocks, ", vectors ", shape.vector_width, ", spacetime ", shape.spacetime, ", gated ", shape.fusion == FusionWeights::gated);
    const auto loss = [&](const auto& m) { return m.nll(tokens); };
    // user, place and classifier take no part here: their gradients are 0 either way.
    check_module("typed", typed, loss);
    check_module("joint", joint, loss);
    check_module("pointer", pointer, loss);
  }
}

TEST_CASE("gradients through candidates that see a user's part") {
  TokenMaker make(2);
  TokenBatch batch;
  batch.sequence();
  for (int i = 0; i < 3; ++i) make.action(batch, false);
  const std::int32_t u = batch.context(make.context());
  for (int i = 0; i < 3; ++i) {
    batch.branch({0, u + 1});
    batch.block(make.below(4));
    batch.ask(batch.inner(make.inner()), Question::state);
  }
  const TokenTensors<Reference> tokens(context(), batch);
  const auto clicks = [&](const auto& m) { return m.click_logits(tokens); };
  auto typed = tiny_generative();
  auto pointer = tiny_generative<LlamaDecoder<Reference>, TokenPointerHead<Reference>>();
  check_module("click logits", typed, clicks);
  check_module("click logits with the history pointer", pointer, clicks);
}
