#pragma once
// AdamW (Loshchilov & Hutter 2019) and, with weight_decay 0, Adam (Kingma & Ba 2015).

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "chronotope/nn/module.hpp"
#include "chronotope/nn/state.hpp"
#include "chronotope/ops/shape.hpp"
#include "chronotope/train/adam_step.hpp"
#include "chronotope/train/row_gradients.hpp"
#include "chronotope/train/row_moments.hpp"

namespace chronotope {

/// What happens to rows of an embedding table that a step did not look up.
enum class RowUpdates : std::uint8_t {
  dense,  ///< as if their gradient were 0: moments decay, momentum moves them on, weight decay pulls (PyTorch's AdamW). O(table) a step
  lazy    ///< nothing at all: moments and values stay until the row is looked up again (PyTorch's SparseAdam). O(rows looked up) a step
};

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double weight_decay = 0;  ///< decoupled: p -= lr * weight_decay * p, on every parameter
  RowUpdates rows = RowUpdates::dense;
};

/// Holds two moments a parameter; of a large table under dense updates without weight decay, as long as no gradient is dense itself, for the rows
/// that were looked up (RowMoments). step() takes the gradients that backward() left in the parameters and clears them.
template <Backend B> class AdamW {
 public:
  using backend = B;
  using Named = std::vector<std::pair<std::string, Parameter<B>>>;

  AdamW(Named parameters, const AdamOptions& options) : options_(options) {
    for (auto& [path, parameter] : parameters) {
      const Tensor<B>& p = parameter.value();
      slots_.push_back({path, parameter, {}, {}, {}, {}, {}});
      if (keeps_few(p)) slots_.back().few.emplace(p);
      else slots_.back().m = zeros_like(p), slots_.back().v = zeros_like(p);
    }
  }

  /// One update with gradients times `scale` (1 / accumulated passes), clipped to global norm `clip` (0: not at all).
  /// Returns the norm before clipping. A norm that is not finite throws Error and leaves every parameter as it was.
  double step(double rate, double scale = 1, double clip = 0) {
    const NoGrad no_grad;
    for (Slot& slot : slots_) gather_gradient(slot);
    const double norm = gradient_norm() * scale;
    if (!std::isfinite(norm)) {
      for (Slot& slot : slots_) clear(slot);
      throw Error("the gradient norm is " + std::to_string(norm) + " at optimizer step " + std::to_string(steps_ + 1) +
                  "; lower the learning rate or look for extreme inputs");
    }
    ++steps_;
    if (clip > 0) scale *= std::min(1.0, clip / (norm + 1e-6));
    const auto t = static_cast<double>(steps_);
    const AdamStep now{rate, options_.beta1, options_.beta2, options_.eps, options_.weight_decay,
                       1 - std::pow(options_.beta1, t), 1 - std::pow(options_.beta2, t), scale};
    std::vector<AdamTensors<B>> whole;
    for (Slot& slot : slots_) {
      if (slot.ids.defined() && options_.rows == RowUpdates::lazy) adam_rows(slot.parameter.value(), slot.m, slot.v, slot.ids, slot.gradient, now);
      else if (slot.ids.defined() && slot.few) slot.few->step(slot.parameter.value(), slot.ids.template to_host<std::int32_t>(), slot.gradient, now);
      else if (slot.ids.defined()) adam_pieces(slot, now);
      else if (slot.gradient.defined()) whole.push_back({slot.parameter.value(), slot.m, slot.v, slot.gradient});
      clear(slot);
    }
    adam_many(whole, now);
    return norm;
  }

  std::int64_t steps() const { return steps_; }

  /// Moments under "adam.m." and "adam.v." + path, RowMoments as theirs; the number of steps is the caller's to keep.
  void save(std::map<std::string, HostTensor>& state) const {
    for (const Slot& slot : slots_) {
      if (slot.few) {
        slot.few->save(slot.path, slot.parameter.value(), state);
        continue;
      }
      state.emplace("adam.m." + slot.path, to_host_tensor(slot.m));
      state.emplace("adam.v." + slot.path, to_host_tensor(slot.v));
    }
  }
  /// Throws FormatError when a moment is missing or of another shape.
  void load(Context<B>& context, const std::map<std::string, HostTensor>& state, std::int64_t steps) {
    for (Slot& slot : slots_) {
      const Tensor<B>& p = slot.parameter.value();
      const auto rows = state.find("adam.rows." + slot.path);
      Shape shape = p.shape();
      if (rows != state.end()) shape[0] = rows->second.shape.elements();
      const Tensor<B> m = moment(context, state, "adam.m." + slot.path, shape, p.dtype()), v = moment(context, state, "adam.v." + slot.path, shape, p.dtype());
      if (rows == state.end()) {
        slot.few.reset(), slot.m = m, slot.v = v;
        continue;
      }
      slot.few.emplace(p).load(p, row_ids(rows->second), m, v);
      if (!keeps_few(p)) make_dense(slot);
    }
    steps_ = steps;
  }

 private:
  struct Slot {
    std::string path;
    Parameter<B> parameter;
    Tensor<B> m, v;                    ///< of the whole parameter, undefined where there is
    std::optional<RowMoments<B>> few;  ///< those of some rows
    Tensor<B> gradient;  ///< of this step: dense, or one row for each of `ids`
    Tensor<B> ids;       ///< [U] i32 unique, defined when all other rows have the gradient 0
  };

  static Tensor<B> zeros_like(const Tensor<B>& p) { return full<B>(p.state(), p.shape(), 0, p.dtype()); }

  bool keeps_few(const Tensor<B>& p) const { return options_.rows == RowUpdates::dense && options_.weight_decay == 0 && p.rank() > 1 && p.elements() > piece; }

  static void make_dense(Slot& slot) {
    if (slot.few) std::tie(slot.m, slot.v) = slot.few->dense(slot.parameter.value());
    slot.few.reset();
  }

  static std::vector<std::int32_t> row_ids(const HostTensor& ids) {
    if (ids.dtype != DType::i32) throw FormatError("the optimizer state has rows that are not numbered by i32");
    return ids.values<std::int32_t>();
  }

  static Tensor<B> moment(Context<B>& context, const std::map<std::string, HostTensor>& state, const std::string& name, const Shape& shape, DType dtype) {
    const auto found = state.find(name);
    if (found == state.end() || !(found->second.shape == shape) || found->second.dtype != dtype)
      throw FormatError("the optimizer state \"" + name + "\" is missing or does not have shape " + to_string(shape));
    return to_device(context, found->second);
  }

  static void clear(Slot& slot) {
    slot.parameter.zero_grad();
    slot.gradient = {};
    slot.ids = {};
  }

  void gather_gradient(Slot& slot) {
    Gradient<B>& g = slot.parameter.gradient();
    const bool by_row = !g.rows.empty() && !g.dense.defined() && (options_.rows == RowUpdates::lazy || mostly_zero(g, slot.parameter.value()));
    if (!by_row && !g.empty()) make_dense(slot);
    if (g.rows.empty()) {
      slot.gradient = g.dense;
    } else if (by_row) {
      auto [ids, rows] = merged_rows(g, slot.parameter.value());
      slot.ids = std::move(ids), slot.gradient = std::move(rows);
    } else {
      const Tensor<B>& p = slot.parameter.value();
      slot.gradient = full<B>(p.state(), p.shape(), 0, p.dtype());
      if (g.dense.defined()) B::copy(p.stream(), slot.gradient.view(), g.dense.view());
      for (const auto& part : g.rows)
        if (part.rows.elements()) B::scatter_add(p.stream(), slot.gradient.view(), part.ids.view(), part.rows.view());
    }
  }

  /// Whether the dense gradient of a table is not worth making.
  static bool mostly_zero(const Gradient<B>& g, const Tensor<B>& table) {
    std::int64_t rows = 0;
    for (const auto& part : g.rows) rows += part.ids.elements();
    return table.elements() > piece && 8 * rows <= table.size(0);
  }

  /// The update of a large table with a gradient for some rows, a piece of the table after another: of the zeros between those rows there is
  /// never more than a piece, and it stays in the cache.
  static void adam_pieces(Slot& slot, const AdamStep& now) {
    const Tensor<B>& p = slot.parameter.value();
    const std::vector<std::int32_t> ids = slot.ids.template to_host<std::int32_t>();
    std::vector<std::int32_t> order(ids.size());  // by id
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return ids[static_cast<std::size_t>(a)] < ids[static_cast<std::size_t>(b)]; });
    const std::int64_t rows = p.size(0), most = std::max<std::int64_t>(1, piece * rows / p.elements());
    Tensor<B> zeros;
    auto next = order.begin();
    for (std::int64_t begin = 0; begin < rows; begin += most) {
      const std::int64_t end = std::min(rows, begin + most);
      std::vector<std::int32_t> from, to;
      for (; next != order.end() && ids[static_cast<std::size_t>(*next)] < end; ++next)
        from.push_back(*next), to.push_back(ids[static_cast<std::size_t>(*next)] - static_cast<std::int32_t>(begin));
      const auto part = [&](const Tensor<B>& x) { return slice(x, 0, begin, end); };
      if (!zeros.defined() || zeros.size(0) != end - begin) zeros = full<B>(p.state(), part(p).shape(), 0, p.dtype());
      if (from.empty()) {
        adam(part(p), part(slot.m), part(slot.v), zeros, now);
        continue;
      }
      const auto n = static_cast<std::int64_t>(from.size());
      const auto list = [&](const std::vector<std::int32_t>& values) { return Tensor<B>::from_host(p.state(), std::span<const std::int32_t>(values), {n}); };
      adam(part(p), part(slot.m), part(slot.v), scatter_add(zeros, list(to), gather(slot.gradient, list(from))), now);
    }
  }

  /// Waits for the device once.
  double gradient_norm() const {
    std::vector<Tensor<B>> squares;
    for (const Slot& slot : slots_)
      if (slot.gradient.defined()) squares.push_back(cast(reshape(sum_squares(slot.gradient), {1}), DType::f64));
    double total = 0;
    if (squares.empty()) return total;
    for (const double x : concat(squares, 0).template to_host<double>()) total += x;
    return std::sqrt(total);
  }

  static constexpr std::int64_t piece = std::int64_t{1} << 19;  // elements

  AdamOptions options_;
  std::vector<Slot> slots_;
  std::int64_t steps_ = 0;
};

}  // namespace chronotope
