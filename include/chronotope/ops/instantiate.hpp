#pragma once
// Include in exactly one source file of a backend and write CHRONOTOPE_INSTANTIATE(my_backend): every operation is then
// compiled once, there, and users of the backend compile declarations only.

#include "chronotope/ops/attention_impl.hpp"
#include "chronotope/ops/elementwise_impl.hpp"
#include "chronotope/ops/forgetting_impl.hpp"
#include "chronotope/ops/hmin_impl.hpp"
#include "chronotope/ops/index_impl.hpp"
#include "chronotope/ops/loss_impl.hpp"
#include "chronotope/ops/matmul_impl.hpp"
#include "chronotope/ops/nn_impl.hpp"
#include "chronotope/ops/pointer_impl.hpp"
#include "chronotope/ops/reduce_impl.hpp"
#include "chronotope/ops/shape_impl.hpp"

#define CHRONOTOPE_INSTANTIATE(B) \
  namespace chronotope { \
  template Tensor<B> neg(const Tensor<B>&); \
  template Tensor<B> exp(const Tensor<B>&); \
  template Tensor<B> log(const Tensor<B>&); \
  template Tensor<B> sqrt(const Tensor<B>&); \
  template Tensor<B> reciprocal(const Tensor<B>&); \
  template Tensor<B> sin(const Tensor<B>&); \
  template Tensor<B> cos(const Tensor<B>&); \
  template Tensor<B> tanh(const Tensor<B>&); \
  template Tensor<B> abs(const Tensor<B>&); \
  template Tensor<B> sigmoid(const Tensor<B>&); \
  template Tensor<B> silu(const Tensor<B>&); \
  template Tensor<B> gelu(const Tensor<B>&); \
  template Tensor<B> relu(const Tensor<B>&); \
  template Tensor<B> contiguous(const Tensor<B>&); \
  template Tensor<B> softmax(const Tensor<B>&); \
  template Tensor<B> swiglu(const Tensor<B>&); \
  template Tensor<B> sum(const Tensor<B>&); \
  template Tensor<B> mean(const Tensor<B>&); \
  template Tensor<B> sum_squares(const Tensor<B>&); \
  template Tensor<B> add(const Tensor<B>&, const Tensor<B>&); \
  template Tensor<B> sub(const Tensor<B>&, const Tensor<B>&); \
  template Tensor<B> mul(const Tensor<B>&, const Tensor<B>&); \
  template Tensor<B> div(const Tensor<B>&, const Tensor<B>&); \
  template Tensor<B> maximum(const Tensor<B>&, const Tensor<B>&); \
  template Tensor<B> equal(const Tensor<B>&, const Tensor<B>&); \
  template Tensor<B> less(const Tensor<B>&, const Tensor<B>&); \
  template Tensor<B> matmul(const Tensor<B>&, const Tensor<B>&); \
  template Tensor<B> linear(const Tensor<B>&, const Tensor<B>&); \
  template Tensor<B> linear(const Tensor<B>&, const Tensor<B>&, const Tensor<B>&, bool); \
  template Tensor<B> linear_grouped(const Tensor<B>&, const Tensor<B>&, const Tensor<B>&, const Tensor<B>&); \
  template ReviewSteps<B> review_steps(const ReviewTensors<B>&); \
  template Tensor<B> retention(const ReviewTensors<B>&, const ForgettingConstants<B>&, const CurveShape&); \
  template Tensor<B> forgetting_mask(const ReviewTensors<B>&, const ForgettingConstants<B>&, const CurveShape&); \
  template Tensor<B> hmin(const HminInputs<B>&); \
  template Tensor<B> hmin_scores(const Tensor<B>&, const Tensor<B>&, const Tensor<B>&, const Tensor<B>&); \
  template Tensor<B> pointer_scores(const Tensor<B>&, const std::vector<Relation<B>>&, double, double); \
  template Tensor<B> gather(const Tensor<B>&, const Tensor<B>&); \
  template Tensor<B> cross_entropy(const Tensor<B>&, const Tensor<B>&); \
  template Tensor<B> binary_cross_entropy(const Tensor<B>&, const Tensor<B>&); \
  template Tensor<B> where(const Tensor<B>&, const Tensor<B>&, const Tensor<B>&); \
  template Tensor<B> cast(const Tensor<B>&, DType); \
  template Tensor<B> sum(const Tensor<B>&, int, bool); \
  template Tensor<B> mean(const Tensor<B>&, int, bool); \
  template Tensor<B> max(const Tensor<B>&, int, bool); \
  template Tensor<B> logsumexp(const Tensor<B>&, int); \
  template Tensor<B> cumsum(const Tensor<B>&, int); \
  template Tensor<B> reshape(const Tensor<B>&, std::initializer_list<std::int64_t>); \
  template Tensor<B> reshape(const Tensor<B>&, const Shape&); \
  template Tensor<B> permute(const Tensor<B>&, std::initializer_list<int>); \
  template Tensor<B> transpose(const Tensor<B>&, int, int); \
  template Tensor<B> slice(const Tensor<B>&, int, std::int64_t, std::int64_t); \
  template Tensor<B> select(const Tensor<B>&, int, std::int64_t); \
  template Tensor<B> expand(const Tensor<B>&, const Shape&); \
  template Tensor<B> squeeze(const Tensor<B>&, int); \
  template Tensor<B> unsqueeze(const Tensor<B>&, int); \
  template Tensor<B> concat(const std::vector<Tensor<B>>&, int); \
  template Tensor<B> stack(const std::vector<Tensor<B>>&, int); \
  template Tensor<B> gather_concat(const std::vector<Tensor<B>>&, const std::vector<Tensor<B>>&); \
  template Tensor<B> scatter_add(const Tensor<B>&, const Tensor<B>&, const Tensor<B>&); \
  template Tensor<B> rms_norm(const Tensor<B>&, const Tensor<B>&, double); \
  template Tensor<B> layer_norm(const Tensor<B>&, const Tensor<B>&, const Tensor<B>&, double); \
  template Tensor<B> rope(const Tensor<B>&, const Tensor<B>&, const RopeTables<B>&); \
  template Tensor<B> rope_in_place(const Tensor<B>&, const Tensor<B>&, const RopeTables<B>&); \
  template Tensor<B> dropout(const Tensor<B>&, double); \
  template Tensor<B> attention(const Tensor<B>&, const Tensor<B>&, const Tensor<B>&, const Packing<B>&, const Tensor<B>&, double); \
  template Tensor<B> linear_cross_entropy(const Tensor<B>&, const Tensor<B>&, const Tensor<B>&); \
  template std::pair<Tensor<B>, Tensor<B>> topk(const Tensor<B>&, std::int64_t); \
  template struct RopeTables<B>; \
  template struct Packing<B>; \
  }
