// Whole models against PyTorch (tests/golden/generate.py): losses, probabilities, gradients, and ten steps of training.

#include "chronotope/models/spacetime_gr.hpp"
#include "chronotope/ops/ops.hpp"
#include "chronotope/train/optimizer.hpp"
#include "chronotope/train/schedule.hpp"
#include "golden/golden_gradient.hpp"

using namespace chronotope;
using golden::File;

namespace {

template <Backend B> using Plain = SpacetimeGr<CheckinEncoder<B>, LlamaDecoder<B>, VocabularyHead<B>>;
template <Backend B> using Gpt = SpacetimeGr<CheckinEncoder<B>, GptDecoder<B>, VocabularyHead<B>>;
template <Backend B> using Pointer = SpacetimeGr<CheckinEncoder<B>, LlamaDecoder<B>, HistoryPointerHead<B>>;

// In f32 PyTorch itself is 2e-6 off its own f64 values; the rest is room for another order of sums.
double tolerance(DType dtype) { return dtype == DType::f64 ? 1e-10 : 1e-4; }

EncoderOptions encoder_options(const File& f, DType dtype) {
  EncoderOptions o;
  o.width = f.whole("width"), o.places = f.whole("places"), o.categories = f.whole("categories");
  o.geo_rows = f.whole("geo_rows"), o.dtype = dtype;
  return o;
}

DecoderOptions decoder_options(const File& f, DType dtype) {
  DecoderOptions o;
  o.layers = f.whole("layers"), o.width = f.whole("width"), o.heads = f.whole("heads");
  o.feed_forward = f.whole("feed_forward"), o.positions = f.whole("positions"), o.dtype = dtype;
  return o;
}

HeadOptions head_options(const File& f, DType dtype) {
  HeadOptions o;
  o.width = f.whole("width"), o.places = f.whole("places"), o.dtype = dtype;
  o.pointer_heads = f.whole("pointer_heads"), o.pointer_width = f.whole("pointer_width");
  return o;
}

/// The model of the file with the file's weights; fails unless both have the same parameters.
template <class M> M load(const File& f, Context<typename M::backend>& context, DType dtype) {
  using B = typename M::backend;
  M model(CheckinEncoder<B>(context, encoder_options(f, dtype)),
          decltype(M::decoder)(context, decoder_options(f, dtype)), decltype(M::head)(context, head_options(f, dtype)));
  std::size_t known = 0;
  for (const auto& [name, tensor] : f.tensors()) known += name.rfind("gradient.", 0) == 0;
  auto parameters = named_parameters(model);
  REQUIRE(parameters.size() == known);
  for (auto& [path, parameter] : parameters) parameter.assign(f.tensor(context, path, dtype));
  return model;
}

ActionBatch batch_of(const File& f, std::int64_t number) {
  const std::string at = "batch." + std::to_string(number) + ".";
  const auto i32 = [&](const char* column) { return f.values<std::int32_t>(at + column); };
  const auto place = i32("place"), category = i32("category"), when = i32("when"), geo = i32("geo");
  const auto utc = f.values<std::int64_t>(at + "utc"), local = f.values<std::int64_t>(at + "local");
  const auto latitude = f.values<float>(at + "latitude"), longitude = f.values<float>(at + "longitude");
  ActionBatch batch{i32("lengths"), {}, i32("selected"), i32("target")};
  for (std::size_t i = 0; i < place.size(); ++i) {
    Action a;
    a.place = place[i], a.category = category[i], a.utc = utc[i], a.local = local[i];
    a.latitude = latitude[i], a.longitude = longitude[i];
    for (std::size_t k = 0; k < time_features; ++k) a.when[k] = when[i * time_features + k];
    for (std::size_t k = 0; k < geo_parts; ++k) a.where[k] = geo[i * geo_parts + k];
    batch.actions.push_back(a);
  }
  return batch;
}

template <class M>
void check_forward(const File& f, M& model, const ActionTensors<typename M::backend>& batch, DType dtype) {
  const NoGrad no_grad;
  const auto nll = golden::numbers(model.nll(batch));
  CHECK(golden::worst(nll, f.numbers("nll")) <= tolerance(dtype));
  CHECK(golden::worst(golden::numbers(model.probabilities(batch)), f.numbers("probabilities")) <= tolerance(dtype));
  if (dtype == DType::f32) CHECK(golden::worst(nll, f.numbers("f32.nll")) <= tolerance(dtype));
}

template <class M>
void check_gradients(const File& f, M& model, const ActionTensors<typename M::backend>& batch, DType dtype) {
  backward(mean(model.nll(batch)));
  for (auto& [path, parameter] : named_parameters(model)) {
    CAPTURE(path);
    CHECK(golden::worst(golden::gradient_of(parameter), f.numbers("gradient." + path)) <= tolerance(dtype));
    parameter.zero_grad();
  }
}

template <class M> void check_training(const File& f, M& model, Context<typename M::backend>& context, DType dtype) {
  using B = typename M::backend;
  AdamOptions options;
  options.weight_decay = f.number("weight_decay");
  AdamW<B> optimizer(named_parameters(model), options);
  const WarmupCosine rate{f.number("peak"), f.number("least"), f.whole("warmup"), f.whole("steps")};
  std::vector<double> losses, norms;
  for (std::int64_t step = 0; step < f.whole("steps"); ++step) {
    const ActionTensors<B> batch(context, batch_of(f, step % f.whole("batches")));
    const Tensor<B> loss = mean(model.nll(batch));
    backward(loss);
    losses.push_back(golden::numbers(loss)[0]);
    norms.push_back(optimizer.step(rate(step), 1, f.number("clip")));
  }
  CHECK(golden::worst(losses, f.numbers("losses")) <= tolerance(dtype));
  CHECK(golden::worst(norms, f.numbers("norms")) <= tolerance(dtype));
  if (dtype == DType::f32) CHECK(golden::worst(losses, f.numbers("f32.losses")) <= tolerance(dtype));
}

template <class Setup, class M> void check_model(const std::string& name) {
  const File f(name);
  auto context = Setup::context();
  M model = load<M>(f, context, Setup::dtype);
  const ActionTensors<typename M::backend> batch(context, batch_of(f, 0));
  check_forward(f, model, batch, Setup::dtype);
  check_gradients(f, model, batch, Setup::dtype);
  check_training(f, model, context, Setup::dtype);
}

}  // namespace

TEST_CASE_TEMPLATE("golden Spacetime-GR", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  check_model<Setup, Plain<typename Setup::backend>>("spacetime_gr");
}

TEST_CASE_TEMPLATE("golden Spacetime-GR with the GPT decoder", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  check_model<Setup, Gpt<typename Setup::backend>>("spacetime_gr_gpt");
}

TEST_CASE_TEMPLATE("golden Spacetime-GR + history pointer", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  check_model<Setup, Pointer<typename Setup::backend>>("spacetime_gr_pointer");
}
