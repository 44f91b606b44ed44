// Requests of a user whose 128 actions were encoded once, Spacetime-GR on actions, 12 x 768, blocks and places in them 400,000 rows
// together: ranking with and without what was kept, few and many candidates, generating places. Fresh weights over an invented index:
// speed does not ask.
//
//   bench_sessions [--head joint|typed] [--rounds 5] [--threads 2] [sizes]
//
// Prints a line of JSON a measurement, medians of rounds in which each thing is done once, then where the time goes.

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "chronotope/backend/onednn_backend.hpp"
#include "chronotope/core/stopwatch.hpp"
#include "chronotope/data/geo_index.hpp"
#include "chronotope/models/place_beams.hpp"
#include "cli/breakdown.hpp"
#include "made_actions.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace chronotope;
using B = any_backend;
using Json = nlohmann::ordered_json;

/// Places such that a model over them has the wanted rows: one block has all the inners, the others ten places each.
void build_index(const std::string& path, const bench::ModelSizes& s) {
  constexpr std::int64_t row = 1000;  // blocks along a circle of latitude; a tenth of a degree is more than a block
  PlaceList places;
  for (std::int64_t i = 1; i < s.inners; ++i) places.add({"a" + std::to_string(i), 10, 10, 1, "Cafe"});
  for (std::int64_t i = 20; i < 10 * s.blocks; ++i)
    places.add({"b" + std::to_string(i), -40 + 0.1 * static_cast<double>(i / 10 / row), 20 + 0.1 * static_cast<double>(i / 10 % row), 0, "Park"});
  build_geo_index(places, path);
}

/// A user and requests.
class User {
 public:
  User(Context<B>& context, const AnyGenerativeModel<B>& model, const PlaceCatalogue& catalogue, const bench::ModelSizes& sizes)
      : context_(context), model_(model), catalogue_(catalogue), sizes_(sizes) {
    kept_ = encode();
  }

  /// Profile and actions, from nothing.
  Encoded<B> encode() const {
    Encoded<B> fresh;
    TokenBatch batch = history();
    batch.ask(batch.tokens() - 1, Question::state);
    fresh.add(context_, model_, batch);
    return fresh;
  }

  /// Click probabilities of candidates after what was kept, as PlaceSession::rank computes them.
  void rank(std::int64_t candidates) {
    const auto mark = kept_.mark();
    TokenBatch batch;
    bench::TokenMaker make(sizes_, 2);
    batch.sequence();
    batch.context(make.context());
    add_candidates(batch, make, candidates, static_cast<std::int32_t>(kept_.tokens()) + 1);
    std::vector<std::int32_t> rows;
    for (const Ask& ask : batch.asks()) rows.push_back(static_cast<std::int32_t>(kept_.tokens()) + ask.row);
    const Tensor<B> h = kept_.extend(context_, model_, batch);
    use(model_.click_logits(h, kept_.contexts(), rows));
    kept_.keep(mark);
  }

  /// The same without anything kept.
  void rank_anew(std::int64_t candidates) {
    const NoGrad no_grad;
    TokenBatch batch = history();
    bench::TokenMaker make(sizes_, 2);
    const std::int32_t u = batch.context(make.context());
    add_candidates(batch, make, candidates, u + 1);
    use(model_.click_logits(TokenTensors<B>(context_, batch)));
  }

  void generate(std::int64_t blocks, std::int64_t inners) {
    const auto mark = kept_.mark();
    TokenBatch batch;
    batch.sequence();
    batch.ask(batch.context(bench::TokenMaker(sizes_, 2).context()), Question::state);
    const Tensor<B> h = kept_.extend(context_, model_, batch);
    const Prefix seen{0, static_cast<std::int32_t>(kept_.tokens())};
    found_ = generate_places(context_, model_, catalogue_, kept_, h, std::span(&seen, 1), {}, {blocks, inners, blocks * inners, false})[0].size();
    kept_.keep(mark);
  }

  std::int64_t bytes() const { return kept_.bytes(); }
  std::int64_t tokens() const { return kept_.tokens(); }
  std::size_t found() const { return found_; }

 private:
  TokenBatch history() const {
    TokenBatch batch;
    bench::TokenMaker(sizes_, 1).history(batch);
    return batch;
  }
  static void add_candidates(TokenBatch& batch, bench::TokenMaker& make, std::int64_t candidates, std::int32_t seen) {
    for (std::int64_t i = 0; i < candidates; ++i) {
      batch.branch({0, seen});
      batch.block(make.block());
      batch.ask(batch.inner(make.inner()), Question::state);
    }
  }
  static void use(const Tensor<B>& logits) {
    for (const float x : logits.to_host<float>())
      if (!std::isfinite(x)) throw Error("a score is not finite");
  }

  Context<B>& context_;
  const AnyGenerativeModel<B>& model_;
  const PlaceCatalogue& catalogue_;
  const bench::ModelSizes& sizes_;
  Encoded<B> kept_;
  std::size_t found_ = 0;
};

/// Where the time of a thing goes.
void break_down(const char* title, const std::function<void()>& thing, Timings& timings, std::int64_t rounds) {
  timings.clear();
  const Stopwatch watch;
  for (std::int64_t i = 0; i < rounds; ++i) thing();
  const double seconds = watch.seconds();
  std::printf("%s:\n", title);
  cli::print_breakdown(timings, static_cast<std::size_t>(rounds), seconds);
}

/// Milliseconds of each thing: medians of `rounds`, after one that does not count.
std::vector<double> measure(const std::vector<std::function<void()>>& things, std::int64_t rounds) {
  std::vector<std::vector<double>> all(things.size());
  for (std::int64_t round = 0; round <= rounds; ++round)
    for (std::size_t i = 0; i < things.size(); ++i) {
      const Stopwatch watch;
      things[i]();
      if (round > 0) all[i].push_back(1e3 * watch.seconds());
    }
  std::vector<double> medians;
  for (auto& times : all) {
    std::sort(times.begin(), times.end());
    medians.push_back(std::round(100 * times[times.size() / 2]) / 100);
  }
  return medians;
}

void print(Json line, double ratio, const char* bar) {
  line["ratio"] = std::round(1000 * ratio) / 1000, line["bar"] = bar;
  std::printf("%s\n", line.dump().c_str());
}

void run(const bench::ModelSizes& sizes, std::int64_t rounds, std::int64_t threads) {
  const bench::TemporaryFolder folder;
  build_index(folder.file("index"), sizes);
  const PlaceCatalogue catalogue(GeoIndex(folder.file("index")), PlaceCodes::hierarchical);
  if (catalogue.block_rows() != sizes.blocks || catalogue.inner_rows() != sizes.inners) throw Error("the invented index has other rows than the model");
  const auto timings = std::make_shared<Timings>();
  Context<B> context(any_stream<timed<onednn_backend>>({onednn_backend::stream(static_cast<int>(threads)), timings}), 1);
  const auto model = bench::make_model(context, sizes);
  User user(context, model, catalogue, sizes);
  const auto ms = measure({[&] { user.encode(); }, [&] { user.rank(11); }, [&] { user.rank_anew(11); }, [&] { user.rank(256); }, [&] { user.generate(10, 10); }}, rounds);
  print({{"rank", 11}, {"kept_ms", ms[1]}, {"anew_ms", ms[2]}}, ms[2] / ms[1], ">= 10: anew / kept");
  print({{"rank", 256}, {"kept_ms", ms[3]}, {"of_11_ms", ms[1]}}, ms[3] / ms[1], "<= 15: 256 / 11 candidates");
  print({{"generate", "10 x 10"}, {"ms", ms[4]}, {"prefix_ms", ms[0]}, {"places", user.found()}, {"prefix_and_generation", (ms[0] + ms[4]) / ms[0]}}, ms[4] / ms[0], "<= 1.3: generation / prefix");
  std::printf("%s\n", Json{{"kept_bytes", user.bytes()}, {"kept_tokens", user.tokens()}, {"bytes_a_token", 8 * sizes.layers * sizes.width}, {"head", sizes.joint ? "joint" : "typed"}}.dump().c_str());
  break_down("where ranking 11 goes", [&] { user.rank(11); }, *timings, rounds);
  break_down("where ranking 256 goes", [&] { user.rank(256); }, *timings, rounds);
  break_down("where generating goes", [&] { user.generate(10, 10); }, *timings, rounds);
}

}  // namespace

int main(int argc, char** argv) {
  bench::ModelSizes sizes;
  std::int64_t rounds = 5, threads = 2;
  bench::CommandLine line;
  line.sizes(sizes);
  line.number("--rounds", rounds, 1), line.number("--threads", threads, 1);
  line.read(argc, argv);
  run(sizes, rounds, threads);
  return 0;
}
