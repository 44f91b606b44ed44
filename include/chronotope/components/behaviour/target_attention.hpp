#pragma once
// Attention of one request over its behaviours (Vaswani et al. 2017, with a single query), for the modules that use it.

#include "chronotope/components/behaviour/common.hpp"
#include "chronotope/nn/layers.hpp"
#include "chronotope/ops/reduce.hpp"

namespace chronotope {

/// How much each of H heads looks at each behaviour: softmax_j((W_q r)_h . (W_k k_j)_h / sqrt(d) + bias_hj), d being the
/// head's width. With a single query the products are taken in another order, which is exact and spares projecting every
/// behaviour: W_k is applied to the query instead of to the keys. O(H d_k (d + n)) a sample.
template <Backend B> class TargetWeights {
 public:
  using backend = B;
  /// `in`: width of what asks, `key`: of a key. Throws ConfigError unless there is at least one head of one element.
  TargetWeights(Context<B>& context, std::int64_t in, std::int64_t key, std::int64_t heads, std::int64_t head_width, DType dtype)
      : query((check(heads, head_width), context), in, heads * head_width, false, dtype, detail::fan_in(in)),
        key(context, key, heads * head_width, false, dtype, detail::fan_in(key)), heads_(heads), head_width_(head_width) {}

  std::int64_t heads() const { return heads_; }

  /// r [B, in] -> [B, H, key]: W_k^T W_q r of every head, scaled.
  Tensor<B> queries(const Tensor<B>& r) const {
    const Tensor<B> q = permute(reshape(query(r), {r.size(0), heads_, head_width_}), {1, 0, 2});  // [H, B, d]
    const Tensor<B> folded = matmul(q, reshape(key.weight(), {heads_, head_width_, -1})) * detail::fan_in(head_width_);
    return permute(folded, {1, 0, 2});
  }

  /// queries [..., H, key], keys [..., n, key], there [..., 1, n] u8, bias [..., H or 1, n] or undefined -> [..., H, n];
  /// zeros where nothing is there.
  Tensor<B> operator()(const Tensor<B>& queries, const Tensor<B>& keys, const Tensor<B>& there, const Tensor<B>& bias = {}) const {
    const Tensor<B> content = matmul(queries, transpose(keys, -1, -2));
    return softmax_among(there, bias.defined() ? content + bias : content);
  }

  template <class V> void visit(V&& v) { v("query", query), v("key", key); }

  Linear<B> query, key;  ///< [H d, in], [H d, key]

 private:
  static void check(std::int64_t heads, std::int64_t head_width) {
    if (heads < 1 || head_width < 1)
      throw ConfigError("target attention needs at least one head of one element; the width of keys must be at least the number of heads");
  }

  std::int64_t heads_, head_width_;
};

/// The same with what the heads gather: sum_j weight_hj (W_v k_j)_h, heads one after another.
template <Backend B> class TargetAttention {
 public:
  using backend = B;
  /// Heads of width key / heads. Throws ConfigError unless heads divide key.
  TargetAttention(Context<B>& context, std::int64_t in, std::int64_t key, std::int64_t heads, DType dtype)
      : weights(context, in, key, heads, head_width(key, heads), dtype), value(context, key, key, false, dtype, detail::fan_in(key)) {}

  /// r [B, in], keys [B, n, key], there [B, n] u8, bias [B, H or 1, n] or undefined -> [B, key]; zeros where nothing is there.
  Tensor<B> operator()(const Tensor<B>& r, const Tensor<B>& keys, const Tensor<B>& there, const Tensor<B>& bias = {}) const {
    return values(matmul(weights(weights.queries(r), keys, unsqueeze(there, 1), bias), keys));
  }

  /// Pooled keys [..., H, key] -> [..., key]: W_v after the pooling instead of before, which is the same.
  Tensor<B> values(const Tensor<B>& pooled) const {
    const std::int64_t heads = weights.heads(), key = pooled.size(-1);
    const Tensor<B> rows = permute(reshape(pooled, {-1, heads, key}), {1, 0, 2});                              // [H, N, key]
    const Tensor<B> out = matmul(rows, transpose(reshape(value.weight(), {heads, key / heads, key}), 1, 2));  // [H, N, d]
    Shape shape;
    for (int i = 0; i + 2 < pooled.rank(); ++i) shape.push_back(pooled.size(i));
    shape.push_back(key);
    return reshape(permute(out, {1, 0, 2}), shape);
  }

  template <class V> void visit(V&& v) { weights.visit(v), v("value", value); }

  TargetWeights<B> weights;
  Linear<B> value;  ///< [key, key]

 private:
  static std::int64_t head_width(std::int64_t key, std::int64_t heads) {
    if (heads < 1 || key % heads != 0)
      throw ConfigError("target attention: " + std::to_string(heads) + " heads do not divide keys of width " + std::to_string(key));
    return key / heads;
  }
};

}  // namespace chronotope
