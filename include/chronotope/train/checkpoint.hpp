#pragma once
// Checkpoints: a folder with last.safetensors (everything a training needs to go on), best.safetensors (the weights with
// the best validation score) and log.jsonl. Each file is replaced whole or not at all.

#include <string>

#include "chronotope/core/safetensors.hpp"
#include "chronotope/train/config.hpp"

namespace chronotope {

/// Where a training stands.
struct TrainingState {
  std::int64_t epoch = 0;           ///< the epoch in progress, from 0
  std::int64_t step = 0;            ///< steps done in it
  std::int64_t steps = 0;           ///< optimizer steps in all
  std::uint64_t random_counter = 0;
  double loss_sum = 0;              ///< of the epoch so far
  std::int64_t loss_count = 0;
  double best_score = -1;           ///< Validation::score of the best epoch
  std::int64_t best_epoch = -1;
  bool finished = false;
  std::uint64_t data = 0;           ///< fingerprint of the data trained on; 0 is not known
  std::int64_t ranks = 1;           ///< processes that train together
};

/// Everything in a checkpoint file.
struct Checkpoint {
  Config config;
  std::string vocabulary;                     ///< what ids mean, as JSON: a PlaceTokenizer or the schema of a click log
  TrainingState state;
  std::map<std::string, HostTensor> tensors;  ///< "model." + path; in last.safetensors also "adam.m." and "adam.v." + path; a click model's search.rows and calibration
  std::string path = {};                      ///< the file it was read from, for messages
};

/// Creates the folder when needed. Throws FileError.
void write_checkpoint(const std::string& folder, const std::string& name, const Checkpoint& checkpoint);

/// Removes the temporary files that killed writes of checkpoints left in the folder. Nobody else may be writing there.
void remove_leftovers(const std::string& folder);

/// Reads folder/name. Throws FileError when there is none, FormatError when it is damaged, contradicts itself or is no
/// checkpoint of this program.
Checkpoint read_checkpoint(const std::string& folder, const std::string& name);

/// The config of folder/name alone, without reading the weights. Throws as read_checkpoint.
Config read_checkpoint_config(const std::string& folder, const std::string& name);

/// best.safetensors where there is one, else last.safetensors.
Checkpoint read_trained(const std::string& folder);

bool has_checkpoint(const std::string& folder, const std::string& name);

inline constexpr const char* last_checkpoint = "last.safetensors";
inline constexpr const char* best_checkpoint = "best.safetensors";

}  // namespace chronotope
