#pragma once
// The section of a config for Spacetime-GR on action logs: what its tokens are and how it is trained.

#include <cstdint>
#include <string>

namespace chronotope {

struct ActionsConfig {
  std::string index, codes = "hierarchical";
  std::string head = "typed", fusion = "fixed";
  bool spacetime = true, tied = false;
  std::int64_t profile_tokens = 32, profile_pieces = 512;
  std::string vectors;
  std::int64_t embedding = 64;
  bool curriculum = true;
  double travel_km = 50, validation_share = 0.1, test_share = 0.1;

  template <class V> void visit(V&& v) {
    v("index", index, "folder of the index of places (chronotope index build)");
    v("codes", codes, "tokens of a place: hierarchical (block and place in it), hashed (the same, dealt out at random) or single (one token)");
    v("head", head, "typed (a softmax over blocks, one over places in a block), joint (one softmax over both) or pointer (typed, mixed with attention over the user's own past: ours; sizes in model.pointer_heads and pointer_width)");
    v("tied", tied, "typed and pointer heads: weights of the head are the tables that blocks and places are read with");
    v("fusion", fusion, "weights of the parts of a token: fixed (learned) or gated (computed from the parts)");
    v("spacetime", spacetime, "whether times and positions are read");
    v("profile_tokens", profile_tokens, "most tokens of a user's profile that stand in front; 0: none");
    v("profile_pieces", profile_pieces, "tokens that the profiles' texts are cut into, single bytes included");
    v("vectors", vectors, "file of vectors of places, .npy or .safetensors, added to the place tokens; empty: none");
    v("embedding", embedding, "width of the vectors of users and places that embedding fine-tuning makes");
    v("curriculum", curriculum, "sequences of one travel status first, those with several then; false: all of them, shuffled");
    v("travel_km", travel_km, "distance from home beyond which a user is travelling");
    v("validation_share", validation_share, "share of the actions, before the test's, that are for validation");
    v("test_share", test_share, "share of the actions, the latest, that are for testing");
  }
};

}  // namespace chronotope
