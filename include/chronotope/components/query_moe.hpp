#pragma once
// Queries of a request from a mixture of experts (STIM, "Query Weighting via Mixture of Experts", eq. 7 to 13).

#include "chronotope/nn/mlp.hpp"
#include "chronotope/ops/shape.hpp"

namespace chronotope {

/// A request for one item, embedded part by part: each [B, width of the part].
template <Backend B> struct RequestParts {
  Tensor<B> hour, week, location, item;
  Tensor<B> holiday;  ///< [B, 1]: 1 on a holiday, else 0

  Tensor<B> whole() const { return concat(std::vector<Tensor<B>>{hour, week, location, item}, 1); }
};

/// How the queries come about: the rows of the paper's ablation (M1 to M4, Figure 7).
enum class QueryForm : std::uint8_t {
  concatenation,  ///< M1: one query, the parts through one layer
  experts,        ///< M2: one query, the weighted sum of four experts (eq. 13)
  holiday,        ///< M3: the same with the holiday factor in the week's weight (eq. 10)
  pairs           ///< M4, the paper's: four pairwise queries besides
};

struct QueryOptions {
  std::int64_t hour = 16, week = 16, location = 16, item = 32;  ///< widths of the parts
  std::int64_t width = 16;                                      ///< d_q of a query
  std::vector<std::int64_t> hidden{8, 4};                       ///< of experts and gates
  QueryForm form = QueryForm::pairs;
  bool sum_pairs = false;  ///< pairs are summed rather than multiplied element by element
  DType dtype = DType::f32;
};

/// Five queries: all experts together; hour x item, week x item, location x item, time x location. Every expert sees the
/// whole request, every gate (which ends in a sigmoid) its own part; "time" is the sum T of eq. 11.
template <Backend B> class QueryMoE {
 public:
  using backend = B;

  QueryMoE(Context<B>& context, const QueryOptions& o) : options_(o) {
    const std::int64_t whole = o.hour + o.week + o.location + o.item;
    if (o.form == QueryForm::concatenation) {
      direct.emplace(context, whole, o.width, true, o.dtype, 1 / std::sqrt(static_cast<double>(whole)));
      return;
    }
    const auto network = [&](std::int64_t in) { return Mlp<B>(context, layer_widths(in, o.hidden, o.width), o.dtype); };
    experts.emplace(Experts{network(whole), network(whole), network(whole), network(o.width), network(o.width)});
    gates.emplace(Gates{network(o.hour), network(o.week), network(o.location), network(o.item)});
    if (o.form != QueryForm::experts) alpha.emplace(constant_parameter(context, {1}, 0, o.dtype));
  }

  std::int64_t queries() const { return options_.form == QueryForm::pairs ? 5 : 1; }
  std::int64_t width() const { return options_.width; }

  /// [B, queries, d_q]
  Tensor<B> operator()(const RequestParts<B>& x) const {
    const ModuleScope scope("query_moe");
    const Tensor<B> whole = x.whole();
    if (direct) return unsqueeze((*direct)(whole), 1);
    const Tensor<B> h_time = experts->time(whole);
    Tensor<B> week_weight = sigmoid(gates->week(x.week));
    if (alpha) week_weight = week_weight + (*alpha)() * x.holiday;
    const Tensor<B> hour = sigmoid(gates->hour(x.hour)) * experts->hour(h_time), week = week_weight * experts->week(h_time);
    const Tensor<B> location = sigmoid(gates->location(x.location)) * experts->location(whole);
    const Tensor<B> item = sigmoid(gates->item(x.item)) * experts->item(whole);
    const Tensor<B> time = hour + week, all = time + location + item;
    if (queries() == 1) return unsqueeze(all, 1);
    return stack(std::vector<Tensor<B>>{all, pair(hour, item), pair(week, item), pair(location, item), pair(time, location)}, 1);
  }

  template <class V> void visit(V&& v) {
    v("direct", direct);
    v("expert", experts);
    v("gate", gates);
    if (alpha) v("alpha", *alpha);
  }

  struct Experts {
    Mlp<B> time, location, item, hour, week;  ///< hour and week are sub-experts of the time expert (eq. 8)
    template <class V> void visit(V&& v) { v("time", time), v("location", location), v("item", item), v("hour", hour), v("week", week); }
  };
  struct Gates {
    Mlp<B> hour, week, location, item;
    template <class V> void visit(V&& v) { v("hour", hour), v("week", week), v("location", location), v("item", item); }
  };

  std::optional<Linear<B>> direct;
  std::optional<Experts> experts;
  std::optional<Gates> gates;
  std::optional<Parameter<B>> alpha;  ///< [1] the holiday enhancement of eq. 10; begins at 0

 private:
  Tensor<B> pair(const Tensor<B>& a, const Tensor<B>& b) const { return options_.sum_pairs ? a + b : a * b; }

  QueryOptions options_;
};

}  // namespace chronotope
