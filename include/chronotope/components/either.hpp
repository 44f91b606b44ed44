#pragma once
// One of several parts, chosen at run time.

#include <variant>

#include "chronotope/components/concepts.hpp"

namespace chronotope {

/// A CachingDecoder that is an A or a C.
template <CachingDecoder A, CachingDecoder C>
  requires SameBackend<A, C>
class EitherDecoder {
 public:
  using backend = typename A::backend;
  EitherDecoder(A part) : part_(std::move(part)) {}
  EitherDecoder(C part) : part_(std::move(part)) {}

  Tensor<backend> decode(const Tensor<backend>& x, const Packing<backend>& packing, const Tensor<backend>& rows) const {
    return std::visit([&](const auto& part) { return part.decode(x, packing, rows); }, part_);
  }
  Tensor<backend> decode_more(const Tensor<backend>& x, const Packing<backend>& packing, const Tensor<backend>& rows, KeyValues<backend>& past) const {
    return std::visit([&](const auto& part) { return part.decode_more(x, packing, rows, past); }, part_);
  }
  template <class V> void visit(V&& v) {
    std::visit([&](auto& part) { part.visit(v); }, part_);
  }

 private:
  std::variant<A, C> part_;
};

/// A TokensHead that is any one of several.
template <TokensHead First, TokensHead... Others>
  requires(SameBackend<First, Others> && ...)
class EitherHead {
 public:
  using backend = typename First::backend;
  template <class Part>
    requires(std::same_as<Part, First> || (std::same_as<Part, Others> || ...))
  EitherHead(Part part) : part_(std::move(part)) {}

  bool wants_contexts() const {
    return std::visit([](const auto& part) { return part.wants_contexts(); }, part_);
  }
  Tensor<backend> nll(const Tensor<backend>& h, const TokenTensors<backend>& batch, const ContextStates<backend>& past) const {
    return std::visit([&](const auto& part) { return part.nll(h, batch, past); }, part_);
  }
  Tensor<backend> block_scores(const Tensor<backend>& h, const ContextStates<backend>& past, std::span<const std::int32_t> rows) const {
    return std::visit([&](const auto& part) { return part.block_scores(h, past, rows); }, part_);
  }
  Tensor<backend> inner_scores(const Tensor<backend>& h, const ContextStates<backend>& past, std::span<const std::int32_t> rows) const {
    return std::visit([&](const auto& part) { return part.inner_scores(h, past, rows); }, part_);
  }
  template <class V> void visit(V&& v) {
    std::visit([&](auto& part) { part.visit(v); }, part_);
  }

 private:
  std::variant<First, Others...> part_;
};

}  // namespace chronotope
