#include "components/tiny.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

const testing::GradientCheckOptions few{.step = 1e-5, .tolerance = 1e-6, .elements = elements_checked(10), .seed = 3};

template <class M, class F> void check_module(const char* name, M& module, F f) {
  stir(module);
  const auto report = testing::check_module_gradients(context(), module, f, few);
  INFO(name, ": ", report.text());
  CHECK(report.passed());
  CHECK(report.checked > 0);
}

ActionTensors<Reference> batch() { return {context(), made_up_batch({4, 0, 1, 3}, {1, 3, 4, 6})}; }

}  // namespace

TEST_CASE("gradients of the encoder") {
  CheckinEncoder<Reference> encoder(context(), tiny_encoder());
  const auto actions = batch();
  check_module("encoder", encoder, [&](const auto& e) { return concat(Inputs{e.context(actions), e.place(actions)}, 0); });
}

TEST_CASE_TEMPLATE("gradients of decoders, every row and some rows asking", D, LlamaDecoder<Reference>, GptDecoder<Reference>) {
  D decoder(context(), tiny_decoder());
  const Packing<Reference> packing(context(), {3, 0, 4});
  const T x = random({7, tiny_width}, 1);
  check_module("every row", decoder, [&](const D& d) { return d.decode(x, packing, ids({0, 1, 2, 3, 4, 5, 6})); });
  check_module("some rows", decoder, [&](const D& d) { return d.decode(x, packing, ids({1, 6})); });
  for (const auto& rows : {ids({0, 1, 2, 3, 4, 5, 6}), ids({2, 3})})
    check_gradients("input", {x}, [&](const Inputs& in) { return decoder.decode(in[0], packing, rows); });
}

TEST_CASE_TEMPLATE("gradients of heads, with respect to parameters and hidden states", H, VocabularyHead<Reference>, HistoryPointerHead<Reference>) {
  H head(context(), tiny_head());
  const auto actions = batch();
  const T h = random({H::wants_all_contexts ? actions.place.size(0) : actions.selected.size(0), tiny_width}, 2);
  check_module("nll", head, [&](const H& now) { return now.nll(h, actions); });
  check_module("probabilities", head, [&](const H& now) { return now.probabilities(h, actions); });
  check_gradients("nll by hidden states", {h}, [&](const Inputs& x) { return head.nll(x[0], actions); });
}

TEST_CASE_TEMPLATE("gradients of whole models", M, LlamaModel, GptModel, PointerModel, UserModel) {
  auto model = M::make();
  const auto actions = batch();
  check_module("nll", model, [&](const auto& m) { return m.nll(actions); });
}

TEST_CASE("gradients with dropout in every place") {
  auto model = PointerModel::make(0.3);
  const auto actions = batch();
  check_module("nll", model, [&](const auto& m) { return m.nll(actions); });
}

TEST_CASE("dropout acts only where a graph is recorded") {
  auto model = LlamaModel::make(0.5);
  stir(model);
  const auto actions = batch();
  CHECK(model.nll(actions).to_host<double>() != model.nll(actions).to_host<double>());
  const NoGrad no_grad;
  const auto counter = context().random().counter;
  CHECK(model.nll(actions).to_host<double>() == model.nll(actions).to_host<double>());
  CHECK(context().random().counter == counter);
}
