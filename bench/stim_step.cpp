// Training steps of STIM on random samples, the search left out: embeddings, keys, forgetting masks, query experts,
// interest unit, prediction network, cross-entropy, AdamW. The other side is bench/peers/torch_stim.py (bench/compare_stim).
//
//   bench_stim_step [--batch 1024] [--kept 50] [--width 64] [--steps 20] [--threads 2]

#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <span>
#include <string>

#include "chronotope/backend/onednn_backend.hpp"
#include "chronotope/components/forgetting_mask.hpp"
#include "chronotope/components/hmin.hpp"
#include "chronotope/components/query_moe.hpp"
#include "chronotope/ops/ops.hpp"
#include "chronotope/train/optimizer.hpp"
#include "chronotope/train/run.hpp"
#include "cli/breakdown.hpp"

namespace {

using namespace chronotope;
using B = any_backend;
using Ids = std::vector<std::int32_t>;

struct Options {
  std::int64_t batch = 1024, kept = 50, width = 64;
  int steps = 20, threads = 2;
};

constexpr std::int64_t embedding = 16, numbers = 2, materials = 3;
constexpr std::size_t warm_up = 3;  // steps

/// The columns of request and behaviours, and the rows of their tables.
enum Column : std::size_t { item, category, cell, hour, weekday, columns };
constexpr std::int32_t rows_of[columns] = {100000, 500, 20000, 24, 7};
constexpr std::int32_t users = 50000;

/// A batch as the search and the group tables leave it.
struct Batch {
  Ids request[columns], behaviour[columns], user;  // [B], [B k]
  std::vector<float> numbers, click;               // [B, 2], [B]
  std::vector<std::uint8_t> valid, review;         // [B, k], [B, 3, k]
};

Batch random_batch(const Options& o, std::mt19937& random) {
  const auto below = [&](std::int32_t n) { return static_cast<std::int32_t>(random() % static_cast<std::uint32_t>(n)); };
  const auto ids = [&](std::int64_t n, std::int32_t rows) {
    Ids all(static_cast<std::size_t>(n));
    for (std::int32_t& id : all) id = below(rows);
    return all;
  };
  Batch b;
  for (std::size_t c = 0; c < columns; ++c) b.request[c] = ids(o.batch, rows_of[c]), b.behaviour[c] = ids(o.batch * o.kept, rows_of[c]);
  b.user = ids(o.batch, users);
  for (std::int64_t i = 0; i < o.batch; ++i) {
    b.click.push_back(below(10) == 0 ? 1.0f : 0.0f);
    for (std::int64_t n = 0; n < numbers; ++n) b.numbers.push_back(static_cast<float>(below(1000)) / 1000);
  }
  b.valid.assign(static_cast<std::size_t>(o.batch * o.kept), 1);
  for (std::int64_t i = 0; i < o.batch * materials * o.kept; ++i) b.review.push_back(below(3) == 0);
  return b;
}

struct Model {
  using backend = B;
  std::vector<Embedding<B>> tables;
  Embedding<B> user;
  Linear<B> key;
  ForgettingMask<B> mask;
  QueryMoE<B> queries;
  HminUnit<B> unit;
  Mlp<B> head;

  Model(Context<B>& c, const Options& o)
      : user(c, users, embedding), key(c, columns * embedding, o.width, true), mask(c, ForgettingOptions{.kept = o.kept}),
        queries(c, QueryOptions{}), unit(c, HminOptions{.key_width = o.width}),
        head(c, {unit.width(5, materials) + 6 * embedding + numbers, 128, 64, 1}) {
    for (const std::int32_t rows : rows_of) tables.emplace_back(c, rows, embedding);
  }

  Tensor<B> logits(Context<B>& c, const Batch& b) const {
    const auto n = static_cast<std::int64_t>(b.user.size()), k = static_cast<std::int64_t>(b.valid.size()) / n;
    const auto column = [&](const Ids& ids) { return Tensor<B>::from_host(c, ids, {static_cast<std::int64_t>(ids.size())}); };
    const auto part = [&](std::size_t i) { return tables[i](column(b.request[i])); };
    std::vector<Tensor<B>> weights, ids;
    for (std::size_t i = 0; i < columns; ++i) weights.push_back(tables[i].weight()), ids.push_back(column(b.behaviour[i]));
    const Tensor<B> keys = reshape(key(gather_concat(weights, ids)), {n, k, -1});
    const RequestParts<B> request{part(hour), part(weekday), part(cell), concat(std::vector<Tensor<B>>{part(item), part(category)}, 1), zeros(c, {n, 1})};
    const ReviewPoints points(materials, k, b.valid, b.review);
    const Tensor<B> there = Tensor<B>::from_host(c, b.valid, {n, k});
    const Tensor<B> interests = unit(queries(request), keys, mask(points), there);
    const Tensor<B> other = Tensor<B>::from_host(c, b.numbers, {n, numbers});
    return squeeze(head(concat(std::vector<Tensor<B>>{interests, request.whole(), user(column(b.user)), other}, 1)), 1);
  }

  template <class V> void visit(V&& v) {
    v("table", tables), v("user", user), v("key", key), v("mask", mask), v("queries", queries), v("unit", unit), v("head", head);
  }
};

/// Operations of the matrix products of a step, forward and twice that backward, as the model's formulas have them.
double step_products(const Options& o) {
  const auto d = static_cast<double>(o.width), k = static_cast<double>(o.kept), rows = 5.0 * materials, features = rows * 2 * d + 6 * embedding + numbers;
  const double keys = k * static_cast<double>(columns * embedding) * d, hidden = k * d * 2 * 32, pooling = rows * k * 2 * 32, cosines = 5 * k * d, values = rows * 2 * 32 * d;
  const double masks = materials * k * k, query = 5 * (16.0 * 32 + 32 * d), head = features * 128 + 128 * 64 + 64;
  return 6 * static_cast<double>(o.batch) * (keys + hidden + pooling + cosines + values + masks + query + head);
}

void run(const Options& o) {
  const auto timings = std::make_shared<Timings>();
  Context<B> context(any_stream<timed<onednn_backend>>({onednn_backend::stream(o.threads), timings}), 1);
  Model model(context, o);
  AdamW<B> optimizer(named_parameters(model), AdamOptions{.weight_decay = 0.01});
  std::mt19937 random(1);
  std::vector<double> seconds;
  double peak = measure_gemm_peak(context), loss = 0;
  while (seconds.size() < static_cast<std::size_t>(o.steps) + warm_up) {
    if (seconds.size() == warm_up) timings->clear();
    const Batch batch = random_batch(o, random);
    const Stopwatch watch;
    const Tensor<B> mean_loss = mean(binary_cross_entropy(model.logits(context, batch), Tensor<B>::from_host(context, batch.click, {o.batch})));
    backward(mean_loss);
    optimizer.step(1e-3);
    seconds.push_back(watch.seconds());
    loss = static_cast<double>(mean_loss.item<float>());
  }
  seconds.erase(seconds.begin(), seconds.begin() + warm_up);
  const Timings step_timings = *timings;
  peak = std::max(peak, measure_gemm_peak(context));
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2], products = step_products(o);
  std::printf("step median %.4f s, least %.4f s, %.0f samples/s\n", median, seconds.front(), static_cast<double>(o.batch) / median);
  std::printf("GEMM peak %.0f GFLOP/s, step %.1f GFLOP, %.0f%% of peak; peak memory of tensors %.0f MB; last loss %.4f\n", peak * 1e-9, products * 1e-9,
              100 * products / median / peak, static_cast<double>(context.memory().peak) * 1e-6, loss);
  cli::print_breakdown(step_timings, seconds.size(), std::accumulate(seconds.begin(), seconds.end(), 0.0));
}

/// False for an unknown name or a number below 1.
bool set_option(Options& o, const std::string& name, const char* text) {
  const long value = std::strtol(text, nullptr, 10);
  if (value < 1) return false;
  if (name == "--batch") o.batch = value;
  else if (name == "--kept") o.kept = value;
  else if (name == "--width") o.width = value;
  else if (name == "--steps") o.steps = static_cast<int>(value);
  else if (name == "--threads") o.threads = static_cast<int>(value);
  else return false;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 < argc && set_option(o, argv[i], argv[i + 1])) continue;
    std::fprintf(stderr, "bench_stim_step [--batch N] [--kept N] [--width N] [--steps N] [--threads N], numbers above 0\n");
    return 2;
  }
  run(o);
  return 0;
}
