#pragma once
// The section of a config for the stages of Spacetime-GR: pre-training, the two fine-tunings, alignment.

#include <cstdint>
#include <string>

namespace chronotope {

struct StageConfig {
  std::string name = "pretrain", from;
  double temperature = 0.1, beta = 1;
  std::int64_t together = 4;
  std::string preference = "pairs", reference = "once", rules;

  template <class V> void visit(V&& v) {
    v("name", name, "pretrain (next places), embed (vectors of users and places), rank (scores of candidates) or align (generated places by preference)");
    v("from", from, "folder of the model that the stage starts from; empty: from scratch (align needs one, its frozen reference)");
    v("temperature", temperature, "embed: of InfoNCE");
    v("beta", beta, "align: how strongly the model is held to its reference");
    v("together", together, "requests of one user, one after another, that an epoch keeps together, at most: in a batch they share the reading of the user's actions, which saves time; 1: all are shuffled");
    v("preference", preference, "align: pairs (DPO: every clicked against every unclicked candidate) or softmax (S-DPO: against all of them at once)");
    v("reference", reference, "align: the reference's probabilities are computed once, before the first step, or anew with each step (always)");
    v("rules", rules, "align: also pairs by rules, such as \"11-13 17-20: Restaurant, Noodle bar\" (hours: categories that are preferred then); several are parted by ;");
  }
};

}  // namespace chronotope
