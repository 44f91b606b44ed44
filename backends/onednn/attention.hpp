#pragma once
// The attention kernels, compiled once per instruction set and chosen at run time.

#include "attention_units.hpp"

namespace chronotope::onednn {

/// Floats of scratch memory that one thread needs.
std::int64_t attention_forward_scratch(const AttentionTask& task);
std::int64_t attention_backward_scratch(const AttentionTask& task);

/// The units of thread `part` of `parts`.
void attention_forward(const AttentionTask& task, int part, int parts, float* scratch);
void attention_backward(const AttentionTask& task, int part, int parts, float* scratch);

}  // namespace chronotope::onednn
