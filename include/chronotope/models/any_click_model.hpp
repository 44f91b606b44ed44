#pragma once
// A click model whose behaviour module and head are chosen at run time, from a config.

#include <functional>
#include <memory>

#include "chronotope/components/click_tasks.hpp"
#include "chronotope/components/forgetting_mask.hpp"
#include "chronotope/nn/module.hpp"
#include "chronotope/train/click_config.hpp"

namespace chronotope {

/// Any ClickPredictor behind one type. Fulfils ClickPredictor itself.
template <Backend B> class AnyClickModel {
 public:
  using backend = B;

  template <class M> requires std::same_as<typename M::backend, B>
  explicit AnyClickModel(M made) {
    auto model = std::make_shared<M>(std::move(made));
    parameters_ = named_parameters(*model);
    logits_ = [model](Context<B>& context, const ClickBatch& batch) { return model->logits(context, batch); };
  }

  Tensor<B> logits(Context<B>& context, const ClickBatch& batch) const { return logits_(context, batch); }

  template <class V> void visit(V&& v) {
    for (auto& [path, parameter] : parameters_) v(path, parameter);
  }

 private:
  std::vector<std::pair<std::string, Parameter<B>>> parameters_;
  std::function<Tensor<B>(Context<B>&, const ClickBatch&)> logits_;
};

/// Fresh weights, drawn from the context's random state, for batches of `schema` with `kept` behaviours. Defined for
/// any_backend; models/make_click_model.hpp has it for any other. Throws ConfigError as the parts do.
template <Backend B>
AnyClickModel<B> make_click_model(Context<B>& context, const ClickModelConfig& config, const ClickSchema& schema, std::int64_t kept);

/// The forgetting mask that a config describes, over `kept` behaviours.
ForgettingOptions forgetting_options(const ClickModelConfig& config, std::int64_t kept);

/// The tasks that a config names.
ClickTasks click_tasks(const ClickModelConfig& config);

}  // namespace chronotope
