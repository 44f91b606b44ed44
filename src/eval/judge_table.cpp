// The table of a judge's verdicts as text and as JSON.

#include <cmath>

#include "chronotope/eval/judge.hpp"
#include "eval/measured_clicks.hpp"
#include "eval/text_table.hpp"

namespace chronotope {
namespace {

using clicks::interval_json;
using clicks::Json;
using text_table::fixed;

std::string percent(double share) { return fixed(100 * share, 1) + (std::isfinite(share) ? "%" : ""); }

std::string bounds(const MeasuredInterval& i) {
  return std::isfinite(i.low) ? fixed(100 * i.low, 1) + " to " + fixed(100 * i.high, 1) : "-";
}

text_table::Row row(const std::string& name, const JudgeShares& s) {
  text_table::Row cells{name};
  for (const MeasuredInterval& share : {s.win, s.even, s.lose}) cells.insert(cells.end(), {percent(share.value), bounds(share)});
  return cells;
}

std::string in_words(const JudgeTable& t, const std::string& level, const MeasuredInterval& ahead) {
  std::string text = t.first + ", " + level + ": ";
  if (std::isnan(ahead.value)) return text + "no verdicts.\n";
  if (ahead.low > 0) text += "better than " + t.second;
  else if (ahead.value > 0) text += "ahead of " + t.second + ", but by no more than chance may explain";
  else text += "NOT better than " + t.second;
  return text + "; wins minus losses " + text_table::with_sign(100 * ahead.value, 1) + "%, interval " + bounds(ahead) + ".\n";
}

Json json_of(const JudgeShares& s) {
  return {{"win", interval_json(s.win)}, {"even", interval_json(s.even)}, {"lose", interval_json(s.lose)}, {"ahead", interval_json(s.ahead)}};
}

}  // namespace

std::string format_judge_table(const JudgeTable& t) {
  const std::string interval = clicks::percent(t.level) + " interval";
  std::string text = text_table::align({{t.first + " vs " + t.second, "win", interval, "even", interval, "lose", interval},
                                        row("system level", t.system),
                                        row("place level", t.place)});
  text += std::to_string(t.cases) + " cases, each with the two lists in random order; places that fit: " + percent(t.fitting_first.value) + " of " +
          t.first + ", " + percent(t.fitting_second.value) + " of " + t.second + ".\n";
  if (t.failed > 0) text += std::to_string(t.failed) + " cases have no verdict and are left out. The first: " + t.first_failure + "\n";
  return text + in_words(t, "system level", t.system.ahead) + in_words(t, "place level", t.place.ahead);
}

std::string judge_table_json(const JudgeTable& t) {
  return clicks::json_text({{"first", t.first},
                            {"second", t.second},
                            {"cases", t.cases},
                            {"failed", t.failed},
                            {"system", json_of(t.system)},
                            {"place", json_of(t.place)},
                            {"fitting_first", interval_json(t.fitting_first)},
                            {"fitting_second", interval_json(t.fitting_second)}});
}

}  // namespace chronotope
