#pragma once
// The subcommands of the program. Each adds itself to the parser and runs when chosen.

#include <functional>
#include <string>

namespace CLI {
class App;  // its header is slow to compile: only those who add options include it
}

namespace chronotope::cli {

/// What the parser chose; run after parsing.
using Chosen = std::function<void()>;

void add_demo(CLI::App& app, Chosen& chosen);
void add_train(CLI::App& app, Chosen& chosen);
void add_evaluate(CLI::App& app, Chosen& chosen);
void add_recommend(CLI::App& app, Chosen& chosen);
void add_rank(CLI::App& app, Chosen& chosen);
void add_embed(CLI::App& app, Chosen& chosen);
void add_info(CLI::App& app, Chosen& chosen);
void add_generate_city(CLI::App& app, Chosen& chosen);
void add_generate_world(CLI::App& app, Chosen& chosen);
void add_generate_clicks(CLI::App& app, Chosen& chosen);
void add_convert_clicks(CLI::App& app, Chosen& chosen);
void add_convert_checkins(CLI::App& app, Chosen& chosen);
void add_derive_groups(CLI::App& app, Chosen& chosen);
void add_index(CLI::App& app, Chosen& chosen);
void add_clean(CLI::App& app, Chosen& chosen);
void add_ablate(CLI::App& app, Chosen& chosen);
void add_tables(CLI::App& app, Chosen& chosen);
void add_bench_step(CLI::App& app, Chosen& chosen);
void add_dump_steps(CLI::App& app, Chosen& chosen);

}  // namespace chronotope::cli
