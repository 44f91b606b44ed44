#include "chronotope/train/action_run.hpp"

#include "chronotope/data/geo_index_folder.hpp"
#include "chronotope/train/action_task.hpp"
#include "train/action_parts.hpp"
#include "train/run_folder.hpp"

namespace chronotope {
namespace {

using B = any_backend;

/// A TrainedSystem: pre-training. Its parts refer to each other, so it stays where it was made.
class PretrainingSystem {
 public:
  PretrainingSystem(Context<B>& context, const ActionSource& source, const Config& config, const Checkpoint* from)
      : context_(context), parts_(context, source, config, from),
        task_(context, parts_.model, parts_.tokens, {config.actions.curriculum, config.training.epochs, config.model.length, static_cast<std::uint64_t>(config.seed)}),
        validation_(parts_.validation_targets()), fingerprint_(parts_.fingerprint()) {}

  std::string vocabulary() const { return parts_.tokenizer.vocabulary().to_json(); }
  std::uint64_t fingerprint() const { return fingerprint_; }
  PretrainingTask<AnyGenerativeModel<B>>& task() { return task_; }
  std::map<std::string, HostTensor> extras() const { return {}; }

  std::optional<Validation> validate() const {
    if (validation_.empty()) return {};
    return generation_validation(generated_ranks(context_, parts_.model, parts_.tokens, validation_, {}, parts_.config.evaluation.batch));
  }

 private:
  Context<B>& context_;
  ActionParts parts_;
  PretrainingTask<AnyGenerativeModel<B>> task_;
  std::vector<ActionWindow> validation_;
  std::uint64_t fingerprint_;
};

}  // namespace

GeoIndex open_index(const std::string& path, std::uint64_t fingerprint) {
  const GeoIndexFolder folder(path);
  if (fingerprint == 0) return folder.open();
  std::string there;
  for (const GeoIndexInfo& version : folder.versions()) {
    if (version.fingerprint == fingerprint) return folder.open(version.version, fingerprint);
    there += (there.empty() ? "" : ", ") + std::to_string(version.version);
  }
  throw DataError(path + ": none of its versions (" + there + ") is the one that the model was made for: its codes mean other places");
}

TrainingState train_actions(Context<B>& context, const ActionSource& log, const Config& config, const std::string& folder, const RunOptions& options,
                            const RunObserver& observer) {
  return run_training(context, config, folder, options, observer,
                      [&](const Config& used, const Checkpoint* from) { return PretrainingSystem(context, log, used, from); });
}

TrainedActions load_actions(Context<B>& context, const Checkpoint& checkpoint, const std::string& index) {
  if (checkpoint.config.system != "actions") throw ConfigError(checkpoint.path + " holds no model of actions");
  Config config = checkpoint.config;
  if (!index.empty()) config.actions.index = index;
  return in_checkpoint(checkpoint, [&] {
    ActionVocabulary v = ActionVocabulary::parse(checkpoint.vocabulary);
    PlaceCatalogue places(open_index(config.actions.index, v.index), place_codes(config.actions.codes));
    ActionTokenizer tokenizer(std::move(places), std::move(v));
    const BlankParameters blank;
    AnyGenerativeModel<B> model = fresh_model(context, config, tokenizer);
    load_state(context, model, checkpoint.tensors, "model.");
    return TrainedActions{std::move(config), std::move(tokenizer), std::move(model)};
  });
}

}  // namespace chronotope
