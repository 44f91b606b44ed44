// STIM as a whole against PyTorch (tests/golden/generate_stim.py): from ids to logit, gradients, and three steps of AdamW.

#include "chronotope/components/behaviour/stim.hpp"
#include "chronotope/components/click_heads.hpp"
#include "chronotope/components/click_tasks.hpp"
#include "chronotope/models/click_model.hpp"
#include "chronotope/train/optimizer.hpp"
#include "golden/golden_gradient.hpp"

using namespace chronotope;
using golden::File;

namespace {

const File& file() {
  static const File loaded("stim");
  return loaded;
}

double tolerance(DType dtype) { return dtype == DType::f64 ? 1e-9 : 2e-4; }  // PyTorch's f32 is that far off its f64

std::int64_t rows() { return file().at("batch.item").shape[0]; }

/// The golden model embeds each table at a width of its own and has no layer over keys.
template <Backend B> class GoldenEncoder {
 public:
  using backend = B;
  GoldenEncoder(Context<B>& context, DType dtype) {
    for (const char* name : {"item", "category", "user", "hour", "weekday", "cell"}) {
      const Shape shape = file().at(std::string("embedding.") + name).shape;
      names.push_back(name);
      tables.emplace_back(context, shape[0], shape[1], dtype);
    }
  }

  ClickWidths widths() const { return {width(3), width(4), width(5), width(0) + width(1), width(0) + width(1), file().at("batch.valid").shape[1]}; }
  std::int64_t others() const { return width(2) + file().at("batch.numeric").shape[1]; }

  EncodedClicks<B> encode(Context<B>& context, const ClickBatch& b) const {
    const Shape one{b.samples}, kept{b.samples, b.kept};
    const auto row = [&](std::size_t table, const std::vector<std::int32_t>& ids, const Shape& shape) { return tables[table](Tensor<B>::from_host(context, ids, shape)); };
    const auto number = [&](const std::vector<float>& x, const Shape& shape) { return cast(Tensor<B>::from_host(context, x, shape), tables[0].weight.value().dtype()); };
    const auto join = [](const Tensor<B>& x, const Tensor<B>& y) { return concat(std::vector<Tensor<B>>{x, y}, -1); };
    RequestParts<B> request{row(3, b.hour, one), row(4, b.weekday, one), row(5, b.ids[3], one), join(row(0, b.ids[0], one), row(1, b.ids[1], one)),
                            number(b.holiday, {b.samples, 1})};
    const Tensor<B> keys = join(row(0, b.behaviour_ids[0], kept), row(1, b.behaviour_ids[1], kept));
    const Tensor<B> others = join(row(2, b.ids[2], one), number(b.numbers, {b.samples, 2}));
    return {{b, request, keys, Tensor<B>::from_host(context, b.valid, kept)}, others};
  }

  template <class V> void visit(V&& v) {
    for (std::size_t i = 0; i < tables.size(); ++i) v(names[i], tables[i].weight);
  }

  std::vector<std::string> names;
  std::vector<Embedding<B>> tables;

 private:
  std::int64_t width(std::size_t table) const { return tables[table].weight.shape()[1]; }
};

std::vector<float> floats(const std::string& name) {
  const std::vector<double> v = file().numbers(name);
  return {v.begin(), v.end()};
}
std::vector<std::int32_t> ids(const std::string& name) { return file().values<std::int32_t>(name); }

ClickBatch batch() {
  ClickBatch b;
  b.samples = rows(), b.kept = file().at("batch.valid").shape[1], b.materials = 3;
  b.click = floats("batch.label"), b.holiday = floats("batch.holiday"), b.numbers = floats("batch.numeric");
  b.hour = ids("batch.hour"), b.weekday = ids("batch.weekday");
  b.ids = {ids("batch.item"), ids("batch.category"), ids("batch.user"), ids("batch.cell")};
  b.behaviour_ids = {ids("batch.behaviour_item"), ids("batch.behaviour_category")};
  b.valid = file().values<std::uint8_t>("batch.valid"), b.review = file().values<std::uint8_t>("batch.review");
  return b;
}

template <Backend B> auto make_model(Context<B>& context, DType dtype) {
  GoldenEncoder<B> encoder(context, dtype);
  const ClickWidths w = encoder.widths();
  ForgettingOptions mask;
  mask.kept = w.kept, mask.trained = true, mask.dtype = dtype;
  QueryOptions query;
  query.hour = w.hour, query.week = w.week, query.location = w.location, query.item = w.item, query.width = file().whole("d_q"), query.dtype = dtype;
  HminOptions unit;
  unit.query_width = query.width, unit.key_width = w.key, unit.heads = file().whole("heads"), unit.dtype = dtype;
  StimInterest interest(ForgettingMask<B>(context, mask), QueryMoE<B>(context, query), HminUnit<B>(context, unit));
  DnnHeadOptions head;
  head.features = interest.width() + w.request() + encoder.others(), head.hidden = {4}, head.dtype = dtype;
  return ClickModel(std::move(encoder), std::move(interest), DnnHead<B>(context, head));
}

/// The name that the golden file has for a parameter of the model.
std::string golden_name(std::string path) {
  static const std::vector<std::pair<std::string, std::string>> prefixes{{"encoder.", "embedding."}, {"behaviour.mask.layer.", "mask_layer."},
                                                                         {"behaviour.mask.", "curve."}, {"behaviour.query.", "moe."},
                                                                         {"behaviour.unit.", "hmin."}, {"head.network.", "head."}};
  for (const auto& [ours, theirs] : prefixes)
    if (path.rfind(ours, 0) == 0) return theirs + path.substr(ours.size());
  return path;
}

}  // namespace

TEST_CASE_TEMPLATE("golden STIM, from ids to three steps of AdamW", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  using B = typename Setup::backend;
  auto context = Setup::context();
  auto model = make_model(context, Setup::dtype);
  std::size_t loaded = 0;
  for_each_parameter(model, [&](const std::string& path, Parameter<B>& p) {
    if (p.frozen()) return;
    p.assign(file().tensor(context, golden_name(path), Setup::dtype));
    ++loaded;
  });
  const ClickBatch host = batch();
  const ClickTasks tasks{ClickTaskOptions{}};
  const auto loss_now = [&] {
    const Tensor<B> logits = model.logits(context, host);
    return std::pair{logits, tasks.loss(logits, tasks.labels(logits, host))};
  };
  AdamOptions options;
  options.beta1 = file().number("beta1"), options.beta2 = file().number("beta2"), options.eps = file().number("eps");
  options.weight_decay = file().number("weight_decay");
  AdamW<B> optimizer(named_parameters(model), options);
  const std::vector<double> losses = file().numbers("losses");
  for (std::size_t step = 0; step < losses.size(); ++step) {
    CAPTURE(step);
    const auto [logits, loss] = loss_now();
    CHECK(golden::worst(golden::numbers(loss), {losses[step]}) <= tolerance(Setup::dtype));
    if (step + 1 == losses.size()) break;
    backward(loss);
    if (step == 0) {
      CHECK(golden::worst(golden::numbers(logits), file().numbers("logit")) <= tolerance(Setup::dtype));
      std::size_t compared = 0;
      for_each_parameter(model, [&](const std::string& path, Parameter<B>& p) {
        if (p.frozen()) return;
        CAPTURE(path);
        CHECK(golden::worst(golden::gradient_of(p), file().numbers("gradient." + golden_name(path))) <= tolerance(Setup::dtype));
        ++compared;
      });
      CHECK(compared == loaded);
    }
    optimizer.step(file().number("rate"));
  }
}
