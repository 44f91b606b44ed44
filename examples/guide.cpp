// docs/guide.md as a program: a gradient, a component of one's own in a model, a few training steps, a file.

#include <chronotope/backend/eigen_backend.hpp>
#include <chronotope/chronotope.hpp>
#include <chronotope/data/city.hpp>
#include <chronotope/train/place_task.hpp>
#include <chronotope/train/ranking.hpp>
#include <cstdio>

using namespace chronotope;
using B = eigen_backend;

/// A decoder of one's own: each asked row sees its own token only. Enough to fulfil the concept.
class TokenDecoder {
 public:
  using backend = B;
  TokenDecoder(Context<B>& context, std::int64_t width) : mix(context, width, width) {}
  Tensor<B> decode(const Tensor<B>& x, const Packing<B>&, const Tensor<B>& rows) const { return tanh(mix(gather(x, rows))); }
  template <class V> void visit(V&& v) { v("mix", mix); }

  Linear<B> mix;
};
static_assert(Decoder<TokenDecoder>);

static void gradient() {
  Context<B> context;
  const auto x = Tensor<B>::from_host(context, std::vector<float>{1, 2, 3, 4}, {2, 2});
  const Parameter<B> w = normal_parameter(context, {2, 2}, 0.02);
  backward(mean(linear(x, w()) * linear(x, w())));
  std::printf("d loss / d w[0][0] = %g\n", w.gradient().dense.to_host<float>()[0]);
}

static void train() {
  CityOptions options;
  options.users = 20;
  const CheckinTable city = generate_city(options);
  const PlaceTokenizer tokenizer = make_tokenizer(city, GeoCells::geohash, 64);
  const Histories histories(city, tokenizer);
  Context<B> context({}, 7);
  SpacetimeGr model(CheckinEncoder<B>(context, {24, tokenizer.places(), tokenizer.categories(), 64, 0.0, DType::f32}),
                    TokenDecoder(context, 24), HistoryPointerHead<B>(context, {24, tokenizer.places(), 1, 8, DType::f32}));
  Config config;
  config.model.length = 16;
  config.training.learning_rate = 3e-3, config.training.min_learning_rate = 3e-4, config.training.warmup_steps = 5;
  config.training.batch = 8, config.training.epochs = 2;
  PlaceTask task(context, model, config, histories);
  Trainer trainer(context, task, config.training);
  TrainerHooks hooks;
  hooks.on_epoch = [](const EpochReport& r) { std::printf("epoch %lld: loss %.3f\n", static_cast<long long>(r.epoch + 1), r.loss); };
  trainer.run(hooks);
  const auto ranks = rank_targets(context, model, city, histories, Split::test, {16, true, 32});
  std::printf("test acc@10 %.3f over %zu targets\n", evaluate(ranks).all.accuracy[2].mean, ranks.size());
}

int main() {
  gradient();
  train();
}
