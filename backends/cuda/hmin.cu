// The interest unit forwards: see hmin.hpp.
#include "hmin.hpp"

namespace chronotope::cuda {

namespace {

bool shapes_agree(const HminViews& x) {
  if (x.query.shape.rank() != 3 || x.keys.shape.rank() != 3 || x.mask.shape.rank() != 3 || x.weight2.shape.rank() != 3) return false;
  const HminSizes n(x);
  return x.keys.shape == Shape{n.samples, n.kept, n.width} && x.mask.shape == Shape{n.samples, n.masks, n.kept} &&
         x.valid.shape == Shape{n.samples, n.kept} && x.temperature.shape == Shape{1} && x.weight1.shape == Shape{n.inner(), n.width} &&
         x.bias1.shape == Shape{n.inner()} && x.bias2.shape == Shape{n.heads, n.out};
}

/// The second layers' biases, where there are behaviours; products are added to them.
template <class T> struct StartOut {
  std::int64_t kept, columns, elements;  ///< columns of H O, elements of a sample
  const std::uint8_t* valid;
  const T* bias;
  T* out;

  template <class Team> __device__ void row(std::int64_t b) const {
    const bool any = has_any<Team>(valid + b * kept, kept);
    each_element<Team>(elements, [&](std::int64_t i) { out[b * elements + i] = any ? bias[i % columns] : T{0}; });
  }
};

template <class T> void forward(const Queue& queue, cuda_backend::stream& s, const View& out, const HminViews& x) {
  const HminSizes all(x);
  const std::int64_t elements = all.rows() * all.outer();
  for_rows(queue, "hmin", all.samples, std::max(all.kept, elements),
           StartOut<T>{all.kept, all.outer(), elements, x.valid.as<std::uint8_t>(), x.bias2.as<T>(), out.as<T>()});
  for_chunks<T>(queue, "hmin", x, false, [&](const HminChunk<T>& c) {
    hmin_pool(queue, s, "hmin", c, x.weight1);
    const std::int64_t rows = c.size.samples * all.rows();
    cuda_backend::matmul(s, head_views(out.as<T>() + c.first * elements, out.dtype, rows, all.heads, all.out),
                         head_views(c.pooled, out.dtype, rows, all.heads, all.hidden), flipped(x.weight2), 1);
  });
}

}  // namespace

bool covers_hmin(const HminViews& x, const View& out) {
  for (const View* v : {&x.query, &x.keys, &x.mask, &x.temperature, &x.weight1, &x.bias1, &x.weight2, &x.bias2})
    if (!is_floating(out.dtype) || v->dtype != out.dtype || !v->contiguous() || v->elements() == 0) return false;
  if (x.valid.dtype != DType::u8 || !x.valid.contiguous() || !shapes_agree(x)) return false;
  const HminSizes n(x);
  return out.contiguous() && out.shape == Shape{n.samples, n.rows(), n.outer()};
}

bool hmin(const Queue& queue, cuda_backend::stream& s, const View& out, const HminViews& x) {
  if (!covers_hmin(x, out)) return false;
  with_floating(out.dtype, [&](auto zero) { forward<decltype(zero)>(queue, s, out, x); });
  return true;
}

}  // namespace chronotope::cuda
