#include "chronotope/core/error.hpp"

namespace chronotope {
namespace {

thread_local ModuleScope* innermost = nullptr;

std::string with_path(const std::string& message) {
  const std::string path = ModuleScope::path();
  return path.empty() ? message : message + " in " + path;
}

}  // namespace

Error::Error(const std::string& message) : std::runtime_error(with_path(message)) {}

ModuleScope::ModuleScope(std::string_view name) : ModuleScope(name, -1) {}

ModuleScope::ModuleScope(std::string_view name, int index) : name_(name), index_(index), outer_(innermost) {
  innermost = this;
}

ModuleScope::~ModuleScope() { innermost = outer_; }

std::string ModuleScope::path() {
  std::string path;
  for (const ModuleScope* scope = innermost; scope; scope = scope->outer_) {
    std::string part(scope->name_);
    if (scope->index_ >= 0) part += "." + std::to_string(scope->index_);
    path = path.empty() ? part : part + "." + path;
  }
  return path;
}

}  // namespace chronotope
