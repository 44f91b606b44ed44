#pragma once
// The tables and figures of Spacetime-GR, each from the trainings behind it.

#include "chronotope/eval/result_table.hpp"
#include "cli/tables_runs.hpp"

namespace chronotope::cli {

ResultTable make_table_2(const TablesFile& file);   ///< cleansing
ResultTable make_table_4(TableRuns& runs);          ///< a counting model's AUC with scores of the fine-tunings added
ResultTable make_table_5(TableRuns& runs);          ///< a judge between lists
ResultTable make_table_7(TableRuns& runs);          ///< pre-training's ablations
ResultTable make_table_8(TableRuns& runs);          ///< fine-tunings
ResultTable make_table_9(TableRuns& runs);          ///< alignment
ResultTable make_figure_3(TableRuns& runs);         ///< AUC by length
ResultTable make_figure_4(TableRuns& runs);         ///< discovery rates

}  // namespace chronotope::cli
