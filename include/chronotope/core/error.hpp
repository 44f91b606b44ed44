#pragma once
// Typed errors. Every message says what was attempted, the values that disagree and the rule.

#include <stdexcept>
#include <string>
#include <string_view>

namespace chronotope {

/// Base of everything the library throws. The module path that was active when the error was made
/// (see ModuleScope) is appended as " in decoder.blocks.3.attn".
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message);
};

class ShapeError : public Error { using Error::Error; };    ///< extents, ranks or axes disagree
class DTypeError : public Error { using Error::Error; };    ///< element types disagree; nothing is promoted silently
class BackendError : public Error { using Error::Error; };  ///< a backend or its library failed or lacks something
class FileError : public Error { using Error::Error; };       ///< the system refused to open, read, write or rename a file
class FormatError : public Error { using Error::Error; };   ///< a file is damaged or not of the expected format
class DataError : public Error { using Error::Error; };     ///< well-formed input whose content cannot be used
class ConfigError : public Error { using Error::Error; };   ///< a setting is unknown, of the wrong type or out of range

/// Names a part of a module while it computes, so that errors can say where they happened.
/// Scopes nest per thread; the path reads "outer.inner".
class ModuleScope {
 public:
  explicit ModuleScope(std::string_view name);
  ModuleScope(std::string_view name, int index);
  ~ModuleScope();
  ModuleScope(const ModuleScope&) = delete;
  ModuleScope& operator=(const ModuleScope&) = delete;

  /// The active path of this thread, empty outside any scope.
  static std::string path();

 private:
  std::string_view name_;
  int index_;
  ModuleScope* outer_;
};

}  // namespace chronotope
