// The geographic index at full size: time and memory to build it from CSV, to open it, to look places up both ways in
// random order. Places are invented: cities of falling size, and a twentieth spread over the land between 60 degrees
// south and north. Usage: bench_geo_index [places]

#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>
#include <vector>

#include "chronotope/data/geo_index_folder.hpp"
#include "chronotope/eval/geo_occupancy.hpp"

namespace {

using namespace chronotope;

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double peak_gb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024 * 1e-9;
}

/// Half of the ids have ten letters, half twenty-four, as two large sources of places have them.
void write_places(const std::string& path, std::size_t count) {
  struct City {
    double latitude, longitude, spread;
  };
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> unit(0, 1);
  std::normal_distribution<double> normal(0, 1);
  std::vector<City> cities;
  for (int i = 0; i < 2000; ++i)
    cities.push_back({-50 + 105 * unit(random), -180 + 360 * unit(random), 0.04 + 0.16 * unit(random)});
  std::FILE* const out = std::fopen(path.c_str(), "w");
  if (!out) std::exit(1);
  std::fputs("place,latitude,longitude,popularity,category\n", out);
  for (std::size_t i = 0; i < count; ++i) {
    const City& city = cities[static_cast<std::size_t>(std::pow(2000.0, unit(random))) - 1];
    const bool rural = unit(random) < 0.05;
    const double latitude = rural ? -60 + 120 * unit(random) : city.latitude + city.spread * normal(random);
    double longitude = rural ? -180 + 360 * unit(random) : city.longitude + city.spread * normal(random);
    longitude -= 360 * std::floor((longitude + 180) / 360);
    const auto bits = static_cast<unsigned long long>(random());
    std::fprintf(out, i % 2 ? "B%09zX" : "4%07zX%016llx", i, bits);
    std::fprintf(out, ",%.6f,%.6f,%d,category %d\n", latitude, longitude,
                 static_cast<int>(std::pow(unit(random), -0.8)), static_cast<int>(400 * unit(random)));
  }
  std::fclose(out);
}

/// Places in random order, as codes and as ids, whose letters lie one after another: reading the questions costs
/// little.
struct Questions {
  std::vector<PlaceCode> codes;
  std::vector<std::string_view> ids;
  std::string text;

  Questions(const GeoIndex& index, std::size_t count) {
    std::vector<PlaceCode> all;
    for (std::uint32_t block = 1; block <= index.blocks(); ++block)
      for (std::uint32_t inner = 1; inner <= index.inners(block); ++inner) all.push_back({block, inner});
    std::mt19937_64 random(11);
    for (std::size_t i = 0; i < count; ++i) codes.push_back(all[random() % all.size()]);
    for (const PlaceCode code : codes) text += index.place(code)->id;
    std::size_t at = 0;
    for (const PlaceCode code : codes) {
      const std::size_t size = index.place(code)->id.size();
      ids.push_back(std::string_view(text).substr(at, size));
      at += size;
    }
  }
};

/// Nanoseconds of processor time of a call; `chained`: each waits for the answer before it.
template <class Ask> double nanoseconds(std::size_t count, bool chained, Ask ask) {
  std::uint64_t last = 0, sum = 0;
  const double begin = processor_seconds();
  for (std::size_t i = 0; i < count; ++i) {
    last = ask(i + (chained ? last >> 63 : 0));  // never set, which the processor does not know
    sum += last;
  }
  const double ns = (processor_seconds() - begin) / static_cast<double>(count) * 1e9;
  if (sum == 0) std::printf("nothing found\n");
  return ns;
}

void look_up(const GeoIndex& index) {
  const Questions q(index, 2'000'000);
  const auto by_id = [&](std::size_t i) { return std::uint64_t{index.find(q.ids[i])->inner}; };
  const auto by_code = [&](std::size_t i) {
    return static_cast<std::uint64_t>(index.place(q.codes[i])->latitude + 100);
  };
  std::vector<PlaceCode> codes(q.ids.size());
  for (int round = 0; round < 3; ++round) {
    const double before = processor_seconds();
    index.find(q.ids, codes);
    std::printf("look-up, many in one call: id to code %.0f ns (floor: 200)\n",
                (processor_seconds() - before) / static_cast<double>(codes.size()) * 1e9);
    for (const bool chained : {false, true})
      std::printf("look-up, %s: id to code %.0f ns, code to place %.0f ns (floor: 200)\n",
                  chained ? "one after the other" : "independent       ", nanoseconds(q.ids.size(), chained, by_id),
                  nanoseconds(q.codes.size(), chained, by_code));
  }
}

void open_often(const std::string& folder) {
  constexpr int times = 20;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) GeoIndexFolder(folder).open();
  std::printf("opened in %.2f ms (floor: 10)\n", seconds_since(begin) / times * 1e3);
}

}  // namespace

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
  const fs::path scratch = fs::temp_directory_path() / "chronotope-bench-geo-index";
  fs::remove_all(scratch);
  fs::create_directories(scratch);
  const std::string csv = (scratch / "places.csv").string(), folder = (scratch / "index").string();
  write_places(csv, count);
  std::printf("%zu places, CSV of %.0f MB; %.2f GB in use before\n", count,
              static_cast<double>(fs::file_size(csv)) * 1e-6, peak_gb());

  auto begin = std::chrono::steady_clock::now();
  {
    const PlaceList places = read_places(csv);
    std::printf("read in %.1f s\n", seconds_since(begin));
    GeoIndexFolder::create(folder, places);
  }
  std::printf("built in %.1f s with the reading (floor: 60), peak memory %.2f GB (floor: 2), file of %.0f MB\n",
              seconds_since(begin), peak_gb(), static_cast<double>(fs::file_size(folder + "/index.1")) * 1e-6);

  open_often(folder);
  const GeoIndex index = GeoIndexFolder(folder).open();
  begin = std::chrono::steady_clock::now();
  index.check();
  std::printf("checked in %.1f s\n", seconds_since(begin));
  look_up(index);
  begin = std::chrono::steady_clock::now();
  const GeoOccupancy occupancy = geo_occupancy(index);
  std::printf("occupancy in %.1f s\n%s", seconds_since(begin), occupancy_table(occupancy).c_str());
  fs::remove_all(scratch);
}
