// Rotary position embedding, halves paired.
#include "fused.hpp"
#include "ids.hpp"
#include "rows.hpp"
#include "walk.hpp"

namespace chronotope::cuda {

namespace {

/// Where [T, H, D] lies whose last axis is dense.
template <class T> struct Heads {
  T* data;
  std::int64_t token, head;  ///< strides
  explicit Heads(const View& v) : data(v.as<T>()), token(v.strides[0]), head(v.strides[1]) {}
};

/// A thread has both numbers of V pairs, so y may be x.
template <class T, int V> struct Rope {
  Heads<T> y, x;
  Ids position;
  Rows<T> cos, sin;
  std::int64_t heads, half;
  Divider by_half;
  T direction;

  template <class Team> __device__ void row(std::int64_t token) const {
    const std::int64_t at = position.at(token);
    if (!position.inside(at)) {
      if (threadIdx.x == 0) position.report(at, token);
      return;
    }
    const T *cosines = cos.row(at), *sines = sin.row(at);
    for (std::int64_t i = threadIdx.x * V; i < heads * half; i += Team::threads * V) {
      const std::int64_t h = by_half.of(static_cast<std::uint32_t>(i)), j = i - h * half;
      const T* from = x.data + token * x.token + h * x.head + j;
      T* to = y.data + token * y.token + h * y.head + j;
      turn(to, load(from), load(from + half), load(cosines + j), load(sines + j));
    }
  }
  using Some = Pack<T, V>;
  __device__ static Some load(const T* at) { return *reinterpret_cast<const Some*>(at); }
  __device__ void turn(T* to, const Some first, const Some second, const Some c, const Some s) const {
    Some one, other;
    for (int v = 0; v < V; ++v) {
      const T sine = s.value[v] * direction;
      one.value[v] = first.value[v] * c.value[v] - second.value[v] * sine;
      other.value[v] = second.value[v] * c.value[v] + first.value[v] * sine;
    }
    *reinterpret_cast<Some*>(to) = one;
    *reinterpret_cast<Some*>(to + half) = other;
  }
};

bool covers(const View& y, const View& x, const View& position, const View& cos, const View& sin) {
  if (!are_like_rows(cos, sin) || x.dtype != cos.dtype || y.dtype != x.dtype || x.shape.rank() != 3 || !(y.shape == x.shape)) return false;
  if (x.shape[2] != 2 * cos.shape[1] || (x.shape[2] > 1 && (x.strides[2] != 1 || y.strides[2] != 1))) return false;
  if (position.dtype != DType::i32 || !(position.shape == Shape{x.shape[0]})) return false;
  return Shape{x.shape[1], x.shape[2]}.elements() < std::int64_t{1} << 31;  // Divider
}

}  // namespace

bool rope(const Queue& queue, const View& y, const View& x, const View& position, const View& cos, const View& sin, bool inverse) {
  if (!covers(y, x, position, cos, sin)) return false;
  if (x.elements() == 0) return true;
  const std::int64_t heads = x.shape[1], half = cos.shape[1];
  with_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    with_packs<T>(are_packs<T>(half, y, x, cos, sin), [&](auto pack) {
      const Rope<T, pack()> task{Heads<T>(y), Heads<T>(x), Ids(queue, position, cos.shape[0], false), Rows<T>(cos), Rows<T>(sin), heads, half,
                                 Divider::by(static_cast<std::uint32_t>(half)), inverse ? T{-1} : T{1}};
      for_rows(queue, "rope", x.shape[0], heads * half, task);
    });
  });
  return true;
}

}  // namespace chronotope::cuda
