#pragma once
// Every operation.

#include "chronotope/ops/attention.hpp"
#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/forgetting.hpp"
#include "chronotope/ops/hmin.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/loss.hpp"
#include "chronotope/ops/matmul.hpp"
#include "chronotope/ops/nn.hpp"
#include "chronotope/ops/pointer.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/ops/shape.hpp"
