#include "chronotope/eval/ablation.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "chronotope/core/error.hpp"
#include "eval/measured_clicks.hpp"
#include "eval/resampling.hpp"

namespace chronotope {
namespace {

using clicks::Measured;

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
constexpr MeasuredInterval unmeasured{undefined, undefined, undefined, undefined, 0};

void check(const ScoredAblation& scored) {
  if (scored.labels.size() != scored.users.size())
    throw DataError("ablation: " + std::to_string(scored.labels.size()) + " labels for " + std::to_string(scored.users.size()) +
                    " users; there must be one a row");
  const auto odd = std::find_if(scored.labels.begin(), scored.labels.end(), [](std::uint8_t l) { return l > 1; });
  if (odd != scored.labels.end())
    throw DataError("ablation: the label of row " + std::to_string(odd - scored.labels.begin()) + " is " + std::to_string(*odd) +
                    "; labels are 0 or 1");
  std::set<std::string> names;
  for (const AblationRow& row : scored.rows)
    if (!names.insert(row.name).second) throw DataError("ablation: two rows are called \"" + row.name + "\"; names must differ");
  if (!names.contains(scored.reference))
    throw DataError("ablation: the reference \"" + scored.reference + "\" is none of the " + std::to_string(scored.rows.size()) + " rows");
}

// The reference, then its group's, then the other groups as they come.
std::vector<const AblationRow*> ordered(const ScoredAblation& scored) {
  std::vector<const AblationRow*> rows;
  for (const AblationRow& row : scored.rows) rows.push_back(&row);
  const auto is_reference = [&](const AblationRow* row) { return row->name == scored.reference; };
  std::stable_partition(rows.begin(), rows.end(), is_reference);
  std::vector<std::string> groups;
  for (const AblationRow* row : rows)
    if (std::find(groups.begin(), groups.end(), row->group) == groups.end()) groups.push_back(row->group);
  std::stable_sort(rows.begin(), rows.end(), [&](const AblationRow* a, const AblationRow* b) {
    return std::find(groups.begin(), groups.end(), a->group) < std::find(groups.begin(), groups.end(), b->group);
  });
  return rows;
}

std::optional<Measured> measured_row(const ScoredAblation& scored, const AblationRow& row, const BootstrapOptions& options,
                                     AblationResult& result) {
  result = {row.name, row.group, row.error, unmeasured, unmeasured, {}};
  if (!row.error.empty()) return std::nullopt;
  try {
    Measured measured = clicks::measure({row.scores, scored.labels}, scored.users, options);
    result.auc = measured.auc, result.gauc = measured.gauc;
    return measured;
  } catch (const DataError& e) {
    result.error = e.what();
    return std::nullopt;
  }
}

}  // namespace

AblationTable make_ablation(const ScoredAblation& scored, const BootstrapOptions& options) {
  resampling::check(options, "ablation");
  check(scored);
  AblationTable table{scored.task, scored.reference, scored.split, scored.semi_synthetic, options.level, 0, 0, 0, 0, {}};
  table.rows = scored.labels.size();
  table.clicks = static_cast<std::uint64_t>(std::count(scored.labels.begin(), scored.labels.end(), 1));
  std::optional<Measured> reference;
  for (const AblationRow* row : ordered(scored)) {
    AblationResult result;
    const std::optional<Measured> measured = measured_row(scored, *row, options, result);
    if (measured && reference) result.difference = clicks::difference(*measured, *reference, scored.users, options);
    if (measured && row->name == scored.reference) reference = measured;
    if (measured) {
      const Gauc users = gauc(measured->users);
      table.users = users.users, table.users_left_out = users.users_left_out;
    }
    table.results.push_back(std::move(result));
  }
  return table;
}

}  // namespace chronotope
