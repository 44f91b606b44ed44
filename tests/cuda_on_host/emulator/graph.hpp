#pragma once
// Graphs: what a captured stream was given, and what is run of it.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "cuda_runtime.h"

namespace cuda_on_host {

enum class NodeKind : std::uint8_t { kernel, product, copy, memset, graph, spoil, bookkeeping };

/// A piece of a stream's work. Of two with equal kinds and identities one may take the other's place in an instantiated graph.
struct Node {
  NodeKind kind;
  const void* identity;  ///< the kernel's function, a copy's direction
  std::function<void()> run;
};

struct Capture {
  std::vector<Node> nodes;
  std::vector<std::function<void()>> spoils;  ///< for the node that comes next: a graph has none of its own
  bool valid = true;
};

/// Fails where the capture is invalid already.
cudaError_t capture_node(cudaStream& stream, Node node);
/// For a call that is not permitted on a stream that is captured: the capture is invalid from here on.
cudaError_t unsupported(cudaStream& stream);
int& captures_of_thread();

}  // namespace cuda_on_host
