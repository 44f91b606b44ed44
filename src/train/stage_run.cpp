// Fine-tuning and alignment in a folder.

#include "chronotope/eval/clicks.hpp"
#include "chronotope/eval/user_clicks.hpp"
#include "chronotope/train/action_run.hpp"
#include "chronotope/train/preference_rules.hpp"
#include "chronotope/train/stage_task.hpp"
#include "core/fingerprint.hpp"
#include "train/action_parts.hpp"
#include "train/run_folder.hpp"

namespace chronotope {
namespace {

using B = any_backend;
using Model = AnyGenerativeModel<B>;

Stage stage_of(const StageConfig& s) { return s.name == "embed" ? Stage::embed : s.name == "rank" ? Stage::rank : Stage::align; }

StageOptions stage_options(const Config& c) {
  return {stage_of(c.stage), c.stage.temperature, {c.stage.beta, c.stage.preference == "softmax" ? PreferenceForm::softmax : PreferenceForm::pairs}, static_cast<std::size_t>(c.stage.together), static_cast<std::uint64_t>(c.seed)};
}

/// generation_scores of a model that stays as it is: computed for all requests at once and kept, or with each question.
class FrozenReference {
 public:
  FrozenReference(Context<B>& context, const RequestTokens& tokens, Model model, std::span<const std::uint32_t> requests, bool once, std::int64_t batch)
      : context_(context), tokens_(tokens), model_(std::move(model)) {
    if (!once) return;
    kept_ = candidate_scores(context_, *model_, tokens_, requests, Stage::align, batch);
    begin_.assign(tokens.requests().requests.size() + 1, 0);
    std::size_t next = 0;
    for (const std::uint32_t number : requests) begin_[number] = next, next += static_cast<std::size_t>(tokens.requests().labels({&number, 1}, true).counts[0]);
    model_.reset();
  }

  Tensor<B> operator()(std::span<const std::uint32_t> some) const {
    if (model_) return fresh(some);
    std::vector<float> scores;
    for (const std::uint32_t number : some) {
      const auto first = kept_.begin() + static_cast<std::ptrdiff_t>(begin_[number]);
      scores.insert(scores.end(), first, first + tokens_.requests().labels({&number, 1}, true).counts[0]);
    }
    return Tensor<B>::from_host(context_, scores, {static_cast<std::int64_t>(scores.size())});
  }

 private:
  Tensor<B> fresh(std::span<const std::uint32_t> some) const {
    const NoGrad no_grad;
    return generation_scores(context_, *model_, tokens_, some);
  }

  Context<B>& context_;
  const RequestTokens& tokens_;
  std::optional<Model> model_;
  std::vector<std::size_t> begin_;
  std::vector<float> kept_;
};

/// A TrainedSystem: embedding fine-tuning, generative ranking fine-tuning or alignment. Its parts refer to each other.
class StageSystem {
 public:
  StageSystem(Context<B>& context, const ActionSource& log, const RequestPass& requests, const Config& config, const Checkpoint* from, const Checkpoint* start)
      : context_(context), parts_(context, log, config, from ? from : start), requests_(requests, parts_.histories, parts_.tokenizer),
        tokens_(requests_, parts_.tokens, config.model.length), fingerprint_(fingerprint_of(requests_, parts_.fingerprint())) {
    if (start) load_weights(context, parts_.model, *start);
    const Stage stage = stage_of(config.stage);
    const RequestNeeds needs = stage == Stage::align ? RequestNeeds::both_known : stage == Stage::embed ? RequestNeeds::both : RequestNeeds::anything;
    auto training = requests_between(requests_, 0, parts_.validation_from(), needs);
    if (stage == Stage::align && !config.stage.rules.empty()) {
      const auto all = requests_between(requests_, 0, parts_.validation_from(), RequestNeeds::anything);
      const auto pairs = add_preference_pairs(requests_, parts_.tokenizer, parse_preference_rules(config.stage.rules), all, {.seed = static_cast<std::uint64_t>(config.seed)});
      training.insert(training.end(), pairs.begin(), pairs.end());
    }
    if (training.empty()) throw DataError("no request before the validation split has what the stage needs: clicked and unclicked candidates");
    validation_ = requests_between(requests_, parts_.validation_from(), parts_.test_from(), RequestNeeds::anything);
    if (stage == Stage::align) {
      Model frozen = fresh_model(context, config, parts_.tokenizer);
      load_weights(context, frozen, *start);
      watched_.assign(validation_.begin(), validation_.begin() + static_cast<std::ptrdiff_t>(std::min(validation_.size(), most_watched)));
      if (!watched_.empty()) frozen_scores_ = first_scores(context, frozen, tokens_, watched_);
      reference_.emplace(context, tokens_, std::move(frozen), training, config.stage.reference == "once", config.evaluation.batch);
      targets_ = parts_.validation_targets();
    }
    task_.emplace(context, parts_.model, tokens_, training, stage_options(config), [this](std::span<const std::uint32_t> some) { return (*reference_)(some); });
  }
  StageSystem(const StageSystem&) = delete;

  std::string vocabulary() const { return parts_.tokenizer.vocabulary().to_json(); }
  std::uint64_t fingerprint() const { return fingerprint_; }
  StageTask<Model>& task() { return *task_; }
  std::map<std::string, HostTensor> extras() const { return {}; }

  /// Rank and embed: AUC and GAUC of validation candidates; align: generated places as in pre-training, and the divergence from the
  /// reference of what comes first after u.
  std::optional<Validation> validate() const {
    if (stage_of(parts_.config.stage) == Stage::align) {
      if (targets_.empty()) return {};
      Validation v = generation_validation(generated_ranks(context_, parts_.model, parts_.tokens, targets_, {}, parts_.config.evaluation.batch));
      if (!watched_.empty()) v.measures.emplace_back("KL", divergence(first_scores(context_, parts_.model, tokens_, watched_), frozen_scores_));
      return v;
    }
    return click_validation();
  }

 private:
  static constexpr std::size_t most_watched = 64;

  static std::uint64_t fingerprint_of(const RequestHistories& requests, std::uint64_t actions) {
    Fingerprint hash;
    hash.add(actions);
    hash.add(std::span<const std::uint8_t>(requests.clicked));
    for (const AskedRequest& r : requests.requests) hash.add(static_cast<std::uint64_t>(r.utc)), hash.add(r.user), hash.add(r.shown);
    for (const SeenPlace& place : requests.shown) hash.add(place.place);
    return hash.value();
  }

  std::optional<Validation> click_validation() const {
    const std::vector<float> scores = candidate_scores(context_, parts_.model, tokens_, validation_, stage_of(parts_.config.stage), parts_.config.evaluation.batch);
    const CandidateLabels labels = requests_.labels(validation_);
    std::vector<std::uint32_t> users;
    for (const std::uint32_t number : validation_) users.insert(users.end(), requests_.requests[number].shown, static_cast<std::uint32_t>(requests_.requests[number].user + 1));
    const ClickRows rows{scores, labels.clicked};
    const double area = auc(rows).value;
    if (std::isnan(area)) return {};
    return Validation{area, {{"AUC", area}, {"GAUC", gauc(rows, users).value}}};
  }

  Context<B>& context_;
  ActionParts parts_;
  RequestHistories requests_;
  RequestTokens tokens_;
  std::uint64_t fingerprint_;
  std::vector<std::uint32_t> validation_;
  std::vector<ActionWindow> targets_;
  std::vector<std::uint32_t> watched_;  // validation requests whose divergence is measured
  Tensor<B> frozen_scores_;             // of the reference, for these
  std::optional<FrozenReference> reference_;
  std::optional<StageTask<Model>> task_;
};

}  // namespace

void use_stage_rates(TrainingConfig& training, const std::string& stage) {
  const bool align = stage == "align";
  training.learning_rate = align ? 1e-5 : 1e-4;
  training.min_learning_rate = align ? 1e-6 : 1e-5;
  training.warmup_steps = align ? 100 : 250;
  training.epochs = align ? 1 : 2;
}

TrainingState train_stage(Context<B>& context, const ActionSource& log, const std::string& requests, const Config& config, const std::string& folder,
                          const RunOptions& options, const RunObserver& observer) {
  return run_training(context, config, folder, options, observer, [&](const Config& used, const Checkpoint* from) {
    std::optional<Checkpoint> start;
    if (!used.stage.from.empty()) start = read_trained(used.stage.from);
    if (start && start->config.system != "actions") throw ConfigError("stage.from: " + used.stage.from + " holds no model of actions");
    RequestReader reader(requests);
    return StageSystem(context, log, [&](LoggedRequest& r) { return reader.next(r); }, used, from, start ? &*start : nullptr);
  });
}

}  // namespace chronotope
