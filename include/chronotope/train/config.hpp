#pragma once
// One training, described: the JSON config file. Every key has a default, a sentence and a check; unknown keys are
// rejected with the nearest known one. docs/config.md is printed from these tables.

#include <cstdint>
#include <string>
#include <vector>

#include "chronotope/train/actions_config.hpp"
#include "chronotope/train/click_config.hpp"
#include "chronotope/train/stage_config.hpp"

namespace chronotope {

struct ModelConfig {
  std::string decoder = "llama";
  std::string head = "vocabulary";
  std::int64_t layers = 2, width = 768, heads = 32, feed_forward = 2048;
  std::int64_t length = 128;
  std::string geo = "geohash";
  std::int64_t geo_rows = 2048;
  double dropout = 0;
  std::int64_t pointer_heads = 2, pointer_width = 32;
  bool target_time = true;

  template <class V> void visit(V&& v) {
    v("decoder", decoder, "llama (RMSNorm, RoPE, SwiGLU: Spacetime-GR) or gpt (LayerNorm, learned positions, GELU)");
    v("head", head, "vocabulary (softmax over places) or history_pointer (mixed with attention over the user's own past)");
    v("layers", layers, "blocks of the decoder");
    v("width", width, "model width D; a multiple of 12 and an even multiple of heads");
    v("heads", heads, "attention heads");
    v("feed_forward", feed_forward, "width of the feed-forward layers");
    v("length", length, "actions a window: how much of a history the model sees");
    v("geo", geo, "position features: geohash (prefixes 1 to 12) or grid (twelve resolutions within a city)");
    v("geo_rows", geo_rows, "rows of each of the twelve hashed position tables");
    v("dropout", dropout, "probability of dropping an element of token vectors and block outputs while training");
    v("pointer_heads", pointer_heads, "heads of the history pointer");
    v("pointer_width", pointer_width, "width of each pointer head");
    v("target_time", target_time, "whether the model is told the time of the action it predicts");
  }
};

struct TrainingConfig {
  std::string optimizer = "adamw";
  double learning_rate = 5e-5, min_learning_rate = 5e-6;
  std::int64_t warmup_steps = 250, epochs = 20, batch = 2, accumulate = 1;
  double weight_decay = 0, clip_norm = 1, beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  std::string embedding_updates = "dense";
  std::int64_t patience = 0;
  double checkpoint_seconds = 60;
  bool graphs = false;

  template <class V> void visit(V&& v) {
    v("optimizer", optimizer, "adam or adamw; adam takes no weight decay");
    v("learning_rate", learning_rate, "peak learning rate, reached after warm-up");
    v("min_learning_rate", min_learning_rate, "learning rate at the end of the cosine");
    v("warmup_steps", warmup_steps, "steps of linear warm-up");
    v("epochs", epochs, "passes over the training data; the cosine ends with the last");
    v("batch", batch, "windows or click samples a pass");
    v("accumulate", accumulate, "passes a step: gradients are averaged over the targets of batch x accumulate windows or samples");
    v("weight_decay", weight_decay, "decoupled weight decay (adamw)");
    v("clip_norm", clip_norm, "global gradient norm above which gradients are scaled down; 0 turns it off");
    v("beta1", beta1, "decay of the first moment");
    v("beta2", beta2, "decay of the second moment");
    v("eps", eps, "added to the root of the second moment");
    v("embedding_updates", embedding_updates, "dense: rows not looked up get a zero gradient; lazy: they are left alone");
    v("patience", patience, "stop after this many epochs without a better validation score (places: acc@1 + MRR / 2; clicks: AUC); 0 never stops early");
    v("checkpoint_seconds", checkpoint_seconds, "time between checkpoints inside an epoch");
    v("graphs", graphs, "forward and backward of a pass reach the device as one graph (backend cuda, one process); the same numbers come out");
  }
};

struct EvaluationConfig {
  std::int64_t batch = 32, targets = 2000;

  template <class V> void visit(V&& v) {
    v("batch", batch, "targets or click samples a batch");
    v("targets", targets, "systems on action logs: how many validation targets are drawn to judge an epoch; 0: all");
  }
};

struct Config {
  std::int64_t seed = 1;
  std::string system = "spacetime_gr";
  ModelConfig model;
  ActionsConfig actions;
  StageConfig stage;
  ClicksConfig clicks;
  ClickModelConfig click_model;
  TrainingConfig training;
  EvaluationConfig evaluation;

  template <class V> void visit(V&& v) {
    v("seed", seed, "start of every random number of the run");
    v("system", system, "what is trained: spacetime_gr (places from check-ins; section model), actions (Spacetime-GR on action logs; sections model, actions) or clicks (sections clicks, click_model)");
    v("model", model);
    v("actions", actions);
    v("stage", stage);
    v("clicks", clicks);
    v("click_model", click_model);
    v("training", training);
    v("evaluation", evaluation);
  }
};

/// Reads JSON text; keys that it does not name are those of `base`. `source` names it in messages. Throws ConfigError naming the key: unknown (with the nearest known
/// one), of the wrong type, or out of range; FormatError when it is not JSON.
Config parse_config(const std::string& json, const std::string& source, const Config& base = {});
Config read_config(const std::string& path);

/// Changes keys, as on the command line: "training.batch=4". Ranges and combinations are checked after the last, so that
/// the order does not matter. Throws as parse_config and then leaves `config` as it was.
void set_config(Config& config, const std::vector<std::string>& assignments);
void set_config(Config& config, const std::string& assignment);

/// Checks ranges and combinations; parse_config and set_config have done it already.
void check_config(const Config& config);

/// Indented JSON with every key.
std::string to_json(const Config& config);

/// One line a key for docs/config.md and `chronotope info --config-keys`: name, default, meaning (Markdown table).
std::string config_reference();

}  // namespace chronotope
