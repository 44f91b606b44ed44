#pragma once
// A module's parameters as host tensors by path, for files and for copies between devices.

#include <algorithm>

#include "chronotope/core/safetensors.hpp"
#include "chronotope/nn/module.hpp"

namespace chronotope {

template <Backend B> HostTensor to_host_tensor(const Tensor<B>& x) {
  return dispatch(x.dtype(), [&](auto zero) { return HostTensor::of(x.template to_host<decltype(zero)>(), x.shape()); });
}

template <Backend B> Tensor<B> to_device(Context<B>& context, const HostTensor& x) {
  return dispatch(x.dtype, [&](auto zero) { return Tensor<B>::from_host(context, x.values<decltype(zero)>(), x.shape); });
}

/// Every parameter under `prefix` + its path.
template <Module M> std::map<std::string, HostTensor> state_of(M& module, const std::string& prefix = "") {
  std::map<std::string, HostTensor> state;
  for (auto& [path, parameter] : named_parameters(module)) state.emplace(prefix + path, to_host_tensor(parameter.value()));
  return state;
}

/// Puts the tensors whose names start with `prefix` into the module. All missing, unexpected and mis-shaped names are
/// reported in one FormatError, and then nothing has been changed.
template <Module M>
void load_state(Context<typename M::backend>& context, M& module, const std::map<std::string, HostTensor>& state, const std::string& prefix = "") {
  std::string problems;
  auto parameters = named_parameters(module);
  std::size_t expected = 0;
  for (auto& [path, parameter] : parameters) {
    const auto found = state.find(prefix + path);
    if (found == state.end()) {
      problems += "\n  missing: " + path;
      continue;
    }
    ++expected;
    if (!(found->second.shape == parameter.shape()) || found->second.dtype != parameter.value().dtype())
      problems += "\n  " + path + ": the file has " + to_string(found->second.dtype) + " " + to_string(found->second.shape) +
                  ", the model " + to_string(parameter.value().dtype()) + " " + to_string(parameter.shape());
  }
  if (expected != state.size())
    for (const auto& [name, tensor] : state) {
      if (name.rfind(prefix, 0) != 0) continue;
      const bool known = std::any_of(parameters.begin(), parameters.end(), [&, &wanted = name](const auto& p) { return prefix + p.first == wanted; });
      if (!known) problems += "\n  unexpected: " + name.substr(prefix.size());
    }
  if (!problems.empty()) throw FormatError("the weights are those of another model:" + problems);
  for (auto& [path, parameter] : parameters) parameter.assign(to_device(context, state.at(prefix + path)));
}

}  // namespace chronotope
