#pragma once
// Adam's moments of a large table of which training looks up some rows.

#include <map>
#include <string>

#include "chronotope/nn/state.hpp"
#include "chronotope/ops/shape.hpp"
#include "chronotope/train/adam_step.hpp"

namespace chronotope {

/// Moments of the rows that were ever looked up. Those of the others are 0, and without weight decay a dense step leaves such rows where they
/// are, so that nothing has to be kept of them. Memory and time of a step O(rows ever looked up).
template <Backend B> class RowMoments {
 public:
  /// For a table [N, ...].
  explicit RowMoments(const Tensor<B>& table) : slot_of_(static_cast<std::size_t>(table.size(0)), -1), most_(std::max<std::int64_t>(1, part_elements * table.size(0) / table.elements())) {}

  /// A dense step without weight decay of a table whose gradient is `gradient` [U, ...] in the rows `ids` [U], each once, and 0 elsewhere.
  void step(const Tensor<B>& table, std::span<const std::int32_t> ids, const Tensor<B>& gradient, const AdamStep& now) {
    std::vector<std::vector<std::int32_t>> from, to;  // by part: rows of the gradient, and where they stand there
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::int32_t slot = slot_for(ids[i], table);
      const auto part = static_cast<std::size_t>(slot / most_);
      from.resize(parts_.size()), to.resize(parts_.size());
      from[part].push_back(static_cast<std::int32_t>(i)), to[part].push_back(static_cast<std::int32_t>(slot % most_));
    }
    from.resize(parts_.size()), to.resize(parts_.size());
    for (std::size_t i = 0; i < parts_.size(); ++i) step(table, parts_[i], from[i], to[i], gradient, now);
  }

  std::size_t rows() const { return rows_.size(); }

  /// The moments of the whole table.
  std::pair<Tensor<B>, Tensor<B>> dense(const Tensor<B>& table) const {
    std::pair all{zeros(table, table.size(0)), zeros(table, table.size(0))};
    for (const Part& part : parts_) {
      const Tensor<B> ids = upload(table, part.ids);
      B::scatter_add(table.stream(), all.first.view(), ids.view(), slice(part.m, 0, 0, ids.size(0)).view());
      B::scatter_add(table.stream(), all.second.view(), ids.view(), slice(part.v, 0, 0, ids.size(0)).view());
    }
    return all;
  }

  /// "adam.rows." + path: ids [R]; "adam.m." and "adam.v." + path: [R, ...], in their order.
  void save(const std::string& path, const Tensor<B>& table, std::map<std::string, HostTensor>& state) const {
    std::vector<Tensor<B>> m{zeros(table, 0)}, v{zeros(table, 0)};
    for (const Part& part : parts_) {
      const auto n = static_cast<std::int64_t>(part.ids.size());
      m.push_back(slice(part.m, 0, 0, n)), v.push_back(slice(part.v, 0, 0, n));
    }
    state.emplace("adam.rows." + path, HostTensor::of(rows_, {static_cast<std::int64_t>(rows_.size())}));
    state.emplace("adam.m." + path, to_host_tensor(concat(m, 0)));
    state.emplace("adam.v." + path, to_host_tensor(concat(v, 0)));
  }

  /// For a new object: rows `ids` [R] with these moments [R, ...]. Throws FormatError for an id outside of the table, or twice.
  void load(const Tensor<B>& table, std::span<const std::int32_t> ids, const Tensor<B>& m, const Tensor<B>& v) {
    for (const std::int32_t id : ids) {
      if (id < 0 || id >= table.size(0) || slot_of_[static_cast<std::size_t>(id)] >= 0)
        throw FormatError("the optimizer state has moments of row " + std::to_string(id) + " of " + std::to_string(table.size(0)) + ", or has them twice");
      slot_for(id, table);
    }
    std::int64_t begin = 0;
    for (Part& part : parts_) {
      const auto n = static_cast<std::int64_t>(part.ids.size());
      detail::overwrite(slice(part.m, 0, 0, n), slice(m, 0, begin, begin + n)), detail::overwrite(slice(part.v, 0, 0, n), slice(v, 0, begin, begin + n));
      begin += n;
    }
  }

 private:
  struct Part {
    std::vector<std::int32_t> ids;  // rows of the table
    Tensor<B> m, v;                 // [most_, ...]; behind the ids 0
  };

  std::int32_t slot_for(std::int32_t id, const Tensor<B>& table) {
    std::int32_t& slot = slot_of_[static_cast<std::size_t>(id)];
    if (slot >= 0) return slot;
    slot = static_cast<std::int32_t>(rows_.size());
    if (static_cast<std::size_t>(slot / most_) == parts_.size()) parts_.push_back({{}, zeros(table, most_), zeros(table, most_)});
    parts_.back().ids.push_back(id), rows_.push_back(id);
    return slot;
  }

  // Without decay the step does not depend on where a row is, so it is made from 0 and added once.
  void step(const Tensor<B>& table, const Part& part, const std::vector<std::int32_t>& from, const std::vector<std::int32_t>& to, const Tensor<B>& gradient, const AdamStep& now) {
    const auto n = static_cast<std::int64_t>(part.ids.size());
    Tensor<B> g = zeros(table, n);
    if (!from.empty()) g = scatter_add(g, upload(table, to), gather(gradient, upload(table, from)));
    const Tensor<B> moved = zeros(table, n);
    adam(moved, slice(part.m, 0, 0, n), slice(part.v, 0, 0, n), g, now);
    B::scatter_add(table.stream(), table.view(), upload(table, part.ids).view(), moved.view());
  }

  static Tensor<B> zeros(const Tensor<B>& table, std::int64_t rows) {
    Shape shape = table.shape();
    shape[0] = rows;
    return full<B>(table.state(), shape, 0, table.dtype());
  }
  static Tensor<B> upload(const Tensor<B>& table, const std::vector<std::int32_t>& values) {
    return Tensor<B>::from_host(table.state(), std::span<const std::int32_t>(values), {static_cast<std::int64_t>(values.size())});
  }

  static constexpr std::int64_t part_elements = std::int64_t{1} << 19;  // stay in the cache

  std::vector<std::int32_t> slot_of_, rows_;  // of each row of the table, -1: never looked up; and back
  std::int64_t most_;                         // rows a part
  std::vector<Part> parts_;
};

}  // namespace chronotope
