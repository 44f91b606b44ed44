// The baselines beside STIM, heads and tasks against PyTorch (tests/golden/generate_baselines.py): values and gradients.
// Backend and type are chosen at run time, so that every module is compiled once.

#include <functional>

#include "chronotope/components/behaviour/all.hpp"
#include "chronotope/components/click_heads.hpp"
#include "chronotope/components/click_tasks.hpp"
#include "golden/golden_file.hpp"

using namespace chronotope;
using golden::File;
using Any = any_backend;
using T = Tensor<Any>;

namespace {

struct Setup {
  std::string name;
  DType dtype;
  std::function<Context<Any>()> context;
};

std::vector<Setup> setups() {
  std::vector<Setup> all;
#ifdef CHRONOTOPE_HAVE_EIGEN
  const auto eigen = [] { return Context<Any>(any_stream<eigen_backend>()); };
  all.push_back({"eigen f64", DType::f64, eigen});
  all.push_back({"eigen f32", DType::f32, eigen});
#endif
#ifdef CHRONOTOPE_HAVE_ONEDNN
  const auto onednn = [] { return Context<Any>(any_stream<onednn_backend>(onednn_backend::stream(2))); };
  all.push_back({"onednn f64", DType::f64, onednn});
  all.push_back({"onednn f32", DType::f32, onednn});
#endif
#ifdef CHRONOTOPE_HAVE_CUDA
  const auto cuda = [] { return Context<Any>(any_stream<cuda_backend>()); };
  all.push_back({"cuda f64", DType::f64, cuda});
  all.push_back({"cuda f32", DType::f32, cuda});
#endif
  return all;
}

/// Of f32 the room is for rounding of inputs that are exact in f64 (ages, sizes) and for another order of sums.
double tolerance(DType dtype) { return dtype == DType::f64 ? 1e-10 : 1e-4; }

void check_values(const File& f, const std::string& name, const T& values) {
  CAPTURE(name);
  CHECK(golden::worst(golden::numbers(values), f.numbers(name)) <= tolerance(values.dtype()));
}

/// What a parameter has collected, rows of tables put in their places.
T collected(const Parameter<Any>& p) {
  T sum = p.gradient().dense.defined() ? p.gradient().dense : full<Any>(p.value().state(), p.shape(), 0, p.value().dtype());
  for (const auto& part : p.gradient().rows) sum = scatter_add(sum, part.ids, part.rows);
  return sum;
}

template <class M> void load(const File& f, const std::string& prefix, Context<Any>& context, M& module, DType dtype) {
  for_each_parameter(module, [&](const std::string& path, Parameter<Any>& p) {
    REQUIRE(p.shape() == f.at(prefix + path).shape);
    p.assign(f.tensor(context, prefix + path, dtype));
  });
}

template <class M> void check_gradients(const File& f, const std::string& prefix, M& module) {
  for_each_parameter(module, [&](const std::string& path, Parameter<Any>& p) { check_values(f, prefix + path, collected(p)); });
}

ClickBatch batch_of(const File& f) {
  ClickBatch b;
  const auto ids = [&](const char* name) { return f.values<std::int32_t>(std::string("batch.") + name); };
  b.valid = f.values<std::uint8_t>("batch.valid"), b.review = f.values<std::uint8_t>("batch.review"), b.age = f.values<float>("batch.age");
  b.samples = f.at("batch.valid").shape[0], b.kept = f.at("batch.valid").shape[1], b.materials = f.at("batch.review").shape[1];
  b.hour = ids("hour"), b.behaviour_hour = ids("behaviour_hour"), b.behaviour_weekday = ids("behaviour_weekday");
  b.ids = {ids("region")}, b.behaviour_ids = {ids("behaviour_item"), ids("behaviour_category"), ids("behaviour_region")};
  return b;
}

/// make(context, widths, dtype) -> a module, checked on every setup.
template <class Make> void check_module(const std::string& name, Make make) {
  static const File f("baselines");
  const ClickBatch host = batch_of(f);
  const auto width = [&](const char* part) { return f.at(std::string("batch.") + part + "_part").shape[1]; };
  const ClickWidths widths{width("hour"), width("week"), width("location"), width("item"), f.at("batch.keys").shape[2], host.kept};
  for (const Setup& setup : setups()) {
    CAPTURE(setup.name);
    Context<Any> context = setup.context();
    auto module = make(context, widths, setup.dtype);
    load(f, name + ".", context, module, setup.dtype);
    const auto leaf = [&](const std::string& input) { return Parameter<Any>(f.tensor(context, "batch." + input, setup.dtype)); };
    const auto hour = leaf("hour_part"), week = leaf("week_part"), location = leaf("location_part"), item = leaf("item_part"), keys = leaf("keys");
    const T out = module(ClickInputs<Any>{host, {hour(), week(), location(), item(), T()}, keys(), T::from_host(context, host.valid, {host.samples, host.kept})});
    CHECK(out.size(1) == module.width());
    check_values(f, name + ".out", out);
    backward(out, f.tensor(context, name + ".d_out", setup.dtype));
    check_gradients(f, name + ".gradient.", module);
    check_values(f, name + ".gradient.keys", collected(keys));
    check_values(f, name + ".gradient.request", concat(std::vector<T>{collected(hour), collected(week), collected(location), collected(item)}, 1));
  }
}

template <class Make> void check_head(const std::string& name, Make make) {
  const File f("click_heads");
  for (const Setup& setup : setups()) {
    CAPTURE(setup.name);
    Context<Any> context = setup.context();
    auto head = make(context, f.at("features").shape[1], setup.dtype);
    load(f, name + ".", context, head, setup.dtype);
    const Parameter<Any> features(f.tensor(context, "features", setup.dtype));
    const T out = head(features());
    check_values(f, name + ".out", out);
    backward(out, f.tensor(context, name + ".d_out", setup.dtype));
    check_gradients(f, name + ".gradient.", head);
    check_values(f, name + ".gradient.features", collected(features));
  }
}

}  // namespace

TEST_CASE("golden baselines") {
  const File f("baselines");
  const std::int64_t heads = f.whole("heads");
  check_module("gsu_pooling", [](auto&... x) { return GsuPooling<Any>(x...); });
  check_module("dien", [](auto&... x) { return Dien<Any>(x...); });
  check_module("din", [&](auto& c, auto& w, DType t) { return Din<Any>(c, w, {f.whole("hidden")}, t); });
  check_module("sim", [&](auto& c, auto& w, DType t) { return Sim<Any>(c, w, {heads, f.whole("age")}, t); });
  check_module("twin_v2", [&](auto& c, auto& w, DType t) { return TwinV2<Any>(c, w, {heads, 0, 1}, t); });
  check_module("interest_clock", [](auto& c, auto& w, DType t) { return InterestClock<Any>(c, w, {}, t); });
  check_module("long_interest_clock", [&](auto& c, auto& w, DType t) { return LongInterestClock<Any>(c, w, {heads, f.whole("gap_hidden")}, t); });
  check_module("fim", [&](auto& c, auto& w, DType t) { return Fim<Any>(c, w, {heads, f.whole("materials")}, t); });
  check_module("st_pil", [&](auto& c, auto& w, DType t) { return StPil<Any>(c, w, {0, 2, static_cast<std::int32_t>(f.whole("near"))}, t); });
  check_module("multi_head_attention", [&](auto& c, auto& w, DType t) { return MultiHeadAttention<Any>(c, w, {heads}, t); });
}

TEST_CASE("golden prediction heads") {
  const std::int64_t experts = File("click_heads").whole("experts");
  check_head("dnn", [](auto& c, std::int64_t features, DType t) { return DnnHead<Any>(c, {features, 2, {4, 3}, 0, t}); });
  check_head("mmoe", [&](auto& c, std::int64_t features, DType t) { return MmoeHead<Any>(c, {features, 2, experts, {4}, 3, {2}, 0, t}); });
}

TEST_CASE("golden tasks") {
  const File f("click_heads");
  for (const Setup& setup : setups())
    for (const ConversionForm form : {ConversionForm::product, ConversionForm::own_tower}) {
      CAPTURE(setup.name);
      Context<Any> context = setup.context();
      const ClickTasks tasks({true, form, f.number("ctr_weight"), f.number("ctcvr_weight")});
      const std::string name = form == ConversionForm::product ? "tasks.product." : "tasks.own_tower.";
      const Parameter<Any> logits(f.tensor(context, "tasks.logits", setup.dtype));
      const T labels = f.tensor(context, "tasks.labels", setup.dtype), loss = tasks.loss(logits(), labels);
      check_values(f, name + "probabilities", tasks.probabilities(logits()));
      check_values(f, name + "losses", tasks.losses(logits(), labels));
      check_values(f, name + "loss", loss);
      backward(loss);
      check_values(f, name + "gradient", collected(logits));
    }
}
