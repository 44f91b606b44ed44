#pragma once
// Every behaviour module beside STIM's.

#include "chronotope/components/behaviour/dien.hpp"
#include "chronotope/components/behaviour/din.hpp"
#include "chronotope/components/behaviour/fim.hpp"
#include "chronotope/components/behaviour/interest_clock.hpp"
#include "chronotope/components/behaviour/long_interest_clock.hpp"
#include "chronotope/components/behaviour/multi_head_attention.hpp"
#include "chronotope/components/behaviour/pooling.hpp"
#include "chronotope/components/behaviour/sim.hpp"
#include "chronotope/components/behaviour/st_pil.hpp"
#include "chronotope/components/behaviour/twin_v2.hpp"
