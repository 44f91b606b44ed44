// A model whose decoder is a class of the user's own that lacks `decode`.
#include "chronotope/backend/eigen_backend.hpp"
#include "chronotope/models/spacetime_gr.hpp"

using chronotope::eigen_backend;

struct my_decoder {
  using backend = eigen_backend;
  using Tensors = chronotope::Tensor<eigen_backend>;
  template <class V> void visit(V&&) {}
#ifdef CORRECTED
  Tensors decode(const Tensors& x, const chronotope::Packing<eigen_backend>&, const Tensors&) const { return x; }
#endif
};

using Encoder = chronotope::CheckinEncoder<eigen_backend>;
using Head = chronotope::VocabularyHead<eigen_backend>;

void train(chronotope::SpacetimeGr<Encoder, my_decoder, Head>& model);
