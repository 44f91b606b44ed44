// Tables of generated places: 7, 9, 5, Figure 4.

#include <cmath>
#include <limits>

#include "chronotope/eval/command_judge.hpp"
#include "chronotope/train/interest_judge.hpp"
#include "cli/tables_make.hpp"
#include "eval/text_table.hpp"

namespace chronotope::cli {
namespace {

using Form = TableCell::Form;

constexpr BootstrapOptions resampling{.resamples = 2000};
constexpr const char* aligned = "dpo";

/// A row of Tables 7 and 9: whether each target was hit, at two cut-offs.
struct Hits {
  std::string name;
  std::vector<double> at_first, at_last;  ///< [targets]
};

TableRow hits_row(const Hits& hits, const Hits* base, std::span<const std::size_t> users) {
  TableRow row{hits.name, {TableCell{mean_by_user(hits.at_first, users, resampling)}, TableCell{mean_by_user(hits.at_last, users, resampling)}, {}, {}}};
  if (!base) return row;
  row.cells[2] = TableCell{difference_by_user(hits.at_first, base->at_first, users, resampling), Form::difference};
  row.cells[3] = TableCell{difference_by_user(hits.at_last, base->at_last, users, resampling), Form::difference};
  return row;
}

/// How the first two differences of a row stand to what the paper found.
void add_notes(ResultTable& table, const TableRow& row, int expected) {
  for (std::size_t c = 2; c < 4; ++c) table.notes.push_back(row.name + ", " + table.columns[c] + ": " + difference_in_words(row.cells[c]->value, expected));
}

std::string against_counting(const std::string& name, const Hits& model, const Hits& counted, std::span<const std::size_t> users) {
  return comparison_in_words(name, difference_by_user(model.at_first, counted.at_first, users, resampling), "counting by " + counted.name);
}

std::string percent_of(double part, double whole) { return text_table::fixed(100 * part / whole, 1) + "%"; }

Hits hits_of(const CountedRanks& r, std::int64_t last) { return {r.name, hits_at(r.ranks, 1), hits_at(r.ranks, last)}; }

Hits hits_of(const std::string& name, const PlaceLists& lists, std::span<const LatestActions> latest, std::size_t last) {
  std::vector<RankedList> ranked;
  for (std::size_t i = 0; i < lists.size(); ++i) ranked.push_back({{lists[i].begin(), lists[i].end()}, latest[i].places});
  return {name, hits(ranked, 1), hits(ranked, last)};
}

void add_best_possible(ResultTable& table, TableRuns& runs, std::span<const std::size_t> users) {
  const std::string& truth = runs.file().data.truth_actions;
  if (truth.empty()) return;
  const double reached = table.rows.front().cells[0]->value.value;
  table.rows.push_back(hits_row(hits_of(true_ranks(truth, runs.base().histories, runs.targets()), 100), nullptr, users));
  table.notes.push_back("Spacetime-GR reaches " + percent_of(reached, table.rows.back().cells[0]->value.value) + " of the best possible hr@1; clicks in requests are left out.");
}

/// Every m's lines of Figure 4: discovery rates of a list maker by k, [m][k][requests].
struct Discovery {
  std::vector<std::vector<std::vector<double>>> rates;
};

constexpr std::size_t discovery_k[] = {1, 5, 10, 20, 50}, discovery_m[] = {1, 3, 7, 14};

Discovery discovery_of(const ModelOnRequests& on, std::span<const std::uint32_t> drawn, const PlaceLists& lists) {
  Discovery d{{std::size(discovery_m), std::vector<std::vector<double>>(std::size(discovery_k))}};
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const AskedRequest& r = on.requests.requests[drawn[i]];
    std::vector<TimedPlace> history;
    for (std::size_t a = r.begin; a < r.end; ++a) history.push_back({on.histories.actions[a].place, on.histories.actions[a].local});
    const std::vector<std::uint64_t> places(lists[i].begin(), lists[i].end());
    const std::vector<std::size_t> since = active_days_since(places, history);
    for (std::size_t m = 0; m < std::size(discovery_m); ++m)
      for (std::size_t k = 0; k < std::size(discovery_k); ++k) d.rates[m][k].push_back(discovery_rate(since, discovery_k[k], discovery_m[m]));
  }
  return d;
}

std::vector<std::size_t> users_of(const ModelOnRequests& on, std::span<const std::uint32_t> drawn) {
  std::vector<std::size_t> users;
  for (const std::uint32_t number : drawn) users.push_back(on.requests.requests[number].user + 1);
  return users;
}

/// Both lists must be there for a request to count.
MeasuredInterval discovery_difference(std::vector<double> first, std::vector<double> second, std::span<const std::size_t> users) {
  for (std::size_t i = 0; i < first.size(); ++i)
    if (std::isnan(first[i]) || std::isnan(second[i])) first[i] = second[i] = std::numeric_limits<double>::quiet_NaN();
  return difference_by_user(first, second, users, resampling);
}

TableRow share_row(const std::string& name, const JudgeShares& shares) {
  return {name, {TableCell{shares.win, Form::share}, TableCell{shares.even, Form::share}, TableCell{shares.lose, Form::share}, TableCell{shares.ahead, Form::share}}};
}

/// Test requests whose users' interests show later, at most as many as the file says.
std::vector<std::size_t> judged_requests(TableRuns& runs, const InterestRule& rule, bool need_future) {
  const ModelOnRequests& on = runs.base();
  std::vector<std::size_t> some;
  for (std::size_t i = 0; i < runs.drawn().size() && some.size() < static_cast<std::size_t>(runs.file().cases); ++i) {
    const auto later = later_actions(on.histories, on.requests.requests[runs.drawn()[i]], rule);
    if (!need_future || std::any_of(later.begin(), later.end(), [](const PastAction& a) { return a.interest && a.place != 0; })) some.push_back(i);
  }
  return some;
}

std::vector<JudgeCase> judge_cases(TableRuns& runs, std::span<const std::size_t> some) {
  const ModelOnRequests& on = runs.base();
  const PlaceLists first = runs.request_lists(aligned), second = runs.counted_request_lists();
  const auto ten = [](const std::vector<std::uint32_t>& list) { return std::span(list).first(std::min<std::size_t>(10, list.size())); };
  std::vector<JudgeCase> cases;
  for (const std::size_t i : some) cases.push_back(judge_case(on.requests, on.histories, on.trained.tokenizer, runs.drawn()[i], ten(first[i]), ten(second[i])));
  return cases;
}

}  // namespace

ResultTable make_table_7(TableRuns& runs) {
  const std::vector<std::pair<std::string, std::string>> variants{{"Spacetime-GR", pretrain_run},
                                                                  {"GPT-based", "pretrain-gpt"},
                                                                  {"w/o spatiotemporal info", "pretrain-no-spacetime"},
                                                                  {"w/o hierarchical POI index", "pretrain-hashed"},
                                                                  {"w/o curriculum learning", "pretrain-no-curriculum"}};
  ResultTable table{"table_7", "Table 7: hit rates of pre-training", "methods", {"hr@1", "hr@100", "hr@1 minus Spacetime-GR", "hr@100 minus Spacetime-GR"}, {}, {}};
  std::vector<std::size_t> users;
  for (const ActionWindow& w : runs.targets()) users.push_back(w.user);
  const Hits base = hits_of({variants[0].first, runs.ranks(pretrain_run)}, 100);
  for (const auto& [name, run] : variants) {
    table.rows.push_back(hits_row(hits_of({name, runs.ranks(run)}, 100), run == pretrain_run ? nullptr : &base, users));
    if (run != pretrain_run) add_notes(table, table.rows.back(), -1);
  }
  for (const CountedRanks& r : runs.counted()) {
    table.rows.push_back(hits_row(hits_of({"counting: " + r.name, r.ranks}, 100), &base, users));
    table.notes.push_back(against_counting("Spacetime-GR, hr@1,", base, hits_of(r, 100), users));
  }
  add_best_possible(table, runs, users);
  table.notes.push_back(std::to_string(users.size()) + " targets of the test split; 10 blocks x 10 places are generated; errors and intervals by user.");
  return table;
}

ResultTable make_table_9(TableRuns& runs) {
  ResultTable table{"table_9", "Table 9: hit rates of alignment", "methods", {"hr@1", "hr@10", "hr@1 minus pre-trained", "hr@10 minus pre-trained"}, {}, {}};
  std::vector<std::size_t> users;
  std::size_t targets = 0;
  for (const LatestActions& l : runs.latest()) users.push_back(l.first.user), targets += l.places.size();
  const auto row = [&](const std::string& name, const PlaceLists& lists) { return hits_of(name, lists, runs.latest(), 10); };
  const Hits base = row("pre-trained", runs.latest_lists(pretrain_run));
  table.rows.push_back(hits_row(base, nullptr, users));
  for (const auto& [name, run] : {std::pair{"DPO", "dpo"}, std::pair{"S-DPO", "s-dpo"}}) {
    table.rows.push_back(hits_row(row(name, runs.latest_lists(run)), &base, users));
    add_notes(table, table.rows.back(), 1);
  }
  const Hits mixture = row("mixture", runs.counted_latest_lists());
  table.rows.push_back(hits_row(mixture, &base, users));
  table.rows.back().name = "counting: mixture";
  table.notes.push_back(against_counting("pre-trained, hr@1,", base, mixture, users));
  table.notes.push_back("One list for each of " + std::to_string(users.size()) + " users, generated at the first of up to 5 latest interest-based actions of the test split (" +
                        std::to_string(targets) + " in all) from everything before; a hit when any of them is in the list.");
  return table;
}

ResultTable make_figure_4(TableRuns& runs) {
  const ModelOnRequests& on = runs.base();
  const Discovery model = discovery_of(on, runs.drawn(), runs.request_lists(aligned)), counted = discovery_of(on, runs.drawn(), runs.counted_request_lists());
  const std::vector<std::size_t> users = users_of(on, runs.drawn());
  ResultTable table{"figure_4", "Figure 4: discovery rates D(k, m) of the aligned model and of counting", "m active days", {}, {}, {}};
  for (const std::size_t k : discovery_k) table.columns.push_back("k = " + std::to_string(k));
  int above = 0, below = 0;
  for (std::size_t m = 0; m < std::size(discovery_m); ++m) {
    const std::string days = "m = " + std::to_string(discovery_m[m]);
    const std::string past = discovery_m[m] == 1 ? "active day" : std::to_string(discovery_m[m]) + " active days";
    LineFigure figure{"Discovery rate, past " + past, "recommended places", {}, {{"aligned Spacetime-GR", true, {}}, {"counting: mixture", false, {}}}};
    TableRow first{days + ", aligned Spacetime-GR", {}}, second{days + ", counting: mixture", {}}, difference{days + ", difference", {}};
    for (std::size_t k = 0; k < std::size(discovery_k); ++k) {
      figure.x.push_back(std::to_string(discovery_k[k]));
      first.cells.push_back(TableCell{mean_by_user(model.rates[m][k], users, resampling)});
      second.cells.push_back(TableCell{mean_by_user(counted.rates[m][k], users, resampling)});
      const MeasuredInterval d = discovery_difference(model.rates[m][k], counted.rates[m][k], users);
      difference.cells.push_back(TableCell{d, Form::difference});
      above += d.low > 0, below += d.high < 0;
      figure.lines[0].values.push_back(first.cells.back()->value), figure.lines[1].values.push_back(second.cells.back()->value);
    }
    for (TableRow* row : {&first, &second, &difference}) table.rows.push_back(std::move(*row));
    table.figures.push_back(std::move(figure));
  }
  table.notes.push_back("Of " + std::to_string(std::size(discovery_k) * std::size(discovery_m)) + " settings the model discovers more in " + std::to_string(above) + " and less in " + std::to_string(below) +
                        ", by intervals that leave out 0 (the paper: more in all). " + std::to_string(users.size()) + " requests of the test split; errors by user.");
  return table;
}

ResultTable make_table_5(TableRuns& runs) {
  const InterestRule rule;
  const ModelOnRequests& on = runs.base();
  const bool by_rule = runs.file().judge.empty();
  const std::vector<std::size_t> some = judged_requests(runs, rule, by_rule);
  if (some.empty()) throw DataError(runs.file().data.requests + ": after no request of the test split does the log show what its user did: there is nothing to judge by");
  const RuleJudge rules = interest_judge(on.requests, on.histories, on.trained.tokenizer, rule);
  Judge judge = rules;
  if (!by_rule) judge = [&runs, command = CommandJudge(runs.file().judge)](const JudgeCase& c) { return runs.kept_verdict(c, command); };
  const JudgeTable judged = judge_lists(judge_cases(runs, some), judge, {"aligned Spacetime-GR", "counting: mixture", on.seed(), 0, resampling});
  ResultTable table{"table_5", "Table 5: lists of ten of the aligned model against those of counting", "Spacetime-GR vs counting", {"win", "even", "lose", "win minus lose"}, {}, {}};
  table.rows = {share_row("system level", judged.system), share_row("POI level", judged.place)};
  for (const auto& [level, shares] : {std::pair{"system level", &judged.system}, std::pair{"POI level", &judged.place}})
    table.notes.push_back(std::string(level) + ", win minus lose: " + difference_in_words(shares->ahead, 1));
  table.notes.push_back(std::to_string(judged.cases) + " requests. Of the model's places " + text_table::fixed(100 * judged.fitting_first.value, 1) + "% fit, of counting's " +
                        text_table::fixed(100 * judged.fitting_second.value, 1) + "%.");
  if (by_rule)
    table.notes.push_back("The judge is a rule: a place fits (1) if the user's interest-based actions of the " + std::to_string(rule.days) + " days after the request go there, or (" +
                          text_table::fixed(rule.likeness, 2) + ") to one of its category within " + text_table::fixed(rule.near_km, 0) + " km; the list with the greater sum is better.");
  else table.notes.push_back("The judge is the command " + runs.file().judge.front() + ".");
  return table;
}

}  // namespace chronotope::cli
