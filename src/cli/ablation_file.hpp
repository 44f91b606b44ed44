#pragma once
// The file that `chronotope ablate` reads: a base config and variants of it.
//
//   {"base": "stim_checkins.json",                       a config file beside this one, or a config itself
//    "variants": [{"name": "STIM", "group": "models"},   the first is what the others are compared with
//                 {"name": "DIN", "group": "models", "set": {"click_model.behaviour": "din"}}]}

#include <string>
#include <vector>

#include "chronotope/train/config.hpp"

namespace chronotope::cli {

struct AblationVariant {
  std::string name, group;
  std::string folder;  ///< the name in letters, digits and "-" alone, told apart where that makes two alike
  Config config;
};

struct AblationFile {
  Config base;
  std::vector<AblationVariant> variants;  ///< not empty
};

/// Applies `set` to the base, then each variant's own. Throws ConfigError naming the variant (an unknown key, two of one
/// name, a base that is no click model), FormatError when the file is not JSON or not of that form, FileError.
AblationFile read_ablation_file(const std::string& path, const std::vector<std::string>& set);

}  // namespace chronotope::cli
