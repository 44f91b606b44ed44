#pragma once
// Processes that train together must train the same: what is compared at the start and after every epoch.

#include <map>
#include <string>

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/core/safetensors.hpp"
#include "chronotope/train/communicator.hpp"

namespace chronotope {

/// What a process is about to train, as numbers that stand for it.
struct StartDigests {
  std::uint64_t config = 0, data = 0, weights = 0;
};

std::uint64_t digest_of(const std::string& text);
std::uint64_t digest_of(const std::map<std::string, HostTensor>& tensors);

/// Throws ConfigError, DataError or Error in every process, naming the first that differs from the first of all.
void check_same_start(AnyCommunicator<any_backend>& ranks, const StartDigests& mine);

/// Throws Error in every process when weights differ by a bit.
void check_same_weights(AnyCommunicator<any_backend>& ranks, std::uint64_t weights);

}  // namespace chronotope
