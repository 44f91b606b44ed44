// How fast Ele.me files are read: MB of CSV a second and core of processor time, so that other work on the machine
// counts little, and a second of wall time. Lists of 25 to 50 behaviours; real files have up to 50. Usage:
// bench_eleme_reader [MB] [threads]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "chronotope/data/eleme.hpp"
#include "chronotope/data/generated_clicks.hpp"

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  const double megabytes = argc > 1 ? std::atof(argv[1]) : 200;
  chronotope::ElemeOptions options;
  options.threads = argc > 2 ? std::atoi(argv[2]) : 1;
  const fs::path folder = fs::temp_directory_path() / "chronotope-bench-eleme";
  fs::create_directories(folder);
  const std::string csv = (folder / "log.csv").string(), cache = (folder / "log").string();

  chronotope::GeneratedClickOptions generated;
  generated.cold = 0;
  generated.users = std::max(1, static_cast<int>(megabytes * 1e6 / 40 / 2650));  // bytes a row, roughly
  chronotope::write_eleme_csv(chronotope::generate_clicks(generated).log, csv);

  const auto begin = std::chrono::steady_clock::now();
  const auto done = chronotope::convert_eleme({csv}, cache, options);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  const double read = static_cast<double>(done.parsed_bytes) / 1e6;
  std::printf("%.0f MB, %llu rows, %.1f behaviours a row; cache %.0f MB\n", read,
              static_cast<unsigned long long>(done.rows),
              static_cast<double>(done.behaviours) / static_cast<double>(done.rows),
              static_cast<double>(fs::file_size(cache)) / 1e6);
  std::printf("parsing: %.0f MB/s a core (processor time)\n", read / done.parse_seconds);
  std::printf("whole conversion, files written and flushed: %.0f MB/s (wall time, %d threads)\n", read / wall.count(),
              options.threads);
  fs::remove_all(folder);
}
