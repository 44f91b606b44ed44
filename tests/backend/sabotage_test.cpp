// The conformance suite must be able to fail: backends with one deliberate mistake each, all of which it has to report.
#ifdef CHRONOTOPE_HAVE_EIGEN
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "chronotope/backend/eigen_backend.hpp"
#ifdef CHRONOTOPE_HAVE_ONEDNN
#include "chronotope/backend/onednn_backend.hpp"
#endif
#include "chronotope/testing/conformance.hpp"
#include "cpu/loops.hpp"

using namespace chronotope;

namespace {

using V = const View&;
using Good = eigen_backend;

/// Runs the cases of one operation; the first failure must speak of it.
template <Backend B> void must_be_caught(const std::string& operation) {
  typename B::stream stream;
  const auto report = testing::run_conformance<B>(stream, {.operations = {operation}});
  CAPTURE(operation);
  REQUIRE(report.failed > 0);
  REQUIRE_FALSE(report.failures.empty());
  INFO(report.failures[0]);
  CHECK(report.failures[0].find(operation) != std::string::npos);
}

View as_contiguous(View v) {
  v.strides = contiguous_strides(v.shape);
  return v;
}

struct ignores_strides : Good {
  static void matmul(stream& s, V out, V a, V b, double beta) {
    // Of transposed matrices only: on repeated elements it would read beyond the block, for sanitizers to stop at.
    const bool dense = b.shape.rank() == 2 && b.strides[0] == 1 && b.strides[1] == b.shape[0];
    Good::matmul(s, out, a, dense ? as_contiguous(b) : b, beta);
  }
};
struct forgets_beta : Good {
  static void matmul(stream& s, V out, V a, V b, double) { Good::matmul(s, out, a, b, 0); }
};
struct reads_old_contents : Good {
  static void matmul(stream& s, V out, V a, V b, double beta) {
    View factor = out;
    const float value[] = {static_cast<float>(beta)};
    factor.data = const_cast<float*>(value);
    factor.strides = {};
    if (out.dtype != DType::f32) return Good::matmul(s, out, a, b, beta);
    Good::binary(s, Binary::mul, out, out, factor);
    Good::matmul(s, out, a, b, 1);
  }
};
struct skips_empty_sums : Good {
  static void matmul(stream& s, V out, V a, V b, double beta) {
    if (a.shape[-1] > 0) Good::matmul(s, out, a, b, beta);
  }
};
struct multiplies_in_bf16 : Good {
  static void matmul(stream& s, V out, V a, V b, double beta) {
    if (a.dtype != DType::f32) return Good::matmul(s, out, a, b, beta);
    std::vector<float> rounded(static_cast<std::size_t>(a.elements()));
    const View copy = contiguous_view(rounded.data(), DType::f32, a.shape);
    Good::copy(s, copy, a);
    for (float& x : rounded) {
      std::uint32_t bits;
      std::memcpy(&bits, &x, 4);
      bits &= 0xFFFF0000u;
      std::memcpy(&x, &bits, 4);
    }
    Good::matmul(s, out, copy, b, beta);
  }
};
struct writes_past_the_end : Good {
  static void fill(stream& s, V out, double value) {
    Good::fill(s, out, value);
    if (out.contiguous())
      Good::fill(s, {static_cast<char*>(out.data) + out.elements() * size_of(out.dtype), out.dtype, {}, {}}, value);
  }
};
struct writes_gaps : Good {
  static void fill(stream& s, V out, double value) {
    View dense = out;
    if (out.shape.rank() == 1 && out.shape[0] > 1) dense.shape[0] = (out.shape[0] - 1) * out.strides[0] + 1;
    if (out.shape.rank() == 1) dense.strides[0] = 1;
    Good::fill(s, dense, value);
  }
};
struct rounds_instead_of_truncating : Good {
  static void copy(stream& s, V out, V in) {
    if (out.dtype != DType::i32 || in.dtype != DType::f32) return Good::copy(s, out, in);
    std::vector<float> rounded(static_cast<std::size_t>(in.elements()));
    const View whole = contiguous_view(rounded.data(), DType::f32, in.shape);
    Good::copy(s, whole, in);
    for (float& x : rounded) x = std::round(x);
    Good::copy(s, out, whole);
  }
};
struct breaks_in_place : Good {
  static void unary(stream& s, Unary op, V out, V in) {
    if (op != Unary::recip) return Good::unary(s, op, out, in);
    Good::fill(s, out, 1);
    Good::binary(s, Binary::div, out, out, in);
  }
};
struct max_drops_nan : Good {
  static void binary(stream& s, Binary op, V out, V a, V b) {
    if (op != Binary::max || a.dtype != DType::f32 || !out.contiguous() || !a.contiguous() || !b.contiguous())
      return Good::binary(s, op, out, a, b);
    for (std::int64_t i = 0; i < out.elements(); ++i)
      out.as<float>()[i] = std::fmax(a.as<float>()[i], b.as<float>()[i]);
  }
};
struct changes_an_input : Good {
  static void binary(stream& s, Binary op, V out, V a, V b) {
    Good::binary(s, op, out, a, b);
    if (op == Binary::sub) Good::unary(s, Unary::abs, b, b);
  }
};
struct takes_only_one_for_true : Good {
  static void select(stream& s, V out, V cond, V a, V b) {
    std::vector<std::uint8_t> one(static_cast<std::size_t>(cond.elements()));
    const View truth = contiguous_view(one.data(), DType::u8, cond.shape);
    Good::copy(s, truth, cond);
    for (auto& c : one) c = c == 1;
    Good::select(s, out, truth, a, b);
  }
};
struct drifts : Good {
  static void reduce(stream& s, Reduction op, V out, V in) {
    if (op != Reduction::sum || in.dtype != DType::f32 || in.shape.rank() != 1 || out.shape[0] != 1 || !in.contiguous())
      return Good::reduce(s, op, out, in);
    float total = 0;
    for (std::int64_t i = 0; i < in.elements(); ++i) total += in.as<float>()[i];
    *out.as<float>() = total;
  }
};
struct leaves_empty_reductions : Good {
  static void reduce(stream& s, Reduction op, V out, V in) {
    if (in.elements() > 0) Good::reduce(s, op, out, in);
  }
};
struct starts_max_at_zero : Good {
  static void reduce(stream& s, Reduction op, V out, V in) {
    Good::reduce(s, op, out, in);
    if (op == Reduction::max && in.dtype == DType::i32) {
      const std::int32_t zero = 0;
      View least{const_cast<std::int32_t*>(&zero), DType::i32, out.shape, {}};
      Good::binary(s, Binary::max, out, out, least);
    }
  }
};
struct sums_exclusively : Good {
  static void cumsum(stream& s, V out, V in, int axis) {
    Good::cumsum(s, out, in, axis);
    Good::binary(s, Binary::sub, out, out, in);
  }
};
/// Ids as i64 with `change` applied to each.
template <class F> View changed_ids(std::vector<std::int64_t>& storage, V ids, F change) {
  storage.resize(static_cast<std::size_t>(ids.elements()));
  const View own = contiguous_view(storage.data(), DType::i64, ids.shape);
  cpu::copy(own, ids);
  for (auto& id : storage) id = change(id);
  return own;
}
struct gathers_off_by_one : Good {
  static void gather(stream& s, V out, V table, V ids) {
    std::vector<std::int64_t> storage;
    Good::gather(s, out, table, changed_ids(storage, ids, [&](auto id) { return id > 0 ? id - 1 : id; }));
  }
};
struct clamps_bad_ids : Good {
  static void gather(stream& s, V out, V table, V ids) {
    std::vector<std::int64_t> storage;
    const std::int64_t last = table.shape[0] - 1;
    Good::gather(s, out, table,
                 changed_ids(storage, ids, [&](auto id) { return std::clamp<std::int64_t>(id, 0, last); }));
  }
};
struct cuts_ids_to_32_bits : Good {
  static void scatter_add(stream& s, V table, V ids, V rows) {
    std::vector<std::int64_t> storage;
    Good::scatter_add(s, table, changed_ids(storage, ids, [](auto id) { return static_cast<std::int32_t>(id); }), rows);
  }
};
struct keeps_only_the_last_repeat : Good {
  static void scatter_add(stream& s, V table, V ids, V rows) {
    std::vector<std::int64_t> storage;
    const View own = changed_ids(storage, ids, [](auto id) { return id; });
    Good::scatter_add(s, table, own, rows);
    if (storage.size() == 20 && table.dtype == DType::f32 && storage[0] == storage[1]) {
      View first = rows;
      first.shape[0] = 1;
      std::vector<float> minus(static_cast<std::size_t>(first.elements()));
      const View negative = contiguous_view(minus.data(), DType::f32, first.shape);
      Good::unary(s, Unary::neg, negative, first);
      Good::scatter_add(s, table, contiguous_view(storage.data(), DType::i64, {1}), negative);
    }
  }
};
struct ranks_ties_backwards : Good {
  static void topk(stream& s, V values, V indices, V in) {
    Good::topk(s, values, indices, in);
    if (!values.contiguous() || !indices.contiguous() || in.dtype != DType::u8) return;
    for (std::int64_t i = 0; i + 1 < values.shape[1] && values.shape[0] > 0; ++i)
      if (values.as<std::uint8_t>()[i] == values.as<std::uint8_t>()[i + 1])
        std::swap(indices.as<std::int32_t>()[i], indices.as<std::int32_t>()[i + 1]);
  }
};
struct ranks_nan_first : Good {
  static void topk(stream& s, V values, V indices, V in) {
    Good::topk(s, values, indices, in);
    if (in.dtype != DType::f32 || values.shape[1] == 0) return;
    for (std::int64_t row = 0; row < in.shape[0]; ++row) {
      for (std::int64_t c = in.shape[1] - 1; c >= 0; --c) {
        const float x = in.as<float>()[row * in.strides[0] + c * in.strides[1]];
        if (std::isnan(x)) values.as<float>()[row * values.strides[0]] = x;
      }
    }
  }
};
struct draws_in_memory_order : Good {
  static void uniform(stream& s, V out, std::uint64_t seed, std::uint64_t counter) {
    View flat = out;
    if (out.shape.rank() == 2 && out.strides[0] == 1) {
      std::swap(flat.shape[0], flat.shape[1]);
      std::swap(flat.strides[0], flat.strides[1]);
    }
    Good::uniform(s, flat, seed, counter);
  }
};
struct halves_the_counter : Good {
  static void uniform(stream& s, V out, std::uint64_t seed, std::uint64_t counter) {
    Good::uniform(s, out, seed, static_cast<std::uint32_t>(counter));
  }
};
struct downloads_too_much : Good {
  static void download(stream& s, void* host, const void* device, std::size_t bytes) {
    Good::download(s, host, device, bytes);
    static_cast<char*>(host)[bytes] = 0;
  }
};
struct aligns_to_16 : Good {
  static void* allocate(stream& s, std::size_t bytes) { return static_cast<char*>(Good::allocate(s, bytes + 16)) + 16; }
  static void deallocate(stream& s, void* p) noexcept { Good::deallocate(s, static_cast<char*>(p) - 16); }
};
struct throws_on_rank_0 : Good {
  static void unary(stream& s, Unary op, V out, V in) {
    if (out.shape.rank() == 0) throw BackendError("rank 0 is not supported");
    Good::unary(s, op, out, in);
  }
};

}  // namespace

TEST_CASE("mistakes in products are caught") {
  must_be_caught<ignores_strides>("matmul");
  must_be_caught<forgets_beta>("matmul");
  must_be_caught<reads_old_contents>("matmul");
  must_be_caught<skips_empty_sums>("matmul");
  must_be_caught<multiplies_in_bf16>("matmul");
}

TEST_CASE("mistakes in elementwise work are caught") {
  must_be_caught<writes_past_the_end>("fill");
  must_be_caught<writes_gaps>("fill");
  must_be_caught<rounds_instead_of_truncating>("copy");
  must_be_caught<breaks_in_place>("unary");
  must_be_caught<throws_on_rank_0>("unary");
  must_be_caught<max_drops_nan>("binary");
  must_be_caught<changes_an_input>("binary");
  must_be_caught<takes_only_one_for_true>("select");
}

TEST_CASE("mistakes in reductions are caught") {
  must_be_caught<drifts>("reduce");
  must_be_caught<leaves_empty_reductions>("reduce");
  must_be_caught<starts_max_at_zero>("reduce");
  must_be_caught<sums_exclusively>("cumsum");
}

TEST_CASE("mistakes in indexing are caught") {
  must_be_caught<gathers_off_by_one>("gather");
  must_be_caught<clamps_bad_ids>("gather");
  must_be_caught<cuts_ids_to_32_bits>("scatter_add");
  must_be_caught<keeps_only_the_last_repeat>("scatter_add");
  must_be_caught<ranks_ties_backwards>("topk");
  must_be_caught<ranks_nan_first>("topk");
}

#ifdef CHRONOTOPE_HAVE_ONEDNN
namespace {

using Fused = onednn_backend;

AttentionLayout without_prefixes(AttentionLayout layout) {
  layout.prefix = {};
  return layout;
}
struct forgets_prefixes : Fused {
  static bool try_attention(stream& s, V out, V lse, V q, V k, V v, const AttentionLayout& l, double scale) {
    return Fused::try_attention(s, out, lse, q, k, v, without_prefixes(l), scale);
  }
};
struct forgets_prefixes_backward : Fused {
  static bool try_attention_backward(stream& s, V dq, V dk, V dv, V dout, V q, V k, V v, V out, V lse, const AttentionLayout& l, double scale) {
    return Fused::try_attention_backward(s, dq, dk, dv, dout, q, k, v, out, lse, without_prefixes(l), scale);
  }
};
struct declines_too_late : Fused {
  static bool try_attention(stream& s, V out, V lse, V q, V k, V v, const AttentionLayout& l, double scale) {
    Fused::try_attention(s, out, lse, q, k, v, l, scale);
    return false;
  }
};
struct declines_backward : Fused {
  static bool try_attention_backward(stream&, V, V, V, V, V, V, V, V, V, const AttentionLayout&, double) { return false; }
};

}  // namespace

TEST_CASE("mistakes in attention are caught") {
  must_be_caught<forgets_prefixes>("attention");
  must_be_caught<forgets_prefixes_backward>("attention");
  must_be_caught<declines_too_late>("attention");
  must_be_caught<declines_backward>("attention");
}
#endif

TEST_CASE("mistakes in random numbers and memory are caught") {
  must_be_caught<draws_in_memory_order>("uniform");
  must_be_caught<halves_the_counter>("uniform");
  must_be_caught<aligns_to_16>("memory");
  must_be_caught<downloads_too_much>("memory");
}
#endif
