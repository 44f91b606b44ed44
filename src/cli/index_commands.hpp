#pragma once
// The subcommands of chronotope index.

#include "cli/commands.hpp"

namespace chronotope::cli {

/// Build, append, remove, rollback.
void add_index_changes(CLI::App& index, Chosen& chosen);
/// Versions, check, find, report.
void add_index_views(CLI::App& index, Chosen& chosen);

}  // namespace chronotope::cli
