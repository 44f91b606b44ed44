#include "chronotope/data/derive_groups.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <string>

#include "chronotope/core/error.hpp"
#include "geohash_letters.hpp"

namespace chronotope {
namespace {

constexpr std::size_t letters = 32;

void check(const char* name, int value, int least, int most) {
  if (value < least || value > most)
    throw ConfigError("derive_groups: " + std::string(name) + " = " + std::to_string(value) + " is out of range: " + std::to_string(least) + " to " + std::to_string(most));
}

void count(const ClickLog& log, DerivedGroups& out) {
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (!log.click[i] || log.split[i] != Split::train) continue;
    ++out.clicks;
    ++out.hours[log.at.hour[i]];
    ++out.weekdays[log.at.weekday[i]];
    if (log.at.geohash[i] == 0) ++out.without_place;
    else ++out.geohash[log.at.geohash[i] >> 20 & 1023];
  }
  if (out.clicks == 0) throw DataError("derive_groups: the log has no clicked samples in its training split");
}

/// What a run of values costs; the cheapest cut is wanted.
using Cost = std::function<double(std::span<const double>)>;

double square_of_sum(std::span<const double> run) {
  const double sum = std::accumulate(run.begin(), run.end(), 0.);
  return sum * sum;
}

double deviation(std::span<const double> run) {
  const double mean = std::accumulate(run.begin(), run.end(), 0.) / static_cast<double>(run.size());
  return std::accumulate(run.begin(), run.end(), 0., [=](double sum, double x) { return sum + (x - mean) * (x - mean); });
}

struct Cut {
  double cost = std::numeric_limits<double>::infinity();
  std::vector<std::size_t> begins;  // rising, the first is 0
};

/// The cheapest cut of a line into `runs` runs, by dynamic programming: best[i] is that of the first i values.
Cut cut_line(std::span<const double> values, std::size_t runs, const Cost& cost) {
  std::vector<Cut> best(values.size() + 1);
  best[0].cost = 0;
  for (std::size_t run = 0; run < runs; ++run) {
    std::vector<Cut> next(values.size() + 1);
    for (std::size_t end = 1; end <= values.size(); ++end)
      for (std::size_t begin = 0; begin < end; ++begin) {
        const double sum = best[begin].cost + cost(values.subspan(begin, end - begin));
        if (sum >= next[end].cost) continue;
        next[end] = best[begin];
        next[end].cost = sum;
        next[end].begins.push_back(begin);
      }
    best = std::move(next);
  }
  return best.back();
}

/// The cheapest cut of a circle: of the lines that begin at each of its values. Begins of the runs, not sorted.
template <std::size_t N> std::vector<std::size_t> cut_circle(const std::array<std::uint64_t, N>& counts, int runs, const Cost& cost) {
  std::vector<double> values(counts.begin(), counts.end());
  Cut best;
  for (std::size_t turn = 0; turn < N; ++turn) {
    Cut cut = cut_line(values, static_cast<std::size_t>(runs), cost);
    for (std::size_t& begin : cut.begins) begin = (begin + turn) % N;
    if (cut.cost < best.cost * (1 - 1e-12)) best = std::move(cut);  // not for rounding: the same cut comes up once a run
    std::rotate(values.begin(), values.begin() + 1, values.end());
  }
  return best.begins;
}

void append(std::string& list, char separator, const std::string& part) {
  if (!list.empty()) list += separator;
  list += part;
}

/// "3-10 11-16 17-2" from {3, 11, 17}.
template <class Name> std::string circle_text(const std::vector<std::size_t>& begins, std::size_t size, Name name) {
  std::string text;
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const std::size_t last = (begins[(i + 1) % begins.size()] + size - 1) % size;
    append(text, ' ', last == begins[i] ? name(last) : name(begins[i]) + "-" + name(last));
  }
  return text;
}

std::string letter(std::size_t value) { return std::string(1, geohash_letters[value]); }

std::string letter_range(std::size_t first, std::size_t last) { return first == last ? letter(first) : letter(first) + "-" + letter(last); }

/// Codes begin … end - 1 as pieces: the rest of a letter, whole letters, the beginning of a letter.
std::string codes_text(std::size_t begin, std::size_t end) {
  std::string text;
  while (begin < end) {
    const std::size_t first = begin / letters, next = (first + 1) * letters;
    const bool whole = begin % letters == 0 && next <= end;
    const std::size_t stop = whole ? end / letters * letters : std::min(next, end);
    append(text, ',', whole ? letter_range(first, stop / letters - 1) : letter(first) + letter_range(begin % letters, (stop - 1) % letters));
    begin = stop;
  }
  return text;
}

/// Where counts are cut into at most `runs` equal runs: behind the value whose running sum is nearest to each equal share.
/// Where empty values leave a choice, the first that begins a letter, else the first. Begins, rising, without 0.
std::vector<std::size_t> cut_equally(std::span<const std::uint64_t> counts, int runs) {
  std::vector<double> sums{0};  // of the counts before each value
  for (const std::uint64_t c : counts) sums.push_back(sums.back() + static_cast<double>(c));
  std::vector<std::size_t> begins;
  for (int i = 1; i < runs; ++i) {
    const double share = sums.back() * i / runs;
    std::size_t best = 0;
    for (std::size_t at = 1; at < sums.size(); ++at) {
      const double nearer = std::abs(sums[best] - share) - std::abs(sums[at] - share);
      if (nearer > 0 || (sums[at] == sums[best] && at % letters == 0 && best % letters != 0)) best = at;
    }
    const double before = begins.empty() ? 0 : sums[begins.back()];
    if (sums[best] > before && sums[best] < sums.back()) begins.push_back(best);  // neither side is without clicks
  }
  return begins;
}

std::string ranges_text(std::span<const std::uint64_t> counts, std::size_t first_code, int runs) {
  std::string text;
  std::size_t begin = 0;
  std::vector<std::size_t> ends = cut_equally(counts, runs);
  ends.push_back(counts.size());
  for (const std::size_t end : ends) append(text, ' ', codes_text(first_code + begin, first_code + end)), begin = end;
  return text;
}

std::string places_text(std::span<const std::uint64_t> counts, const DeriveOptions& options) {
  std::array<std::uint64_t, letters> by_letter{};
  for (std::size_t code = 0; code < counts.size(); ++code) by_letter[code / letters] += counts[code];
  const auto most = static_cast<std::size_t>(std::max_element(by_letter.begin(), by_letter.end()) - by_letter.begin());
  const bool others = std::accumulate(by_letter.begin(), by_letter.end(), std::uint64_t{0}) > by_letter[most];
  if (options.cut == PlaceCut::range || !others || options.places == 1) return ranges_text(counts, 0, options.places);
  return "!" + letter(most) + " " + ranges_text(counts.subspan(most * letters, letters), most * letters, options.places - 1);
}

std::string weekday_name(std::size_t day) {
  static constexpr const char* names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  return names[day];
}

}  // namespace

DerivedGroups derive_groups(const ClickLog& log, const DeriveOptions& options) {
  check("hours", options.hours, 1, 24);
  check("weekdays", options.weekdays, 0, 7);
  check("places", options.places, 1, 32);
  DerivedGroups out;
  count(log, out);
  out.texts.hours = circle_text(cut_circle(out.hours, options.hours, square_of_sum), 24, [](std::size_t hour) { return std::to_string(hour); });
  if (options.weekdays > 0) out.texts.weekdays = circle_text(cut_circle(out.weekdays, options.weekdays, deviation), 7, weekday_name);
  out.texts.geohash = places_text(out.geohash, options);
  return out;
}

}  // namespace chronotope
