// Kernels of the CPU backend at the sizes of a 768 wide Spacetime-GR. Counters: FLOP/s of products, B/s that must move
// through memory for the rest. One argument of the program picks: --benchmark_filter=gemm.

#include <benchmark/benchmark.h>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "chronotope/backend/onednn_backend.hpp"

namespace {

using namespace chronotope;
using Backend = onednn_backend;

/// A dense tensor of random numbers.
class Data {
 public:
  Data(Backend::stream& s, const Shape& shape, DType dtype = DType::f32) : stream_(s), shape_(shape), dtype_(dtype) {
    memory_ = Backend::allocate(s, size_of(dtype) * static_cast<std::size_t>(shape.elements()) + 1);
    static std::mt19937 generator(1);
    std::uniform_real_distribution<float> draw(-1, 1);
    for (std::int64_t i = 0; i < shape.elements(); ++i) {
      if (dtype == DType::f32) static_cast<float*>(memory_)[i] = draw(generator);
      else static_cast<std::int32_t*>(memory_)[i] = static_cast<std::int32_t>(generator() % 128);
    }
  }
  ~Data() { Backend::deallocate(stream_, memory_); }
  Data(const Data&) = delete;
  Data& operator=(const Data&) = delete;
  operator View() const { return contiguous_view(memory_, dtype_, shape_); }

 private:
  Backend::stream& stream_;
  Shape shape_;
  DType dtype_;
  void* memory_;
};

View transposed(View v) {
  std::swap(v.shape[0], v.shape[1]);
  std::swap(v.strides[0], v.strides[1]);
  return v;
}

void count_bytes(benchmark::State& state, double bytes) {
  state.counters["B/s"] =
      benchmark::Counter(bytes, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

void count_products(benchmark::State& state, double products) {
  state.counters["FLOP/s"] =
      benchmark::Counter(2 * products, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

// forward: x [rows, in] w [out, in]^T; input: dy [rows, out] w; weight: dy^T x
enum class Pass { forward, input, weight };

void gemm(benchmark::State& state, Pass pass) {
  Backend::stream s(static_cast<int>(state.range(3)));
  const std::int64_t rows = state.range(0), out = state.range(1), in = state.range(2);
  const Data x(s, {rows, in}), w(s, {out, in}), y(s, {rows, out});
  for (auto _ : state) {
    if (pass == Pass::forward) Backend::matmul(s, y, x, transposed(w), 0);
    else if (pass == Pass::input) Backend::matmul(s, x, y, w, 0);
    else Backend::matmul(s, w, transposed(y), x, 0);
  }
  count_products(state, static_cast<double>(rows) * static_cast<double>(out) * static_cast<double>(in));
}

void gemm_shapes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"rows", "out", "in", "threads"});
  for (const std::int64_t threads : {1, 2}) {
    for (const std::int64_t rows : {256, 512, 2048}) {
      for (const auto& [out, in] : {std::pair{2304, 768}, {768, 768}, {4096, 768}, {768, 2048}, {4981, 768}})
        b->Args({rows, out, in, threads});
    }
  }
}
BENCHMARK_CAPTURE(gemm, forward, Pass::forward)->Apply(gemm_shapes)->UseRealTime();
BENCHMARK_CAPTURE(gemm, input, Pass::input)->Apply(gemm_shapes)->UseRealTime();
BENCHMARK_CAPTURE(gemm, weight, Pass::weight)->Apply(gemm_shapes)->UseRealTime();

void batched(benchmark::State& state) {
  Backend::stream s(static_cast<int>(state.range(1)));
  const std::int64_t n = state.range(0);
  const Data a(s, {n, 128, 32}), b(s, {n, 32, 128}), out(s, {n, 128, 128});
  for (auto _ : state) Backend::matmul(s, out, a, b, 0);
  count_products(state, static_cast<double>(n) * 128 * 128 * 32);
}
BENCHMARK(batched)->ArgNames({"batch", "threads"})->ArgsProduct({{32, 512}, {1, 2}})->UseRealTime();

constexpr std::int64_t rows = 2048, width = 768, half = 2048, heads = 32, head = 24;
constexpr double activations = 4.0 * rows * width;

/// Runs f(stream) for one and two threads; `bytes` is what it must read and write.
template <class Make> void hook(const char* name, double bytes, Make make) {
  for (const int threads : {1, 2}) {
    benchmark::RegisterBenchmark((std::string(name) + "/threads:" + std::to_string(threads)).c_str(),
                                 [=](benchmark::State& state) {
                                   Backend::stream s(threads);
                                   const auto run = make(s);
                                   for (auto _ : state) run();
                                   count_bytes(state, bytes);
                                 })
        ->UseRealTime();
  }
}

using Run = std::function<void()>;
using Shared = std::shared_ptr<Data>;
Shared data(Backend::stream& s, const Shape& shape, DType dtype = DType::f32) {
  return std::make_shared<Data>(s, shape, dtype);
}

void register_norms() {
  hook("rms_norm", 2 * activations, [](Backend::stream& s) -> Run {
    return [&s, x = data(s, {rows, width}), y = data(s, {rows, width}), w = data(s, {width}), inv = data(s, {rows})] {
      Backend::try_rms_norm(s, *y, *inv, *x, *w, 1e-5);
    };
  });
  hook("rms_norm_backward", 3 * activations, [](Backend::stream& s) -> Run {
    return [&s, x = data(s, {rows, width}), dy = data(s, {rows, width}), dx = data(s, {rows, width}),
            w = data(s, {width}), dw = data(s, {width}),
            inv = data(s, {rows})] { Backend::try_rms_norm_backward(s, *dx, *dw, *dy, *x, *w, *inv); };
  });
  hook("layer_norm", 2 * activations, [](Backend::stream& s) -> Run {
    return [&s, x = data(s, {rows, width}), y = data(s, {rows, width}), w = data(s, {width}), mean = data(s, {rows}),
            inv = data(s, {rows})] { Backend::try_layer_norm(s, *y, *mean, *inv, *x, *w, *w, 1e-5); };
  });
  hook("layer_norm_backward", 3 * activations, [](Backend::stream& s) -> Run {
    return [&s, x = data(s, {rows, width}), dy = data(s, {rows, width}), dx = data(s, {rows, width}),
            w = data(s, {width}), dw = data(s, {width}), db = data(s, {width}), mean = data(s, {rows}),
            inv = data(s, {rows})] { Backend::try_layer_norm_backward(s, *dx, *dw, *db, *dy, *x, *w, *mean, *inv); };
  });
  hook("softmax", 2 * activations, [](Backend::stream& s) -> Run {
    return [&s, x = data(s, {rows, width}), y = data(s, {rows, width})] { Backend::try_softmax(s, *y, *x); };
  });
  hook("softmax_backward", 3 * activations, [](Backend::stream& s) -> Run {
    return [&s, dy = data(s, {rows, width}), y = data(s, {rows, width}), dx = data(s, {rows, width})] {
      Backend::try_softmax_backward(s, *dx, *dy, *y);
    };
  });
}

void register_layers() {
  hook("rope", 2 * activations, [](Backend::stream& s) -> Run {
    return [&s, qkv = data(s, {rows, 3, heads, head}), y = data(s, {rows, heads, head}), cos = data(s, {128, head / 2}),
            sin = data(s, {128, head / 2}), position = data(s, {rows}, DType::i32)] {
      View q = *qkv;
      q.shape = {rows, heads, head};
      q.strides = {3 * width, head, 1};
      Backend::try_rope(s, *y, q, *position, *cos, *sin, false);
    };
  });
  hook("swiglu", 4.0 * rows * half * 3, [](Backend::stream& s) -> Run {
    return [&s, x = data(s, {rows, 2 * half}), y = data(s, {rows, half})] { Backend::try_swiglu(s, *y, *x); };
  });
  hook("swiglu_backward", 4.0 * rows * half * 5, [](Backend::stream& s) -> Run {
    return [&s, x = data(s, {rows, 2 * half}), dy = data(s, {rows, half}), dx = data(s, {rows, 2 * half})] {
      Backend::try_swiglu_backward(s, *dx, *dy, *x);
    };
  });
  hook("dropout", 2 * activations, [](Backend::stream& s) -> Run {
    return [&s, x = data(s, {rows, width}), y = data(s, {rows, width})] { Backend::try_dropout(s, *y, *x, 0.1, 1, 2); };
  });
  hook("uniform", activations, [](Backend::stream& s) -> Run {
    return [&s, y = data(s, {rows, width})] { Backend::uniform(s, *y, 1, 2); };
  });
}

void register_optimizer() {
  constexpr std::int64_t weights = std::int64_t{24} << 20;
  static constexpr AdamStep step{1e-3, 0.9, 0.999, 1e-8, 0.01, 0.1, 0.001, 1};
  hook("adamw", 7 * 4.0 * weights, [](Backend::stream& s) -> Run {
    return [&s, p = data(s, {weights}), m = data(s, {weights}), v = data(s, {weights}), g = data(s, {weights})] {
      Backend::unary(s, Unary::abs, *v, *v);
      Backend::try_adamw(s, *p, *m, *v, *g, step);
    };
  });
  hook("sum_squares", 4.0 * weights, [](Backend::stream& s) -> Run {
    return [&s, x = data(s, {weights}), out = data(s, {})] { Backend::try_sum_squares(s, *out, *x); };
  });
}

void register_primitives() {
  hook("add", 3 * activations, [](Backend::stream& s) -> Run {
    return
        [&s, a = data(s, {rows, width}), b = data(s, {rows, width})] { Backend::binary(s, Binary::add, *a, *a, *b); };
  });
  hook("exp", 2 * activations, [](Backend::stream& s) -> Run {
    return [&s, x = data(s, {rows, width}), y = data(s, {rows, width})] { Backend::unary(s, Unary::exp, *y, *x); };
  });
  hook("transpose", 2 * activations, [](Backend::stream& s) -> Run {
    return [&s, x = data(s, {rows, width}), y = data(s, {width, rows})] { Backend::copy(s, *y, transposed(*x)); };
  });
  hook("sum over rows", activations, [](Backend::stream& s) -> Run {
    return [&s, x = data(s, {rows, width}), y = data(s, {1, width})] { Backend::reduce(s, Reduction::sum, *y, *x); };
  });
  hook("sum of each row", activations, [](Backend::stream& s) -> Run {
    return [&s, x = data(s, {rows, width}), y = data(s, {rows, 1})] { Backend::reduce(s, Reduction::sum, *y, *x); };
  });
  hook("topk 10 of 768", activations, [](Backend::stream& s) -> Run {
    return [&s, x = data(s, {rows, width}), y = data(s, {rows, 10}), at = data(s, {rows, 10}, DType::i32)] {
      Backend::topk(s, *y, *at, *x);
    };
  });
}

}  // namespace

int main(int argc, char** argv) {
  register_norms();
  register_layers();
  register_optimizer();
  register_primitives();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
