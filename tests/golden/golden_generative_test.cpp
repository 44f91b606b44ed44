// Spacetime-GR whole against PyTorch (tests/golden/generate_generative.py): the loss and the gradients of every stage.

#include "chronotope/components/alignment_losses.hpp"
#include "chronotope/components/decoder.hpp"
#include "chronotope/components/token_encoder.hpp"
#include "chronotope/components/token_heads.hpp"
#include "chronotope/models/candidates.hpp"
#include "chronotope/models/generative_model.hpp"
#include "chronotope/nn/state.hpp"
#include "golden/golden_gradient.hpp"

using namespace chronotope;
using golden::File;

namespace {

using B = any_backend;
template <class Head> using Model = GenerativeModel<TokenEncoder<B>, LlamaDecoder<B>, Head>;

double tolerance(DType dtype) { return dtype == DType::f64 ? 1e-10 : 1e-4; }
double gradient_tolerance(DType dtype) { return dtype == DType::f64 ? 2e-7 : 1e-4; }  // the file has gradients in f32

/// Sequences of a file, to be added to batches one by one.
class Sequences {
 public:
  Sequences(const File& f, const std::string& at) : lengths_(f.values<std::int32_t>(at + "lengths")) {
    const auto column = [&](const char* name) { return f.values<std::int32_t>(at + name); };
    const std::vector<std::int32_t> kinds = column("kinds"), columns[] = {column("texts"), column("contexts"), column("blocks"), column("inners"), column("types")};
    constexpr std::size_t widths[] = {1, time_features + geo_parts, 1, geo_parts + 3, 1};
    std::size_t next[token_kinds] = {};
    for (const std::int32_t kind : kinds) {
      const auto k = static_cast<std::size_t>(kind);
      const auto row = std::span(columns[k]).subspan(next[k], widths[k]);
      tokens_.push_back({static_cast<TokenKind>(kind), {row.begin(), row.end()}});
      next[k] += widths[k];
    }
  }

  std::size_t size() const { return lengths_.size(); }

  /// Adds sequence `number`; its packed rows.
  Prefix add(std::size_t number, TokenBatch& batch) const {
    batch.sequence();
    const std::int32_t begin = batch.tokens();
    std::size_t at = 0;
    for (std::size_t s = 0; s < number; ++s) at += static_cast<std::size_t>(lengths_[s]);
    for (std::int32_t i = 0; i < lengths_[number]; ++i) add(tokens_[at++], batch);
    return {begin, batch.tokens()};
  }

  static InnerInput inner(std::span<const std::int32_t> row) {
    InnerInput input{row[0], row[1], {}, row[geo_parts + 2]};
    std::copy_n(row.begin() + 2, geo_parts, input.where.begin());
    return input;
  }

 private:
  struct Token {
    TokenKind kind;
    std::vector<std::int32_t> row;
  };
  static void add(const Token& token, TokenBatch& batch) {
    switch (token.kind) {
      case TokenKind::text: batch.text(token.row[0]); break;
      case TokenKind::block: batch.block(token.row[0]); break;
      case TokenKind::inner: batch.inner(inner(token.row)); break;
      case TokenKind::type: batch.type(token.row[0]); break;
      case TokenKind::context: {
        ContextInput input;
        std::copy_n(token.row.begin(), time_features, input.when.begin());
        std::copy_n(token.row.begin() + time_features, geo_parts, input.where.begin());
        batch.context(input);
      }
    }
  }

  std::vector<std::int32_t> lengths_;
  std::vector<Token> tokens_;
};

/// Requests of a file as the batches of the three stages.
struct Requests {
  Sequences users;
  CandidateLabels labels;
  std::vector<std::int32_t> candidates;  // [C, 16]

  explicit Requests(const File& f)
      : users(f, "users."), labels{f.values<std::int32_t>("counts"), f.values<std::uint8_t>("clicked")}, candidates(f.values<std::int32_t>("candidates")) {}

  std::int32_t block(std::size_t c) const { return candidates[c * (geo_parts + 4)]; }
  InnerInput inner(std::size_t c) const { return Sequences::inner(std::span(candidates).subspan(c * (geo_parts + 4) + 1)); }

  /// user(request) -> its rows, then candidate(rows, number) for each of its candidates.
  template <class User, class Candidate> void each(User user, Candidate candidate) const {
    std::size_t c = 0;
    for (std::size_t r = 0; r < users.size(); ++r) {
      const Prefix seen = user(r);
      for (std::int32_t i = 0; i < labels.counts[r]; ++i) candidate(seen, c++);
    }
  }

  TokenBatch user_tower() const {
    TokenBatch batch;
    for (std::size_t r = 0; r < users.size(); ++r) batch.ask(users.add(r, batch).end - 1, Question::state);
    return batch;
  }
  TokenBatch place_tower() const {
    TokenBatch batch;
    for (std::size_t c = 0; c < labels.clicked.size(); ++c) {
      batch.sequence();
      batch.block(block(c));
      batch.ask(batch.inner(inner(c)), Question::state);
    }
    return batch;
  }
  std::vector<std::int32_t> user_of() const {
    std::vector<std::int32_t> of;
    for (std::size_t r = 0; r < users.size(); ++r) of.insert(of.end(), static_cast<std::size_t>(labels.counts[r]), static_cast<std::int32_t>(r));
    return of;
  }
  TokenBatch ranked() const {
    TokenBatch batch;
    each([&](std::size_t r) { return users.add(r, batch); }, [&](Prefix seen, std::size_t c) {
      batch.branch(seen);
      batch.block(block(c));
      batch.ask(batch.inner(inner(c)), Question::state);
    });
    return batch;
  }
  TokenBatch generated() const {
    TokenBatch batch;
    std::size_t asked = 0;
    const auto user = [&](std::size_t r) {
      const Prefix seen = users.add(r, batch);
      for (std::int32_t i = 0; i < labels.counts[r]; ++i) batch.ask(seen.end - 1, Question::block, block(asked++));
      return seen;
    };
    each(user, [&](Prefix seen, std::size_t c) {
      batch.branch(seen);
      batch.ask(batch.block(block(c)), Question::inner, inner(c).inner);
    });
    return batch;
  }
};

TokenBatch training_batch(const File& f) {
  const Sequences sequences(f, "train.");
  TokenBatch batch;
  for (std::size_t s = 0; s < sequences.size(); ++s) sequences.add(s, batch);
  const auto asks = f.values<std::int32_t>("train.asks");
  for (std::size_t i = 0; i < asks.size(); i += 3) batch.ask(asks[i], asks[i + 1] ? Question::inner : Question::block, asks[i + 2]);
  return batch;
}

/// The file's weights times `factor`, by path.
std::map<std::string, HostTensor> weights(const File& f, DType dtype, double factor) {
  std::map<std::string, HostTensor> state;
  for (const auto& [name, tensor] : f.tensors()) {
    if (name.rfind("model.", 0) != 0) continue;
    std::vector<double> values = f.numbers(name);
    for (double& x : values) x *= factor;
    const std::vector<float> rounded(values.begin(), values.end());
    state.emplace(name, dtype == DType::f64 ? HostTensor::of(values, tensor.shape) : HostTensor::of(rounded, tensor.shape));
  }
  return state;
}

template <class Head> Model<Head> load(const File& f, Context<B>& context, DType dtype, double factor = 1) {
  const auto n = [&](const char* key) { return f.whole(key); };
  const FusionWeights fusion = f.text("fusion") == "gated" ? FusionWeights::gated : FusionWeights::fixed;
  TokenEncoder<B> encoder(context, {n("width"), n("texts"), n("blocks"), n("inners"), n("categories"), n("types"), n("geo_rows"), n("vector_width"), true, true, fusion, 0, dtype});
  if (n("vector_width") > 0) encoder.set_vectors(f.tensor(context, "vectors", dtype));
  LlamaDecoder<B> decoder(context, {n("layers"), n("width"), n("heads"), n("feed_forward"), n("positions"), 0, dtype});
  Model<Head> model(context, std::move(encoder), std::move(decoder), Head(context, {n("width"), n("blocks"), n("inners"), dtype}), n("embedding"), dtype);
  load_state(context, model, weights(f, dtype, factor), "model.");
  return model;
}

/// The file's pieces in the order of the paths' names.
template <class M> void check_gradients(const File& f, M& model, const std::string& stage, DType dtype) {
  const std::vector<double> all = f.numbers("gradient." + stage);
  std::map<std::string, Parameter<B>> by_path;
  for (auto& [path, parameter] : named_parameters(model)) by_path.emplace(path, parameter);
  std::ptrdiff_t at = 0;
  for (auto& [path, parameter] : by_path) {
    CAPTURE(path);
    const std::ptrdiff_t end = at + parameter.shape().elements();
    REQUIRE(end <= static_cast<std::ptrdiff_t>(all.size()));
    CHECK(golden::worst(golden::gradient_of(parameter), std::vector<double>(all.begin() + at, all.begin() + end)) <= gradient_tolerance(dtype));
    at = end;
  }
  CHECK(at == static_cast<std::ptrdiff_t>(all.size()));
}

/// A stage's loss against the file's, and its gradients where the file has them.
template <class M> void check_loss(const File& f, M& model, const std::string& stage, const Tensor<B>& loss, DType dtype) {
  CAPTURE(stage);
  CHECK(golden::worst(golden::numbers(loss), f.numbers("loss." + stage)) <= tolerance(dtype));
  backward(loss);
  if (f.tensors().contains("gradient." + stage)) check_gradients(f, model, stage, dtype);
  for (auto& [path, parameter] : named_parameters(model)) parameter.zero_grad();
}

template <class Head> void check_model(const std::string& name, Context<B>& context, DType dtype) {
  CAPTURE(name);
  CAPTURE(to_string(dtype));
  const File f(name);
  Model<Head> model = load<Head>(f, context, dtype);
  const Requests requests(f);
  const auto on_device = [&](const TokenBatch& batch) { return TokenTensors<B>(context, batch); };
  const auto check_values = [&](const Tensor<B>& values, const char* what) {
    CAPTURE(what);
    CHECK(golden::worst(golden::numbers(values), f.numbers(what)) <= tolerance(dtype));
  };

  check_loss(f, model, "pretrain", sum(model.nll(on_device(training_batch(f)))), dtype);

  const std::vector<std::int32_t> user_of = requests.user_of();
  const auto candidates = static_cast<std::int64_t>(user_of.size());
  const Tensor<B> users = normalized(model.user(model.hidden(on_device(requests.user_tower()))));
  const Tensor<B> places = normalized(model.place(model.hidden(on_device(requests.place_tower()))));
  const Tensor<B> cosines = candidate_similarities(users, places, Tensor<B>::from_host(context, user_of, {candidates}));
  check_values(cosines, "cosine");
  check_loss(f, model, "embed", sum(info_nce(cosines, requests.labels, f.number("temperature"))), dtype);

  const Tensor<B> clicks = model.click_logits(on_device(requests.ranked()));
  check_values(clicks, "click");
  check_loss(f, model, "rank", sum(binary_cross_entropy(clicks, cast(Tensor<B>::from_host(context, requests.labels.clicked, {candidates}), dtype))), dtype);

  const Model<Head> frozen = load<Head>(f, context, dtype, f.number("reference"));
  for (const PreferenceForm form : {PreferenceForm::pairs, PreferenceForm::softmax}) {
    const TokenTensors<B> generated = on_device(requests.generated());
    const Tensor<B> policy = candidate_log_probabilities(model, generated), reference = candidate_log_probabilities(frozen, generated);
    check_values(policy, "policy");
    check_values(reference, "reference");
    check_loss(f, model, form == PreferenceForm::pairs ? "dpo" : "s_dpo", preference_loss(policy, reference, requests.labels, {f.number("beta"), form}).sum, dtype);
  }
}

void check_models(const any_backend::stream& stream, DType dtype) {
  Context<B> context(stream);
  check_model<TypedHead<B>>("generative_typed", context, dtype);
  check_model<JointHead<B>>("generative_joint", context, dtype);
}

}  // namespace

#ifdef CHRONOTOPE_HAVE_EIGEN
TEST_CASE("golden stages of Spacetime-GR: Eigen") {
  check_models(any_stream<eigen_backend>(), DType::f64);
  check_models(any_stream<eigen_backend>(), DType::f32);
}
#endif

#ifdef CHRONOTOPE_HAVE_ONEDNN
TEST_CASE("golden stages of Spacetime-GR: oneDNN") {
  check_models(any_stream<onednn_backend>(onednn_backend::stream(2)), DType::f32);
  check_models(any_stream<onednn_backend>(onednn_backend::stream(2)), DType::f64);
}
#endif

#ifdef CHRONOTOPE_HAVE_CUDA
TEST_CASE("golden stages of Spacetime-GR: CUDA") {
  check_models(any_stream<cuda_backend>(), DType::f32);
  check_models(any_stream<cuda_backend>(), DType::f64);
}
#endif
