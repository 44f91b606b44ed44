#pragma once
// out = f(in...) element by element: where all lie densely, 16 bytes of the widest type at a time.

#include <algorithm>

#include "chronotope/core/shape.hpp"
#include "cpu/arithmetic.hpp"
#include "pack.hpp"
#include "walk.hpp"

namespace chronotope::cuda {

/// The elements as a type of their size.
template <class T> T* data_of(const View& v) { return static_cast<T*>(v.data); }

template <int V, class F, class R, class... T> __global__ void map_dense(std::int64_t n, F f, R* out, const T*... in) {
  const std::int64_t packs = n / V;
  for (std::int64_t i = first_item(); i < packs; i += item_step()) {
    Pack<R, V> result;
    const auto compute = [&](const Pack<T, V>... from) {  // by value: one load each
      for (int v = 0; v < V; ++v) result.value[v] = static_cast<R>(f(from.value[v]...));
    };
    compute(reinterpret_cast<const Pack<T, V>*>(in)[i]...);
    reinterpret_cast<Pack<R, V>*>(out)[i] = result;
  }
  for (std::int64_t i = packs * V + first_item(); i < n; i += item_step()) out[i] = static_cast<R>(f(in[i]...));
}

template <class R, class F, std::size_t... I, class... T, std::size_t N>
__device__ R value_at(const F& f, const std::int64_t (&at)[N], std::index_sequence<I...>, const T*... in) {
  return static_cast<R>(f(in[at[I + 1]]...));
}

template <class F, class R, class... T>
__global__ void map_strided(Walk<1 + static_cast<int>(sizeof...(T))> walk, F f, R* out, const T*... in) {
  for (std::int64_t i = first_item(); i < walk.elements; i += item_step()) {
    std::int64_t at[1 + sizeof...(T)];
    walk.locate(i, at);
    out[at[0]] = value_at<R>(f, at, std::index_sequence_for<T...>{}, in...);
  }
}

/// The types of the elements, the output's first, are given; f is called on the device.
template <class R, class... T, class F, class... V>
void map(const Queue& queue, const char* operation, F f, const View& out, const V&... in) {
  constexpr int threads = 128;
  const auto loop = cpu::make_loop(out, in...);
  const Walk<1 + static_cast<int>(sizeof...(T))> walk(loop);
  if (walk.elements == 0) return;
  constexpr std::size_t widest = std::max({sizeof(R), sizeof(T)...});
  constexpr int pack = static_cast<int>(16 / widest);
  if (is_dense(loop) && fits_packs<R, pack>(data_of<R>(out)) && (fits_packs<T, pack>(data_of<T>(in)) && ...))
    launch(queue, operation, map_dense<pack, F, R, T...>, blocks_for(walk.elements, threads * pack), threads, walk.elements, f,
           data_of<R>(out), data_of<T>(in)...);
  else
    launch(queue, operation, map_strided<F, R, T...>, blocks_for(walk.elements, threads), threads, walk, f, data_of<R>(out),
           data_of<T>(in)...);
}

}  // namespace chronotope::cuda
