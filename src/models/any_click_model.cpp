#include "chronotope/models/make_click_model.hpp"

namespace chronotope {

template AnyClickModel<any_backend> make_click_model(Context<any_backend>&, const ClickModelConfig&, const ClickSchema&, std::int64_t);

ClickTasks click_tasks(const ClickModelConfig& m) {
  ClickTaskOptions o;
  o.conversion = m.tasks == "ctr ctcvr";
  o.form = m.ctcvr == "tower" ? ConversionForm::own_tower : ConversionForm::product;
  o.ctcvr_weight = m.ctcvr_weight;
  return ClickTasks(o);
}

}  // namespace chronotope
