#pragma once
// The sections of a config for click models: how a log becomes batches, and what the model is made of. Defaults are STIM's.

#include <cstdint>
#include <string>
#include <vector>

namespace chronotope {

struct ClicksConfig {
  std::int64_t negatives = 4, nearby = 60;
  double decay_km = 2;
  std::int64_t kept = 50;
  std::string search = "hard", soft_from;
  std::string hour_groups = "3-10 11-16 17-2", week_groups = "mon-fri sat-sun", geohash_groups = "!w w0-j wk-z";
  std::string holidays;
  std::int64_t shuffle_block = 0;

  template <class V> void visit(V&& v) {
    v("negatives", negatives, "check-in files only: places shown and not clicked for each click");
    v("nearby", nearby, "check-in files only: how many places near the user they are drawn from");
    v("decay_km", decay_km, "check-in files only: places count by popularity x exp(-km / decay_km)");
    v("kept", kept, "behaviours kept of each sample's list (k)");
    v("search", search, "which are kept: hard (the candidate's category first, then the newest), recent (the newest) or soft (the items most like the candidate)");
    v("soft_from", soft_from, "soft search: folder of a click model trained on the same log, whose item embeddings are compared; the checkpoint keeps a copy");
    v("hour_groups", hour_groups, "groups of hours whose behaviours are review points, each hour in exactly one: 17-2 runs over midnight; identical: the same hour; none");
    v("week_groups", week_groups, "groups of weekdays: mon-fri sat-sun; identical or none as for hours");
    v("geohash_groups", geohash_groups, "groups of geohashes by their first two letters: d, 9-d, dr, w0-j, !w; identical: the same six letters; none");
    v("shuffle_block", shuffle_block, "for logs larger than memory: runs of this many neighbouring samples are shuffled as a whole and 16 of them mixed, so that a mapped cache is read in runs; 0 shuffles all samples");
    v("holidays", holidays, "dates of holidays, such as 2022-04-05 2022-05-01..2022-05-04");
  }
};

struct ClickModelConfig {
  std::string behaviour = "stim";
  std::int64_t embedding = 16, key_width = 32;
  double deviation = 0.05;
  std::string query = "pairs";
  std::int64_t query_width = 16;
  std::string query_hidden = "8 4";
  bool sum_pairs = false;
  std::int64_t heads = 2, hidden = 32;
  double temperature = 1;
  bool learned_temperature = false, score_networks = false;
  std::string curve = "exponential";
  double r_init = 0.4, r_final = 0.9, s = 20, i = 2;
  double power_c = 1, power_m = -0.5, log_a = 1, log_b = 0.2, log_c = 1;
  bool trained_curve = false, logistic = false;
  std::string time = "position", mask_layer = "dense", masks = "each";
  std::string head = "dnn", head_hidden = "128 64";
  std::int64_t experts = 4;
  double dropout = 0.2;
  std::string tasks = "ctr", ctcvr = "product";
  double ctcvr_weight = 1;

  template <class V> void visit(V&& v) {
    v("behaviour", behaviour, "what reads the behaviours: stim, or a baseline: none, gsu, din, dien, sim, twin_v2, ic, lic, fim, st_pil, mha");
    v("embedding", embedding, "width of an embedded id");
    v("key_width", key_width, "width of an embedded behaviour (d_k)");
    v("deviation", deviation, "standard deviation of initial embeddings");
    v("query", query, "stim: concatenation (M1), experts (M2), holiday (M3) or pairs (M4, the paper's)");
    v("query_width", query_width, "stim: width of a query (d_q)");
    v("query_hidden", query_hidden, "stim: widths of the hidden layers of experts and gates");
    v("sum_pairs", sum_pairs, "stim: pairs of experts are summed rather than multiplied");
    v("heads", heads, "stim, sim, mha: attention heads");
    v("hidden", hidden, "stim: hidden width of the interest unit's networks");
    v("temperature", temperature, "stim: factor on the masked cosines before the softmax");
    v("learned_temperature", learned_temperature, "stim: whether it is learned");
    v("score_networks", score_networks, "stim: each head has a feed-forward network on the scores and a softmax of its own, rather than one softmax for all");
    v("curve", curve, "stim: exponential, power or logarithm");
    v("r_init", r_init, "stim: retention after the review farthest from the request (Rinit)");
    v("r_final", r_final, "stim: retention after the nearest (Rfinal)");
    v("s", s, "stim: time constant of forgetting (S), in places or days as `time` says");
    v("i", i, "stim: how much faster each review further back is forgotten (I)");
    v("power_c", power_c, "stim: c of the power curve (1 + c x)^m");
    v("power_m", power_m, "stim: m of the power curve, below 0");
    v("log_a", log_a, "stim: a of the logarithmic curve a - b ln(x + c)");
    v("log_b", log_b, "stim: b of the logarithmic curve");
    v("log_c", log_c, "stim: c of the logarithmic curve");
    v("trained_curve", trained_curve, "stim: whether r_init, r_final, s and i are learned, one of each a material");
    v("logistic", logistic, "stim: a logistic function after the min-max scaling");
    v("time", time, "stim: position (places back from the newest behaviour) or days (back from the request)");
    v("mask_layer", mask_layer, "stim: layer after the curve: dense, pointwise or none (N3)");
    v("masks", masks, "stim: each query under each material's mask, or under their mean");
    v("head", head, "dnn or mmoe (mixture of experts, a gate a task)");
    v("head_hidden", head_hidden, "widths of the head's hidden layers");
    v("experts", experts, "mmoe: number of experts");
    v("dropout", dropout, "probability of dropping a hidden element of the head while training");
    v("tasks", tasks, "ctr, or ctr ctcvr where the log has conversions");
    v("ctcvr", ctcvr, "product (click times conversion after a click) or tower (an output of its own)");
    v("ctcvr_weight", ctcvr_weight, "weight of the conversion loss beside the click loss");
  }
};

/// "128 64" as {128, 64}. Throws ConfigError for anything that is not whole numbers from 1 to 65536 divided by blanks.
std::vector<std::int64_t> parse_widths(const std::string& text);

}  // namespace chronotope
