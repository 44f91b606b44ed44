#pragma once
// The file that `chronotope tables` reads: the data, one config for all trainings, and which tables are wanted (docs/config.md).

#include <string>
#include <vector>

#include "chronotope/data/cleansing.hpp"
#include "chronotope/train/config.hpp"

namespace chronotope::cli {

struct TablesData {
  std::string raw, actions, requests, index, vectors, truth_actions, truth_requests;  ///< files; "" where there is none
};

struct TablesFile {
  TablesData data;
  CleansingRules cleansing;                        ///< for Table 2
  Config pretrain, finetune, align;                ///< stage and index are filled in; of the stage that follows, the name is not
  std::vector<std::int64_t> lengths = {32, 64, 128, 256};
  std::int64_t targets = 2000;                     ///< most targets and requests a measure looks at; 0: all
  std::vector<std::string> wanted;                 ///< "2", "4", "5", "7", "8", "9", "figure3", "figure4"; in the order they are made
  std::vector<std::string> judge;                  ///< command, none: by rule
  std::int64_t cases = 800;                        ///< that it judges

  bool wants(const std::string& what) const;
};

/// Every table and figure there is, in the order they are made.
const std::vector<std::string>& all_tables();

/// Reads and checks a file; `only` replaces what it wants, where not empty. Throws FileError, FormatError for what is no JSON, ConfigError naming the key:
/// unknown (with the nearest known one), of the wrong type, missing for what is wanted, and as parse_config.
TablesFile read_tables_file(const std::string& path, const std::vector<std::string>& only);

}  // namespace chronotope::cli
