// Each kernel against its floor: the bytes that it must move at the speed of a large copy, or its products at the speed of a large
// matrix product, both measured in the same run. Sizes of a 12 x 768 Spacetime-GR. One line of JSON a kernel, medians of five.
//   bench_floors [onednn|cuda] [rows] [places]      tokens of a batch (1024), rows of the vocabulary (400000)
//   bench_floors paper [rows] [places]              nothing is run: floors of an H100 by its data sheet, lines of a Markdown table

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/core/error.hpp"
#include "chronotope/ops/pointer.hpp"
#include "chronotope/ops/shape.hpp"
#include "chronotope/tensor/tensor.hpp"
#ifdef CHRONOTOPE_HAVE_CUDA
#include "chronotope/backend/cuda_backend.hpp"
#endif
#ifdef CHRONOTOPE_HAVE_ONEDNN
#include "chronotope/backend/onednn_backend.hpp"
#endif

namespace {

using namespace chronotope;
using B = any_backend;
using T = Tensor<B>;
constexpr double f32 = 4;

struct Kernel {
  std::string name;
  double bytes, flops;        ///< that it cannot do without
  std::function<bool()> run;  ///< false: not covered
};

double median(std::vector<double> all) {
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

/// Seconds a call: five times as many calls as take a twentieth of a second together.
double seconds(B::stream& s, const std::function<bool()>& run) {
  const auto time = [&](int calls) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; ++i) run();
    B::synchronize(s);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  time(1);
  const int calls = std::clamp(static_cast<int>(0.05 / time(1)), 1, 1000);
  std::vector<double> all;
  for (int i = 0; i < 5; ++i) all.push_back(time(calls) / calls);
  return median(all);
}

class Sizes {
 public:
  Sizes(B::stream stream, std::int64_t rows, std::int64_t places) : rows(rows), places(places), context_(std::move(stream), 1) {}

  const std::int64_t rows, places, width = 768, half = 2048, heads = 32;

  B::stream& stream() { return context_.stream(); }
  /// Numbers in [0, 1), or with any contents where nothing reads them.
  T some(const Shape& shape) {
    const T x(context_, shape);
    B::uniform(stream(), x.view(), 1, counter_++);
    return x;
  }
  T ids(std::int64_t n, std::int64_t below) {
    std::vector<std::int32_t> all(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) all[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(i * 7919 % below);
    return T::from_host(context_, all, {n});
  }
  T list(const std::vector<std::int32_t>& values, const Shape& shape) { return T::from_host(context_, values, shape); }

 private:
  Context<B> context_;
  std::uint64_t counter_ = 0;
};

void elementwise(Sizes& n, std::vector<Kernel>& all) {
  auto& s = n.stream();
  const T x = n.some({n.rows * 16, n.width}), y = n.some(x.shape()), z = n.some(x.shape()), column = n.some({n.width});
  const double size = f32 * static_cast<double>(x.elements());
  all.push_back({"fill", size, 0, [=, &s] { return B::fill(s, z.view(), 1), true; }});
  all.push_back({"unary exp", 2 * size, 0, [=, &s] { return B::unary(s, Unary::exp, z.view(), x.view()), true; }});
  all.push_back({"binary add", 3 * size, 0, [=, &s] { return B::binary(s, Binary::add, z.view(), x.view(), y.view()), true; }});
  all.push_back({"reduce rows", size, 0, [=, &s] { return B::reduce(s, Reduction::sum, column.view(), x.view()), true; }});
  all.push_back({"cumsum", 2 * size, 0, [=, &s] { return B::cumsum(s, z.view(), x.view(), 1), true; }});
  all.push_back({"dropout", 2 * size, 0, [=, &s] { return B::try_dropout(s, z.view(), x.view(), 0.1, 1, 2); }});
  all.push_back({"sum_squares", size, 0, [=, &s, sum = n.some({})] { return B::try_sum_squares(s, sum.view(), x.view()); }});
}

void rows(Sizes& n, std::vector<Kernel>& all) {
  auto& s = n.stream();
  const T x = n.some({n.rows, n.width}), y = n.some(x.shape()), z = n.some(x.shape()), w = n.some({n.width}), dw = n.some({n.width}), inv = n.some({n.rows});
  const T up = n.some({n.rows, 2 * n.half}), dup = n.some(up.shape()), f = n.some({n.rows, n.half});
  const double size = f32 * static_cast<double>(x.elements()), wide = f32 * static_cast<double>(f.elements());
  all.push_back({"softmax", 2 * size, 0, [=, &s] { return B::try_softmax(s, y.view(), x.view()); }});
  all.push_back({"softmax_backward", 3 * size, 0, [=, &s] { return B::try_softmax_backward(s, z.view(), x.view(), y.view()); }});
  all.push_back({"rms_norm", 2 * size, 0, [=, &s] { return B::try_rms_norm(s, y.view(), inv.view(), x.view(), w.view(), 1e-6); }});
  all.push_back({"rms_norm_backward", 3 * size, 0,
                 [=, &s] { return B::try_rms_norm_backward(s, z.view(), dw.view(), y.view(), x.view(), w.view(), inv.view()); }});
  all.push_back({"swiglu", 3 * wide, 0, [=, &s] { return B::try_swiglu(s, f.view(), up.view()); }});
  all.push_back({"swiglu_backward", 5 * wide, 0, [=, &s] { return B::try_swiglu_backward(s, dup.view(), f.view(), up.view()); }});
  const std::int64_t head = n.width / n.heads;
  const T q = n.some({n.rows, n.heads, head}), turned = n.some(q.shape()), at = n.ids(n.rows, 512), table = n.some({512, head / 2});
  all.push_back({"rope", 2 * size, 0, [=, &s] { return B::try_rope(s, turned.view(), q.view(), at.view(), table.view(), table.view(), false); }});
}

void tables(Sizes& n, std::vector<Kernel>& all) {
  auto& s = n.stream();
  const T table = n.some({n.places, n.width}), ids = n.ids(n.rows, n.places), picked = n.some({n.rows, n.width});
  const double size = f32 * static_cast<double>(picked.elements()), whole = f32 * static_cast<double>(table.elements());
  all.push_back({"gather", 2 * size, 0, [=, &s] { return B::gather(s, picked.view(), table.view(), ids.view()), true; }});
  all.push_back({"scatter_add", 3 * size, 0, [=, &s] { return B::scatter_add(s, table.view(), ids.view(), picked.view()), true; }});
  const T m = n.some(table.shape()), v = n.some(table.shape());
  const AdamStep step{.lr = 1e-3, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .weight_decay = 0, .correction1 = 0.1, .correction2 = 0.01, .grad_scale = 1};
  all.push_back({"adamw_rows", 7 * size, 0, [=, &s] { return B::try_adamw_rows(s, table.view(), m.view(), v.view(), ids.view(), picked.view(), step); }});
  all.push_back({"adamw", 7 * whole, 0, [=, &s] { return B::try_adamw(s, table.view(), m.view(), v.view(), v.view(), step); }});
  std::vector<AdamViews> many;
  constexpr std::int64_t parameters = 128;
  for (std::int64_t i = 0; i < parameters; ++i) {
    const auto part = [&](const T& x) { return x.alias({n.places / parameters, n.width}, {n.width, 1}, i * (n.places / parameters) * n.width).view(); };
    many.push_back({part(table), part(m), part(v), part(v)});
  }
  all.push_back({"adamw_many", 7 * whole, 0, [=, &s] { return B::try_adamw_many(s, many, step); }});
  const T scores = n.some({8, n.places}), best = n.some({8, 100}), where = n.ids(8 * 100, 1);
  const View at = contiguous_view(where.view().data, DType::i32, {8, 100});
  all.push_back({"topk", f32 * static_cast<double>(scores.elements()), 0, [=, &s] { return B::topk(s, best.view(), at, scores.view()), true; }});
}

void products(Sizes& n, std::vector<Kernel>& all) {
  auto& s = n.stream();
  const auto R = static_cast<double>(n.rows), D = static_cast<double>(n.width), F = static_cast<double>(n.half), P = static_cast<double>(n.places);
  const T x = n.some({n.rows, n.width}), w = n.some({2 * n.half, n.width}), y = n.some({n.rows, 2 * n.half}), dx = n.some(x.shape()), dw = n.some(w.shape());
  View wt = w.view();
  std::swap(wt.shape[0], wt.shape[1]);
  std::swap(wt.strides[0], wt.strides[1]);
  all.push_back({"matmul", 0, 4 * R * F * D, [=, &s] { return B::matmul(s, y.view(), x.view(), wt, 0), true; }});
  const T bias = n.some({2 * n.half}), db = n.some({2 * n.half});
  all.push_back({"linear", 0, 4 * R * F * D, [=, &s] { return B::try_linear(s, y.view(), x.view(), w.view(), bias.view(), true); }});
  all.push_back({"linear_backward", 0, 8 * R * F * D, [=, &s] {
    return B::try_linear_backward(s, dx.view(), dw.view(), db.view(), y.view(), x.view(), w.view(), y.view(), true);
  }});
  const std::int64_t asked = n.rows / 4;  // a place token of each action
  const T h = n.some({asked, n.width}), dh = n.some(h.shape()), vocabulary = n.some({n.places, n.width}), dv = n.some(vocabulary.shape());
  const T nll = n.some({asked}), lse = n.some({asked}), target = n.ids(asked, n.places);
  all.push_back({"linear_cross_entropy", 0, R / 2 * D * P, [=, &s] {
    return B::try_linear_cross_entropy(s, nll.view(), lse.view(), h.view(), vocabulary.view(), target.view());
  }});
  all.push_back({"linear_cross_entropy_backward", 0, 3 * R / 2 * D * P, [=, &s] {  // logits once more, then both gradients
    return B::try_linear_cross_entropy_backward(s, dh.view(), dv.view(), nll.view(), h.view(), vocabulary.view(), target.view(), lse.view());
  }});
}

/// Two sequences; causal products of half the square, two in the forward and five in the backward pass.
void attention(Sizes& n, std::vector<Kernel>& all) {
  auto& s = n.stream();
  const std::int64_t head = n.width / n.heads;
  const Shape shape{n.rows, n.heads, head};
  std::vector<std::int32_t> every(static_cast<std::size_t>(n.rows));
  std::iota(every.begin(), every.end(), 0);
  const auto half = static_cast<std::int32_t>(n.rows / 2);
  const T offsets = n.list({0, half, static_cast<std::int32_t>(n.rows)}, {3}), asks = n.list(every, {n.rows});
  const T q = n.some(shape), k = n.some(shape), v = n.some(shape), out = n.some(shape), dout = n.some(shape), dq = n.some(shape), dk = n.some(shape), dv = n.some(shape);
  const T lse = n.some({n.rows, n.heads});
  const double pairs = 2 * 0.5 * half * (half + 1.0), product = 2 * pairs * static_cast<double>(n.width);
  const auto layout = [=] { return AttentionLayout{offsets.view(), asks.view(), {}}; };
  all.push_back({"attention", 0, 2 * product, [=, &s] {
    return B::try_attention(s, out.view(), lse.view(), q.view(), k.view(), v.view(), layout(), 0.1);
  }});
  all.push_back({"attention_backward", 0, 5 * product, [=, &s] {
    return B::try_attention_backward(s, dq.view(), dk.view(), dv.view(), dout.view(), q.view(), k.view(), v.view(), out.view(), lse.view(), layout(), 0.1);
  }});
}

/// Two sequences of 128 actions that all look at each other; five relations and four heads, as the history pointer has them.
void pointer(Sizes& n, std::vector<Kernel>& all) {
  auto& s = n.stream();
  const std::int64_t heads = 4, pairs = 2 * 128 * 128;
  const T content = n.some({2, heads, 128, 128}), scores = n.some(content.shape());
  std::vector<Relation<B>> relations;
  for (const std::int64_t rows : {20, 26, 14, 17, 4}) relations.push_back({n.some({rows, heads}), reshape(n.ids(pairs, rows), {2, 128, 128})});
  const auto views = [=] {
    std::vector<RelationViews> at;
    for (const Relation<B>& r : relations) at.push_back({r.table.view(), r.bins.view()});
    return at;
  };
  const double size = f32 * static_cast<double>(pairs) * static_cast<double>(std::ssize(relations) + 2 * heads);
  all.push_back({"pointer_scores", size, 0, [=, &s] { return B::try_pointer_scores(s, scores.view(), content.view(), views(), 0.2, 1); }});
  all.push_back({"pointer_scores_backward", size, 0, [=, &s] {
    return B::try_pointer_scores_backward(s, scores.view(), content.view(), views(), 0.2, 1);
  }});
}

struct Speeds {
  double copy, product;  ///< bytes and FLOPs a second
};

Speeds speeds(Sizes& n) {
  auto& s = n.stream();
  const T from = n.some({1 << 26}), to = n.some(from.shape()), a = n.some({4096, 4096}), b = n.some(a.shape()), c = n.some(a.shape());
  const double copied = 2 * f32 * static_cast<double>(from.elements()), multiplied = 2 * 4096.0 * 4096 * 4096;
  return {copied / seconds(s, [&] { return B::copy(s, to.view(), from.view()), true; }),
          multiplied / seconds(s, [&] { return B::matmul(s, c.view(), a.view(), b.view(), 0), true; })};
}

using Family = void (*)(Sizes&, std::vector<Kernel>&);
constexpr Family families[] = {elementwise, rows, tables, products, attention, pointer};

// H100 SXM5 80 GB: 3.35 TB/s of memory, 66.9 TFLOP/s in f32 without tensor cores, which is what IEEE products take.
constexpr Speeds h100{3.35e12, 66.9e12};

void print_paper(Sizes& sizes) {
  std::printf("| kernel | MB | GFLOP | floor, us |\n|---|---:|---:|---:|\n");
  for (const Family family : families) {
    std::vector<Kernel> kernels;
    family(sizes, kernels);
    for (const Kernel& kernel : kernels)
      std::printf("| %s | %.1f | %.2f | %.1f |\n", kernel.name.c_str(), kernel.bytes * 1e-6, kernel.flops * 1e-9,
                  std::max(kernel.bytes / h100.copy, kernel.flops / h100.product) * 1e6);
  }
}

any_backend::stream stream_of(const std::string& backend) {
#ifdef CHRONOTOPE_HAVE_CUDA
  if (backend == "cuda") return any_stream<cuda_backend>();
#endif
#ifdef CHRONOTOPE_HAVE_ONEDNN
  if (backend == "onednn") return any_stream<onednn_backend>();
#endif
  throw ConfigError("bench_floors was built without the backend " + backend);
}

void run(const std::string& backend, std::int64_t rows_wanted, std::int64_t places) {
  const bool paper = backend == "paper";
  Sizes sizes(stream_of(paper ? "onednn" : backend), rows_wanted, places);
  if (paper) return print_paper(sizes);
  const Speeds most = speeds(sizes);
  std::printf("{\"kernel\":\"copy\",\"bytes_per_second\":%.4g}\n{\"kernel\":\"large matmul\",\"flops_per_second\":%.4g}\n", most.copy, most.product);
  for (const Family family : families) {
    std::vector<Kernel> kernels;
    family(sizes, kernels);
    for (const Kernel& kernel : kernels) {
      if (!kernel.run()) {
        std::printf("{\"kernel\":\"%s\",\"covered\":false}\n", kernel.name.c_str());
        continue;
      }
      const double took = seconds(sizes.stream(), kernel.run), floor = std::max(kernel.bytes / most.copy, kernel.flops / most.product);
      std::printf("{\"kernel\":\"%s\",\"us\":%.1f,\"floor_us\":%.1f,\"share\":%.3f}\n", kernel.name.c_str(), took * 1e6, floor * 1e6, floor / took);
      std::fflush(stdout);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? argv[1] : "onednn", argc > 2 ? std::atoll(argv[2]) : 1024, argc > 3 ? std::atoll(argv[3]) : 400000);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 2;
  }
}
