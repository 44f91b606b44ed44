#pragma once
// Definitions of ops/index.hpp.

#include "chronotope/ops/detail.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {
namespace detail {

template <Backend B> void need_ids(const char* op, const Tensor<B>& ids) {
  if (ids.dtype() != DType::i32 && ids.dtype() != DType::i64)
    throw DTypeError("[" + std::string(op) + "] ids must be i32 or i64, are " + to_string(ids.dtype()));
}

/// `leading` followed by the extents of one row of `table`.
inline Shape rows_shape(const Shape& leading, const Shape& table) {
  Shape shape = leading;
  for (int i = 1; i < table.rank(); ++i) shape.push_back(table[i]);
  return shape;
}

}  // namespace detail

template <Backend B> Tensor<B> gather(const Tensor<B>& table, const Tensor<B>& ids) {
  detail::need_ids("gather", ids);
  if (table.rank() < 1) throw ShapeError("[gather] the table needs at least one axis");
  const Tensor<B> flat = dense(ids).alias({ids.elements()}, contiguous_strides({ids.elements()}));
  Tensor<B> rows(table.state(), detail::rows_shape(flat.shape(), table.shape()), table.dtype());
  if (rows.elements()) B::gather(rows.stream(), rows.view(), table.view(), flat.view());
  const Shape shape = detail::rows_shape(ids.shape(), table.shape());
  return record(rows.alias(shape, contiguous_strides(shape)), {&table},
                [flat, shape = rows.shape()](const Tensor<B>& dy, GradientSink<B>& sink) {
                  sink.add_rows(0, flat, reshape(dy, shape));
                });
}

template <Backend B> Tensor<B> gather_concat(const std::vector<Tensor<B>>& tables, const std::vector<Tensor<B>>& ids) {
  if (tables.empty() || tables.size() != ids.size())
    throw ShapeError("[gather_concat] " + std::to_string(tables.size()) + " tables and " + std::to_string(ids.size()) + " id lists");
  std::int64_t width = 0;
  auto node = std::make_shared<Node<B>>();
  bool any = false;
  for (const Tensor<B>& table : tables) {
    detail::need_rank("gather_concat", "a table", table, 2);
    detail::same_dtype("gather_concat", tables[0], table);
    width += table.size(1);
    node->inputs.push_back(table.node());
    any = any || table.node();
  }
  Tensor<B> out(tables[0].state(), {ids[0].elements(), width}, tables[0].dtype());
  std::int64_t begin = 0;
  std::vector<std::int64_t> widths;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    detail::need_ids("gather_concat", ids[i]);
    if (!(ids[i].shape() == ids[0].shape()) || ids[i].rank() != 1)
      detail::shapes_differ("gather_concat", "id lists must be [M] of one length", ids[0].shape(), ids[i].shape());
    widths.push_back(tables[i].size(1));
    const Tensor<B> piece = slice(out, 1, begin, begin + widths[i]);
    if (piece.elements()) B::gather(out.stream(), piece.view(), tables[i].view(), ids[i].view());
    begin += widths[i];
  }
  if (!any || !detail::recording) return out;
  node->shape = out.shape();
  node->dtype = out.dtype();
  node->backward = [ids, widths](const Tensor<B>& dy, GradientSink<B>& sink) {
    std::int64_t column = 0;
    for (std::size_t i = 0; i < widths.size(); column += widths[i], ++i)
      sink.add_rows(static_cast<int>(i), ids[i], slice(dy, 1, column, column + widths[i]));
  };
  out.set_node(std::move(node));
  return out;
}

template <Backend B> Tensor<B> scatter_add(const Tensor<B>& base, const Tensor<B>& ids, const Tensor<B>& rows) {
  detail::need_ids("scatter_add", ids);
  detail::same_dtype("scatter_add", base, rows);
  detail::need_rank("scatter_add", "ids", ids, 1);
  if (base.rank() < 1 || !(rows.shape() == detail::rows_shape(ids.shape(), base.shape())))
    detail::shapes_differ("scatter_add", "rows must be [ids, extents of a row of the base]", base.shape(), rows.shape());
  Tensor<B> out(base.state(), base.shape(), base.dtype());
  if (out.elements()) B::copy(out.stream(), out.view(), base.view());
  if (rows.elements()) B::scatter_add(out.stream(), out.view(), ids.view(), rows.view());
  return record(out, {&base, &rows}, [ids = ids.detach()](const Tensor<B>& dy, GradientSink<B>& sink) {
    sink.add(0, dy);
    if (sink.wants(1)) sink.add(1, gather(dy, ids));
  });
}

template <Backend B> std::pair<Tensor<B>, Tensor<B>> topk(const Tensor<B>& x, std::int64_t k) {
  detail::need_rank("topk", "the input", x, 2);
  detail::need_floating("topk", x);
  if (k < 0 || k > x.size(1))
    throw ShapeError("[topk] k = " + std::to_string(k) + " of rows with " + std::to_string(x.size(1)) + " entries");
  Tensor<B> values(x.state(), {x.size(0), k}, x.dtype());
  Tensor<B> indices(x.state(), {x.size(0), k}, DType::i32);
  if (values.elements()) B::topk(x.stream(), values.view(), indices.view(), x.view());
  return {values, indices};
}

}  // namespace chronotope
