// Attention of sequences that branch beside plain causal attention over about as many visible (query, key) pairs, 32 heads
// of 24, f32: nanoseconds a pair of all heads, medians of five interleaved measurements.
//   bench_attention [threads] [rounds]     of several rounds the least median counts

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "chronotope/backend/onednn_backend.hpp"

namespace {

using namespace chronotope;
using Backend = onednn_backend;
using Ids = std::vector<std::int32_t>;

constexpr std::int64_t heads = 32, width = 24;
constexpr int samples = 5;
constexpr double seconds_a_sample = 0.02;

/// Roots of `root` tokens, each followed by `branches` of `own` tokens; either all tokens ask or those of branches.
struct Layout {
  Ids offsets{0}, prefix, rows;
  double pairs = 0;

  Layout(int roots, std::int32_t root, int branches, std::int32_t own, bool all_ask) {
    for (int i = 0; i < roots; ++i) {
      const std::int32_t begin = offsets.back();
      add(root, 0, 0, all_ask);
      for (int b = 0; b < branches; ++b) add(own, begin, begin + root, true);
    }
  }
  void add(std::int32_t tokens, std::int32_t begin, std::int32_t end, bool asks) {
    for (std::int32_t t = 0; asks && t < tokens; ++t) {
      rows.push_back(offsets.back() + t);
      pairs += end - begin + t + 1;
    }
    offsets.push_back(offsets.back() + tokens);
    prefix.insert(prefix.end(), {begin, end});
  }
};

View list(Ids& values, const Shape& shape) { return contiguous_view(values.data(), DType::i32, shape); }

/// A layout with operands as the decoder has them: q, k and v slices of one tensor.
class Problem {
 public:
  Problem(Backend::stream& s, Layout l) : stream_(s), layout_(std::move(l)) {
    tokens_ = layout_.offsets.back();
    queries_ = static_cast<std::int64_t>(layout_.rows.size());
    std::mt19937 random(1);
    std::normal_distribution<float> draw;
    for (auto* values : {&qkv_, &q_, &out_, &dout_, &dq_, &dkv_})
      values->resize(static_cast<std::size_t>((values == &qkv_ || values == &dkv_ ? 3 * tokens_ : queries_) * heads * width));
    lse_.resize(static_cast<std::size_t>(queries_ * heads));
    for (auto* values : {&qkv_, &q_, &dout_})
      for (float& x : *values) x = draw(random);
  }
  double pairs() const { return layout_.pairs; }
  void forward() {
    if (!Backend::try_attention(stream_, rows(out_), lse(), q(), part(qkv_, 1), part(qkv_, 2), layout(), scale)) std::abort();
  }
  void backward() {
    if (!Backend::try_attention_backward(stream_, rows(dq_), part(dkv_, 1), part(dkv_, 2), rows(dout_), q(), part(qkv_, 1), part(qkv_, 2),
                                         rows(out_), lse(), layout(), scale))
      std::abort();
  }

 private:
  static constexpr double scale = 0.2;
  View rows(std::vector<float>& x) { return contiguous_view(x.data(), DType::f32, {queries_, heads, width}); }
  View lse() { return contiguous_view(lse_.data(), DType::f32, {queries_, heads}); }
  View part(std::vector<float>& x, int i) {
    View view = contiguous_view(x.data() + i * heads * width, DType::f32, {tokens_, heads, width});
    view.strides[0] = 3 * heads * width;
    return view;
  }
  View q() { return queries_ == tokens_ ? part(qkv_, 0) : rows(q_); }
  AttentionLayout layout() {
    const auto segments = static_cast<std::int64_t>(layout_.offsets.size()) - 1;
    const bool plain = std::all_of(layout_.prefix.begin(), layout_.prefix.end(), [](auto x) { return x == 0; });
    return {list(layout_.offsets, {segments + 1}), list(layout_.rows, {queries_}), plain ? View() : list(layout_.prefix, {segments, 2})};
  }

  Backend::stream& stream_;
  Layout layout_;
  std::int64_t tokens_ = 0, queries_ = 0;
  std::vector<float> qkv_, q_, out_, dout_, dq_, dkv_, lse_;
};

template <class F> double seconds(F&& f, int times) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / times;
}

double median(std::vector<double> x) {
  std::nth_element(x.begin(), x.begin() + samples / 2, x.end());
  return x[samples / 2];
}

/// Least medians of two things over `rounds`, measured in turns.
template <class F, class G> std::pair<double, double> compare(F&& f, G&& g, int rounds) {
  std::pair<double, double> best{1e9, 1e9};
  const int times_f = 1 + static_cast<int>(seconds_a_sample / seconds(f, 1)), times_g = 1 + static_cast<int>(seconds_a_sample / seconds(g, 1));
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> a, b;
    for (int i = 0; i < samples; ++i) a.push_back(seconds(f, times_f)), b.push_back(seconds(g, times_g));
    best = {std::min(best.first, median(a)), std::min(best.second, median(b))};
  }
  return best;
}

void report(const char* name, const char* pass, const Problem& plain, const Problem& branched, std::pair<double, double> times) {
  const double a = times.first / plain.pairs() * 1e9, b = times.second / branched.pairs() * 1e9;
  std::printf("%-34s %-9s %9.0f pairs: %7.3f ms, %6.2f ns a pair; plain %9.0f pairs: %6.2f ns a pair; ratio %.3f\n", name, pass, branched.pairs(),
              times.second * 1e3, b, plain.pairs(), a, b / a);
}

void run(const char* name, const Layout& branched, int sequences, int threads, int rounds) {
  Backend::stream s(threads);
  const auto length = static_cast<std::int32_t>(std::lround(std::sqrt(2 * branched.pairs / sequences) - 0.5));
  Problem one(s, branched), other(s, Layout(sequences, length, 0, 0, true));
  report(name, "forward", other, one, compare([&] { other.forward(); }, [&] { one.forward(); }, rounds));
  report(name, "backward", other, one, compare([&] { other.backward(); }, [&] { one.backward(); }, rounds));
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 2, rounds = argc > 2 ? std::atoi(argv[2]) : 3;
  run("513 + 11 x 2, all ask", Layout(1, 513, 11, 2, true), 1, threads, rounds);
  run("513 + 256 x 2, all ask", Layout(1, 513, 256, 2, true), 1, threads, rounds);
  run("4 x (513 + 11 x 2), all ask", Layout(4, 513, 11, 2, true), 4, threads, rounds);
  run("513 + 11 x 2, candidates ask", Layout(1, 513, 11, 2, false), 1, threads, rounds);
  run("513 + 256 x 2, candidates ask", Layout(1, 513, 256, 2, false), 1, threads, rounds);
  run("128 + 256 x 2, candidates ask", Layout(1, 128, 256, 2, false), 1, threads, rounds);
  return 0;
}
