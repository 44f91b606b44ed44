// The trainer's own steps of Spacetime-GR on actions: 12 x 768, blocks and places in them 400,000 rows together, windows of 128 actions
// made up from a seed; batch, forward, backward, AdamW. The other side is bench/peers/torch_actions.py (bench/compare_actions).
//
//   bench_actions [--head joint|typed] [--updates dense|lazy] [--batch 2] [--steps 6] [--threads 2] [--clip off|on]
//                 [--backend onednn|cuda] [--tf32 off|on] [--bf16 off|on] [--graphs off|on] [sizes]
//
// Prints a line of JSON, then where the time of a step goes; on CUDA the line alone, because calls return before their work is done.

#include <sys/resource.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#ifdef CHRONOTOPE_HAVE_CUDA
#include "chronotope/backend/cuda_backend.hpp"
#endif
#include "chronotope/backend/onednn_backend.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/train/run.hpp"
#include "cli/breakdown.hpp"
#include "made_actions.hpp"

namespace {

using namespace chronotope;
using B = any_backend;

struct Options {
  bench::ModelSizes sizes;
  std::int64_t batch = 2, steps = 6, threads = 2;
  bool lazy = false, clip = false, cuda = false, tf32 = false, bf16 = false, graphs = false;
  const char* math() const { return bf16 ? "bf16" : tf32 ? "tf32" : "ieee"; }
};

constexpr std::size_t warm_up = 2;  // steps
constexpr std::int64_t interest_percent = 78;

/// Which actions are asked for: the peer asks for the same ones.
bool asked(std::int64_t action) { return (action + 1) * interest_percent / 100 > action * interest_percent / 100; }

/// Windows as pre-training has them: of the last action there is what predicts its place.
class MadeTask {
 public:
  using backend = B;
  using Sample = std::uint64_t;

  MadeTask(Context<B>& context, AnyGenerativeModel<B>& model, const Options& options) : context_(context), model_(model), options_(options) {}

  AnyGenerativeModel<B>& model() { return model_; }
  std::vector<std::uint64_t> samples(std::uint64_t) const {
    std::vector<std::uint64_t> all(static_cast<std::size_t>((options_.steps + std::int64_t{warm_up}) * options_.batch));
    std::iota(all.begin(), all.end(), std::uint64_t{1});
    return all;
  }
  TaskLoss<B> loss(std::span<const std::uint64_t> windows) {
    TokenBatch batch;
    for (const std::uint64_t window : windows) add(window, batch);
    const TokenTensors<B> tensors(context_, batch);
    tokens_ = batch.tokens();
    return {sum(model_.nll(tensors)), static_cast<std::int64_t>(batch.asks().size()), static_cast<std::int64_t>(windows.size()) * options_.sizes.actions};
  }
  std::int64_t tokens() const { return tokens_; }

 private:
  void add(std::uint64_t window, TokenBatch& batch) const {
    bench::TokenMaker make(options_.sizes, window);
    batch.sequence();
    make.profile(batch);
    for (std::int64_t i = 0; i < options_.sizes.actions; ++i) {
      const std::int32_t u = batch.context(make.context()), block = make.block();
      if (asked(i)) batch.ask(u, Question::block, block);
      batch.block(block);
      const InnerInput inner = make.inner();
      if (asked(i)) batch.ask(u + 1, Question::inner, inner.inner);
      if (i + 1 == options_.sizes.actions) break;
      batch.inner(inner);
      batch.type(make.type());
    }
  }

  Context<B>& context_;
  AnyGenerativeModel<B>& model_;
  Options options_;
  std::int64_t tokens_ = 0;
};

/// Of the matrix products of a step, the backward pass twice the forward; what the loss computes again is not counted.
double step_flops(const bench::ModelSizes& s, std::int64_t tokens, std::int64_t asks) {
  const auto D = static_cast<double>(s.width), T = static_cast<double>(tokens), Q = static_cast<double>(asks);
  const double half = D * D + 3 * D * static_cast<double>(s.feed_forward);  // output projection and feed-forward
  const double classes = static_cast<double>(s.blocks + s.inners) / (s.joint ? 1 : 2);
  const double forward = static_cast<double>(s.layers - 1) * T * (3 * D * D + half) + T * 2 * D * D + Q * (D * D + half) + Q * D * classes;
  return 3 * 2 * forward;
}

/// The most memory the process ever had.
double peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;  // KiB on Linux
}

any_backend::stream stream_of(const Options& o, const std::shared_ptr<Timings>& timings) {
  if (!o.cuda && (o.tf32 || o.bf16)) throw ConfigError("--tf32 and --bf16 need --backend cuda");
  if (!o.cuda) return any_stream<timed<onednn_backend>>({onednn_backend::stream(static_cast<int>(o.threads)), timings});
#ifdef CHRONOTOPE_HAVE_CUDA
  return any_stream<cuda_backend>(cuda_backend::stream(0, o.bf16 ? MathMode::bf16 : o.tf32 ? MathMode::tf32 : MathMode::ieee));
#else
  throw ConfigError("bench_actions was built without CUDA");
#endif
}

void run(const Options& o) {
  const auto timings = std::make_shared<Timings>();
  Context<B> context(stream_of(o, timings), 1);
  auto model = bench::make_model(context, o.sizes);
  MadeTask task(context, model, o);
  TrainingConfig training;
  training.batch = o.batch, training.embedding_updates = o.lazy ? "lazy" : "dense", training.clip_norm = o.clip ? 1 : 0, training.graphs = o.graphs;
  Trainer trainer(context, task, training);
  const std::vector<std::uint64_t> windows = task.samples(0);
  std::vector<double> seconds;
  StepReport first, last;
  const auto batch = static_cast<std::size_t>(o.batch);
  for (std::size_t at = 0; at < windows.size(); at += batch) {
    if (seconds.size() == warm_up) timings->clear();
    last = trainer.step(std::span(windows).subspan(at, batch));
    if (at == 0) first = last;
    seconds.push_back(last.seconds);
  }
  const double memory = peak_memory();
  seconds.erase(seconds.begin(), seconds.begin() + warm_up);
  const Timings step_timings = *timings;
  const double peak = measure_gemm_peak(context);
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2], flops = step_flops(o.sizes, task.tokens(), last.targets);
  const auto rounded = [](double x, double parts) { return std::round(x * parts) / parts; };
  std::printf("%s\n", nlohmann::ordered_json{{"ms_per_step", rounded(1e3 * median, 10)}, {"least_ms", rounded(1e3 * seconds.front(), 10)},
                                            {"actions_per_s", rounded(static_cast<double>(last.inputs) / median, 10)}, {"peak_rss_mb", std::lround(memory * 1e-6)},
                                            {"tensors_mb", std::lround(static_cast<double>(context.memory().peak) * 1e-6)}, {"gflop_per_step", std::lround(flops * 1e-9)},
                                            {"gemm_peak_gflops", std::lround(peak * 1e-9)}, {"share_of_peak", rounded(flops / median / peak, 1000)},
                                            {"tokens", task.tokens()}, {"losses", last.targets}, {"head", o.sizes.joint ? "joint" : "typed"},
                                            {"updates", o.lazy ? "lazy" : "dense"}, {"math", o.math()}, {"graphs", o.graphs}, {"first_loss", rounded(first.loss, 1e4)}}
                          .dump().c_str());
  if (!o.cuda) cli::print_breakdown(step_timings, seconds.size(), std::accumulate(seconds.begin(), seconds.end(), 0.0));
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  bench::CommandLine line;
  line.sizes(o.sizes);
  line.number("--batch", o.batch, 1), line.number("--steps", o.steps, 1), line.number("--threads", o.threads, 1);
  line.word("--updates", o.lazy, "lazy", "dense"), line.word("--clip", o.clip, "on", "off");
  line.word("--backend", o.cuda, "cuda", "onednn"), line.word("--tf32", o.tf32, "on", "off"), line.word("--bf16", o.bf16, "on", "off");
  line.word("--graphs", o.graphs, "on", "off");
  line.read(argc, argv);
  try {
    run(o);
  } catch (const Error& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 1;
  }
  return 0;
}
