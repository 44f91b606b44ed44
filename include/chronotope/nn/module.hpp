#pragma once
// A module is a class with a `backend` and a `visit` that shows its members by name:
//
//   template <class V> void visit(V&& v) { v("attn", attn_); v("blocks", blocks_); v("weight", weight_); }
//
// Names join to paths ("decoder.blocks.3.attn.qkv.weight"). The same visit serves optimizers, files, counting and printing.

#include <optional>
#include <string>
#include <vector>

#include "chronotope/autograd/parameter.hpp"

namespace chronotope {

namespace detail {

template <class F> class PathVisitor {
 public:
  PathVisitor(std::string prefix, F& f) : prefix_(std::move(prefix)), f_(f) {}

  template <Backend B> void operator()(std::string_view name, Parameter<B>& parameter) { f_(path(name), parameter); }

  template <class M> void operator()(std::string_view name, std::vector<M>& modules) {
    for (std::size_t i = 0; i < modules.size(); ++i) (*this)(std::string(name) + "." + std::to_string(i), modules[i]);
  }

  template <class M> void operator()(std::string_view name, std::optional<M>& module) {
    if (module) (*this)(name, *module);
  }

  template <class M> void operator()(std::string_view name, M& module) {
    PathVisitor inner(path(name), f_);
    module.visit(inner);
  }

 private:
  std::string path(std::string_view name) const { return prefix_.empty() ? std::string(name) : prefix_ + "." + std::string(name); }

  std::string prefix_;
  F& f_;
};

struct NoVisitor {
  template <class... A> void operator()(A&&...) {}
};

}  // namespace detail

/// Something with named parameters on one backend.
template <class M>
concept Module = requires(M& m, detail::NoVisitor v) {
  requires Backend<typename M::backend>;
  m.visit(v);
};

/// Two parts that live on the same backend.
template <class A, class B>
concept SameBackend = std::same_as<typename A::backend, typename B::backend>;

/// Calls f(path, parameter) for every parameter, in the order of visit.
template <Module M, class F> void for_each_parameter(M& module, F f) {
  detail::PathVisitor<F> visitor("", f);
  module.visit(visitor);
}

/// All parameters with their paths.
template <Module M> auto named_parameters(M& module) {
  std::vector<std::pair<std::string, Parameter<typename M::backend>>> all;
  for_each_parameter(module, [&](const std::string& path, Parameter<typename M::backend>& p) { all.emplace_back(path, p); });
  return all;
}

/// Number of trained values.
template <Module M> std::int64_t parameter_count(M& module) {
  std::int64_t count = 0;
  for_each_parameter(module, [&](const std::string&, Parameter<typename M::backend>& p) { count += p.shape().elements(); });
  return count;
}

}  // namespace chronotope
