// f32 to bf16, operands of products that then run on tensor cores. 6 bytes an element are moved, and nothing else costs anything: a thread
// loads 32 bytes at once where rows are dense and begin at multiples of 16, and stores 16. The product reads back half of what it would read of f32.
#include "bf16.hpp"

#include <bit>

#include "map.hpp"

namespace chronotope::cuda {

namespace {

constexpr int pack = 8;  ///< elements of 16 bytes

__device__ std::uint16_t rounded(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if (x != x) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);  // quiet, whatever bits were its payload
  return static_cast<std::uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

/// The walk is over rows and packs, of which `across` are in a row; `step` from element to element. What lies behind a row stays as it is.
template <bool dense>
__global__ void convert(Walk<2> walk, std::int64_t across, std::int64_t columns, std::int64_t step, std::uint16_t* to, const float* from) {
  for (std::int64_t i = first_item(); i < walk.elements; i += item_step()) {
    std::int64_t at[2];
    walk.locate(i, at);
    const std::int64_t left = columns % pack == 0 ? pack : columns - i % across * pack;
    const float* in = from + at[1];
    std::uint16_t* out = to + at[0];
    if (left < pack) {
      for (std::int64_t j = 0; j < left; ++j) out[j] = rounded(in[j * step]);
      continue;
    }
    Pack<float, 4> values[2];
    Pack<std::uint16_t, pack> result;
    if constexpr (dense) {
      values[0] = reinterpret_cast<const Pack<float, 4>*>(in)[0];
      values[1] = reinterpret_cast<const Pack<float, 4>*>(in)[1];
    } else {
      for (int j = 0; j < pack; ++j) values[j / 4].value[j % 4] = in[j * step];
    }
    for (int j = 0; j < pack; ++j) result.value[j] = rounded(values[j / 4].value[j % 4]);
    *reinterpret_cast<Pack<std::uint16_t, pack>*>(out) = result;
  }
}

/// Whether the elements are dense and all rows begin at multiples of 16 bytes.
bool has_packs(const View& v) {
  const int rank = v.shape.rank();
  bool whole = fits_packs<float, 4>(v.as<float>()) && (v.shape[-1] == 1 || v.strides[rank - 1] == 1);
  for (int axis = 0; axis < rank - 1; ++axis) whole = whole && (v.shape[axis] == 1 || v.strides[axis] % 4 == 0);
  return whole;
}

}  // namespace

Bf16Layout::Bf16Layout(const View& matrices) : from(matrices) {
  const int rank = from.shape.rank();
  pitch = (from.shape[-1] + pack - 1) / pack * pack;
  std::int64_t elements = from.shape[-2] * pitch;
  for (int axis = rank - 3; axis >= 0; --axis) {
    if (from.strides[axis] == 0) from.shape[axis] = 1;
    if (from.shape[axis] == 1) continue;
    strides[axis] = elements;
    elements *= from.shape[axis];
  }
  bytes = static_cast<std::size_t>(elements) * sizeof(std::uint16_t);
}

void to_bf16(const Queue& queue, void* to, const Bf16Layout& layout) {
  constexpr int threads = 128;
  const int rank = layout.from.shape.rank();
  const std::int64_t columns = layout.from.shape[-1], across = layout.pitch / pack, step = layout.from.strides[rank - 1];
  Shape packs = layout.from.shape;
  packs[rank - 1] = across;
  Strides out = layout.strides, in = layout.from.strides;
  out[rank - 2] = layout.pitch, out[rank - 1] = pack, in[rank - 1] = step * pack;
  const Walk<2> walk(cpu::make_loop(packs, 0, rank, out, in));
  const auto run = [&](auto* kernel) {
    launch(queue, "matmul", kernel, blocks_for(walk.elements, threads), threads, walk, across, columns, step, static_cast<std::uint16_t*>(to),
           layout.from.as<float>());
  };
  if (has_packs(layout.from)) run(convert<true>);
  else run(convert<false>);
}

}  // namespace chronotope::cuda
