#pragma once
// Sequences that were encoded once, to be asked more often.

#include "chronotope/autograd/node.hpp"
#include "chronotope/components/context_states.hpp"
#include "chronotope/components/key_values.hpp"
#include "chronotope/components/token_tensors.hpp"

namespace chronotope {

/// Segments and the keys and values of their tokens, 8 x layers x D bytes a token in f32, and up to a quarter more; for heads that want them
/// the states of contexts too.
template <Backend B> class Encoded {
 public:
  std::int64_t tokens() const { return past_.tokens(); }
  std::int64_t bytes() const { return past_.bytes() + contexts_.bytes(); }
  /// Of all segments; empty when the model's head does not want them.
  const ContextStates<B>& contexts() const { return contexts_; }

  /// Adds the segments of a batch, whose prefixes count rows of the whole, and returns the hidden states of its asks, [Q, D].
  template <class Model> Tensor<B> add(Context<B>& context, const Model& model, const TokenBatch& batch) {
    lengths_.insert(lengths_.end(), batch.lengths().begin(), batch.lengths().end());
    prefixes_.insert(prefixes_.end(), batch.prefixes().begin(), batch.prefixes().end());
    return hidden(context, model, batch, false);
  }

  /// Adds the first sequence of a batch to the end of the last segment and its other segments behind, whose prefixes count rows of the
  /// whole; otherwise as add().
  template <class Model> Tensor<B> extend(Context<B>& context, const Model& model, const TokenBatch& batch) {
    if (lengths_.empty()) return add(context, model, batch);
    lengths_.back() += batch.lengths().at(0);
    lengths_.insert(lengths_.end(), batch.lengths().begin() + 1, batch.lengths().end());
    prefixes_.insert(prefixes_.end(), batch.prefixes().begin() + 1, batch.prefixes().end());
    return hidden(context, model, batch, true);
  }

  /// Where a later keep() goes back to.
  struct Mark {
    std::size_t segments = 0;
    std::int32_t last = 0;
    std::int64_t tokens = 0;
    typename ContextStates<B>::Mark contexts = {};
  };
  Mark mark() const { return {lengths_.size(), lengths_.empty() ? 0 : lengths_.back(), past_.tokens(), contexts_.mark()}; }
  /// Forgets what was added since.
  void keep(const Mark& mark) {
    lengths_.resize(mark.segments), prefixes_.resize(mark.segments);
    if (!lengths_.empty()) lengths_.back() = mark.last;
    past_.keep(mark.tokens);
    contexts_.keep(mark.contexts);
  }

 private:
  template <class Model> Tensor<B> hidden(Context<B>& context, const Model& model, const TokenBatch& batch, bool goes_on) {
    const NoGrad no_grad;
    const TokenTensors<B> tensors(context, batch, Packing<B>(context, lengths_, prefixes_));
    return model.hidden_more(tensors, past_, contexts_, goes_on);
  }

  KeyValues<B> past_;
  ContextStates<B> contexts_;
  std::vector<std::int32_t> lengths_;
  std::vector<Prefix> prefixes_;
};

}  // namespace chronotope
