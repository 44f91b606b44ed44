#pragma once
// Everything public, without any third-party header. Backends: chronotope/backend/{eigen,onednn}_backend.hpp.

#include "chronotope/backend/any_backend.hpp"
#include "chronotope/backend/primitives_only.hpp"
#include "chronotope/eval/ablation.hpp"
#include "chronotope/eval/bootstrap.hpp"
#include "chronotope/eval/cleansing_report.hpp"
#include "chronotope/eval/click_counters.hpp"
#include "chronotope/eval/click_intervals.hpp"
#include "chronotope/eval/counters.hpp"
#include "chronotope/eval/results.hpp"
#include "chronotope/models/place_model.hpp"
#include "chronotope/ops/ops.hpp"
#include "chronotope/train/ranking.hpp"
#include "chronotope/train/trainer.hpp"
