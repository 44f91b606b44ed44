#pragma once
// Predictors of clicks that only count. A model that does not beat the best of them has not learnt anything from the log
// that counting would not give.
//
// Each sorts the samples into cells and gives a cell its click rate in training, drawn towards a prior:
//   rate = (clicks + smoothing x prior) / (rows + smoothing)
//
// | name               | a cell is                                                             | prior           |
// | item_rate          | the item                                                              | all of training |
// | user_rate          | the user                                                              | all of training |
// | category_rate      | the category                                                          | all of training |
// | hour_category_rate | hour of the request and category                                      | category_rate   |
// | category_affinity  | behaviours there are, and those of the category, to powers of 2       | all of training |
// | item_affinity      | the same with the item                                                | all of training |
// | NUMBER_rate        | one of 32 parts of a number column, of equally many training rows     | all of training |
//
// "counter_combination" is a logistic regression on the logits of all of them.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "chronotope/data/clicks.hpp"
#include "chronotope/eval/click_results.hpp"

namespace chronotope {

struct ClickCounterPart {
  std::string name;          ///< as in the table
  double smoothing = 0;      ///< rows that the prior counts for
  std::vector<float> logit;  ///< [cells] ln(rate / (1 - rate))
};

struct ClickCounters {
  double prior = 0;                        ///< click rate of training, (clicks + 1/2) / (rows + 1)
  std::vector<ClickCounterPart> parts;     ///< in the order of the table
  std::vector<std::vector<float>> bounds;  ///< of each number column, rising: a value's part is how many are not above it
  double bias = 0;                         ///< of the combination
  std::vector<double> weights;             ///< [parts] of the logits, from which the prior's is subtracted
};

/// Counts the training rows of a checked log. Smoothing is the one of 1, 3, 10, 30, 100, 300 and 1000 with the lowest log
/// loss of the part on the validation rows (30 where there are none). The combination is fitted on training rows by
/// Newton's method with a ridge of 1; a row's rates come from the four fifths of training it is not in, drawn by its
/// number, so that rare cells do not tell the row its own label.
/// `labels` [samples]: ClickLog::click, or ClickLog::conversion. O(parts x (samples + cells) + behaviours) time as long as
/// samples that share behaviours stand together; 8 bytes a part and training row, and one count a cell.
/// Throws DataError for labels of another length, labels other than 0 and 1, and no training row.
ClickCounters fit_click_counters(const ClickLog& log, std::span<const std::uint8_t> labels);

/// Every part, then the combination, as counters for a click report: logits of the rows of `split` in the order of the log.
/// Time as fit_click_counters, 4 bytes a part and row. Throws DataError for a log of other columns or table sizes than the
/// one that was counted.
std::vector<ClickScores> click_counter_scores(const ClickCounters& counters, const ClickLog& log, Split split);

}  // namespace chronotope
