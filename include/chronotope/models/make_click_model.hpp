#pragma once
// Definition of make_click_model. Slow to compile, as it holds every behaviour module: include it in one file.

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/components/behaviour/all.hpp"
#include "chronotope/components/behaviour/stim.hpp"
#include "chronotope/components/click_encoder.hpp"
#include "chronotope/components/click_heads.hpp"
#include "chronotope/models/any_click_model.hpp"
#include "chronotope/models/click_model.hpp"

namespace chronotope {
namespace detail {

inline QueryOptions query_options(const ClickModelConfig& m, const ClickWidths& w) {
  QueryOptions o;
  o.hour = w.hour, o.week = w.week, o.location = w.location, o.item = w.item, o.width = m.query_width;
  o.form = m.query == "concatenation" ? QueryForm::concatenation : m.query == "experts" ? QueryForm::experts
           : m.query == "holiday"     ? QueryForm::holiday
                                      : QueryForm::pairs;
  o.sum_pairs = m.sum_pairs, o.hidden = parse_widths(m.query_hidden);
  return o;
}

template <Backend B> auto make_stim(Context<B>& context, const ClickModelConfig& m, const ClickWidths& w) {
  HminOptions unit;
  unit.query_width = m.query_width, unit.key_width = w.key, unit.heads = m.heads, unit.hidden = m.hidden;
  unit.temperature = m.temperature, unit.learned_temperature = m.learned_temperature;
  unit.score_networks = m.score_networks, unit.kept = w.kept;
  return StimInterest(ForgettingMask<B>(context, forgetting_options(m, w.kept)), QueryMoE<B>(context, query_options(m, w)), HminUnit<B>(context, unit),
                      {m.time == "days" ? ForgettingTime::days : ForgettingTime::position, m.masks == "mean"});
}

/// The columns that say where a request and where a behaviour was: the first context column of a table of behaviours.
inline StPilOptions region_columns(const ClickSchema& schema) {
  for (std::size_t r = 0; r < schema.ids.size(); ++r)
    for (std::size_t b = 0; b < schema.behaviour_ids.size(); ++b)
      if (schema.ids[r].part == FeaturePart::context && schema.ids[r].table == schema.behaviour_ids[b].table) return {.request_region = r, .behaviour_region = b};
  throw ConfigError("ST-PIL needs an id column of the request that behaviours have too, such as a geohash");
}

inline TwinV2Options cluster_columns(const ClickSchema& schema, std::int64_t heads) {
  return {heads, column_of(schema.behaviour_ids, "item"), column_of(schema.behaviour_ids, "category")};
}

template <Backend B, BehaviourModule M>
AnyClickModel<B> with_click_head(Context<B>& context, const ClickModelConfig& m, ClickEncoder<B> encoder, M behaviour) {
  const std::int64_t features = behaviour.width() + encoder.widths().request() + encoder.others(), tasks = click_tasks(m).count();
  const std::vector<std::int64_t> hidden = parse_widths(m.head_hidden);
  const auto with = [&](auto head) { return AnyClickModel<B>(ClickModel(std::move(encoder), std::move(behaviour), std::move(head))); };
  if (m.head == "dnn") return with(DnnHead<B>(context, {features, tasks, hidden, m.dropout, DType::f32}));
  MmoeHeadOptions o;
  o.features = features, o.tasks = tasks, o.experts = m.experts, o.dropout = m.dropout;
  o.expert_width = hidden.back(), o.expert_hidden.assign(hidden.begin(), hidden.end() - 1), o.tower_hidden = {hidden.back()};
  return with(MmoeHead<B>(context, o));
}

}  // namespace detail

template <Backend B>
AnyClickModel<B> make_click_model(Context<B>& context, const ClickModelConfig& m, const ClickSchema& schema, std::int64_t kept) {
  ClickEncoder<B> encoder(context, schema, {m.embedding, m.key_width, kept, m.deviation, DType::f32});
  const ClickWidths w = encoder.widths();
  const auto with = [&](auto behaviour) { return detail::with_click_head(context, m, std::move(encoder), std::move(behaviour)); };
  if (m.behaviour == "none") return with(NoBehaviours<B>(context, w));
  if (m.behaviour == "gsu") return with(GsuPooling<B>(context, w));
  if (m.behaviour == "din") return with(Din<B>(context, w));
  if (m.behaviour == "dien") return with(Dien<B>(context, w));
  if (m.behaviour == "sim") return with(Sim<B>(context, w, {.heads = m.heads}));
  if (m.behaviour == "twin_v2") return with(TwinV2<B>(context, w, detail::cluster_columns(schema, m.heads)));
  if (m.behaviour == "ic") return with(InterestClock<B>(context, w));
  if (m.behaviour == "lic") return with(LongInterestClock<B>(context, w, {.heads = m.heads}));
  if (m.behaviour == "fim") return with(Fim<B>(context, w, {.heads = m.heads}));
  if (m.behaviour == "st_pil") return with(StPil<B>(context, w, detail::region_columns(schema)));
  if (m.behaviour == "mha") return with(MultiHeadAttention<B>(context, w, {.heads = m.heads}));
  if (m.behaviour == "stim") return with(detail::make_stim(context, m, w));
  throw ConfigError("click_model.behaviour \"" + m.behaviour + "\" is no behaviour module");
}

}  // namespace chronotope
