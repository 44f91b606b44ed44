#pragma once
// Definitions of ops/pointer.hpp.

#include "chronotope/ops/detail.hpp"
#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/pointer.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {
namespace detail {

template <Backend B> void check_pointer_scores(const Tensor<B>& content, const std::vector<Relation<B>>& relations) {
  const char* op = "pointer_scores";
  need_floating(op, content);
  need_rank(op, "the content", content, 4);
  for (const Relation<B>& r : relations) {
    same_dtype(op, content, r.table);
    need_dtype(op, "bins", r.bins, DType::i32);
    need_rank(op, "a table", r.table, 2);
    if (r.table.size(1) != content.size(1)) shapes_differ(op, "a table must be [bins, K] for content [S, K, M, N]", content.shape(), r.table.shape());
    if (!(r.bins.shape() == Shape{content.size(0), content.size(2), content.size(3)}))
      shapes_differ(op, "bins must be [S, M, N] for content [S, K, M, N]", content.shape(), r.bins.shape());
  }
}

template <Backend B> std::vector<RelationViews> views(const std::vector<Relation<B>>& relations) {
  std::vector<RelationViews> all;
  for (const Relation<B>& r : relations) all.push_back({r.table.view(), r.bins.view()});
  return all;
}

template <Backend B>
void pointer_scores_backward(const std::vector<Relation<B>>& relations, double scale, double bias_scale, const Tensor<B>& dy_in, GradientSink<B>& sink) {
  const Tensor<B> dy = dense(dy_in), dcontent = like(dy);
  std::vector<Relation<B>> gradients;
  for (const Relation<B>& r : relations) gradients.push_back({like(r.table), r.bins});
  if (!B::try_pointer_scores_backward(dy.stream(), dcontent.view(), dy.view(), views(gradients), scale, bias_scale))
    throw BackendError("[pointer_scores] the backend took the forward but not the backward");
  sink.add(0, dcontent);
  for (std::size_t t = 0; t < gradients.size(); ++t) sink.add(static_cast<int>(t) + 1, gradients[t].table);
}

template <Backend B>
bool fused_pointer_scores(Tensor<B>& y, const Tensor<B>& content, const std::vector<Relation<B>>& relations, double scale, double bias_scale) {
  if constexpr (requires { &B::try_pointer_scores; }) {
    std::vector<Relation<B>> at;
    for (const Relation<B>& r : relations) at.push_back({dense(r.table), dense(r.bins)});
    const Tensor<B> c = dense(content), out = like(c);
    if (!B::try_pointer_scores(out.stream(), out.view(), c.view(), views(at), scale, bias_scale)) return false;
    std::vector<const Tensor<B>*> inputs{&content};
    for (const Relation<B>& r : relations) inputs.push_back(&r.table);
    y = record<B>(out, inputs, [at, scale, bias_scale](const Tensor<B>& dy, GradientSink<B>& sink) { pointer_scores_backward(at, scale, bias_scale, dy, sink); });
    return true;
  }
  return false;
}

}  // namespace detail

template <Backend B>
Tensor<B> pointer_scores(const Tensor<B>& content, const std::vector<Relation<B>>& relations, double scale, double bias_scale) {
  detail::check_pointer_scores(content, relations);
  Tensor<B> y;
  if (!relations.empty() && content.elements() && detail::fused_pointer_scores(y, content, relations, scale, bias_scale)) return y;
  Tensor<B> related;
  for (const Relation<B>& r : relations) {
    const Tensor<B> of = gather(r.table * bias_scale, r.bins);  // [S, M, N, K]; times the scale first, since tables are small
    related = related.defined() ? related + of : of;
  }
  return related.defined() ? content * scale + permute(related, {0, 3, 1, 2}) : content * scale;
}

}  // namespace chronotope
