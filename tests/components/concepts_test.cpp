#include "chronotope/backend/any_backend.hpp"
#include "components/tiny.hpp"

using namespace chronotope;
using namespace chronotope::test;

static_assert(SpatiotemporalEncoder<CheckinEncoder<Reference>> && SpatiotemporalEncoder<UserEncoder>);
static_assert(Decoder<LlamaDecoder<Reference>> && Decoder<GptDecoder<any_backend>> && Decoder<UserDecoder>);
static_assert(OutputHead<VocabularyHead<Reference>> && OutputHead<HistoryPointerHead<Reference>> && OutputHead<UserHead>);
static_assert(!Decoder<CheckinEncoder<Reference>> && !OutputHead<LlamaDecoder<Reference>> && !SpatiotemporalEncoder<UserHead>);
static_assert(PlaceModel<decltype(LlamaModel::make())> && PlaceModel<decltype(PointerModel::make())> && PlaceModel<decltype(UserModel::make())>);
static_assert(!PlaceModel<UserHead>);

namespace {

struct HeadWithoutProbabilities {
  using backend = Reference;
  static constexpr bool wants_all_contexts = false;
  T nll(const T& h, const ActionTensors<Reference>&) const { return h; }
  template <class V> void visit(V&&) {}
};
static_assert(Module<HeadWithoutProbabilities> && !OutputHead<HeadWithoutProbabilities>);

template <class E, class D, class H> concept Composes = requires(E e, D d, H h) { SpacetimeGr<E, D, H>(e, d, h); };
static_assert(Composes<CheckinEncoder<Reference>, UserDecoder, HistoryPointerHead<Reference>>);
static_assert(!Composes<CheckinEncoder<Reference>, LlamaDecoder<any_backend>, VocabularyHead<Reference>>);

}  // namespace

TEST_CASE("parameters of a whole model have the paths of its parts") {
  auto model = PointerModel::make();
  std::vector<std::string> paths;
  for_each_parameter(model, [&](const std::string& path, Parameter<Reference>&) { paths.push_back(path); });
  for (const char* wanted : {"encoder.time.month.weight", "encoder.geo.level.11.weight", "encoder.fusion", "decoder.blocks.1.attn.qkv.weight",
                             "decoder.blocks.0.ffn.down.weight", "decoder.norm.weight", "head.vocabulary.weight", "head.gate.bias", "head.recency"}) {
    INFO(wanted);
    CHECK(std::count(paths.begin(), paths.end(), wanted) == 1);
  }
}

TEST_CASE("sizes that do not fit together are refused by name") {
  const auto decoder = [](auto change) {
    DecoderOptions o = tiny_decoder();
    change(o);
    return error_text<ConfigError>([&] { LlamaDecoder<Reference>(context(), o); });
  };
  CHECK(decoder([](DecoderOptions& o) { o.heads = 5; }).find("even multiple of model.heads, got 12 and 5") != std::string::npos);
  CHECK(decoder([](DecoderOptions& o) { o.heads = 4; }).find("even multiple") != std::string::npos);
  CHECK(decoder([](DecoderOptions& o) { o.layers = 0; }).find("at least 1") != std::string::npos);
  CHECK(decoder([](DecoderOptions& o) { o.heads = 0; }).find("at least 1") != std::string::npos);
  EncoderOptions encoder = tiny_encoder();
  encoder.width = 10;
  CHECK(error_text<ConfigError>([&] { CheckinEncoder<Reference>(context(), encoder); }).find("multiple of 12") != std::string::npos);
  HeadOptions head = tiny_head();
  head.pointer_heads = 0;
  CHECK(error_text<ConfigError>([&] { HistoryPointerHead<Reference>(context(), head); }).find("at least 1") != std::string::npos);
}

TEST_CASE("batches that contradict themselves are refused") {
  const ActionBatch good = made_up_batch({2, 1}, {0, 2});
  const auto refused = [&](auto change) {
    ActionBatch batch = good;
    change(batch);
    return error_text<DataError>([&] { ActionTensors<Reference>(context(), batch); });
  };
  CHECK(refused([](ActionBatch& b) { b.lengths = {2, 2}; }).find("add up to 4, there are 3 actions") != std::string::npos);
  CHECK(refused([](ActionBatch& b) { b.lengths = {4, -1}; }).find("negative") != std::string::npos);
  CHECK(refused([](ActionBatch& b) { b.target.pop_back(); }).find("1 targets for 2 selected") != std::string::npos);
  CHECK(refused([](ActionBatch& b) { b.selected = {2, 0}; }).find("ascend") != std::string::npos);
  CHECK(refused([](ActionBatch& b) { b.selected = {0, 3}; }).find("found 3") != std::string::npos);
  CHECK(refused([](ActionBatch& b) { b.selected = {-1, 0}; }).find("found -1") != std::string::npos);
}

TEST_CASE("ids outside their tables and sequences that are too long are refused, and the text says where") {
  auto model = LlamaModel::make();
  ActionBatch batch = made_up_batch({3}, {2});
  batch.actions[1].place = tiny_places;
  CHECK(error_text<ShapeError>([&] { model.nll(ActionTensors<Reference>(context(), batch)); }).find("in encoder.place") != std::string::npos);
  batch = made_up_batch({3}, {2});
  batch.actions[0].when[3] = 24;
  CHECK(error_text<ShapeError>([&] { model.nll(ActionTensors<Reference>(context(), batch)); }).find("in encoder.context") != std::string::npos);
  CHECK(error_text<ShapeError>([&] { model.nll(ActionTensors<Reference>(context(), made_up_batch({17}, {2}))); })
            .find("34 tokens is longer than the decoder's 32 positions") != std::string::npos);
  CHECK_THROWS_AS(model.decoder.blocks[0].attn(random({3, tiny_width}, 1), Packing<Reference>(context(), {2}), ids({0, 1}),
                                               [](const T& t, const T&) { return t; }), ShapeError);
}
