#include "chronotope/models/make_click_model.hpp"

namespace chronotope {

template AnyClickModel<any_backend> make_click_model(Context<any_backend>&, const ClickModelConfig&, const ClickSchema&, std::int64_t);

ForgettingOptions forgetting_options(const ClickModelConfig& m, std::int64_t kept) {
  ForgettingOptions o;
  o.kept = kept;
  o.form = m.curve == "power" ? CurveForm::power : m.curve == "logarithm" ? CurveForm::logarithm : CurveForm::exponential;
  o.r_init = m.r_init, o.r_final = m.r_final, o.s = m.s, o.i = m.i;
  o.power_c = m.power_c, o.power_m = m.power_m, o.log_a = m.log_a, o.log_b = m.log_b, o.log_c = m.log_c;
  o.trained = m.trained_curve, o.logistic = m.logistic;
  o.layer = m.mask_layer == "none" ? MaskLayer::none : m.mask_layer == "pointwise" ? MaskLayer::pointwise : MaskLayer::dense;
  return o;
}

ClickTasks click_tasks(const ClickModelConfig& m) {
  ClickTaskOptions o;
  o.conversion = m.tasks == "ctr ctcvr";
  o.form = m.ctcvr == "tower" ? ConversionForm::own_tower : ConversionForm::product;
  o.ctcvr_weight = m.ctcvr_weight;
  return ClickTasks(o);
}

}  // namespace chronotope
