#pragma once
// Actions for steps that go over them several times.

#include <functional>
#include <string>

#include "chronotope/data/action_log.hpp"
#include "chronotope/data/checkins.hpp"

namespace chronotope {

/// Moves to the next action; false after the last.
using ActionPass = std::function<bool(LoggedAction&)>;

/// Begins a pass: the same actions in the same order, as often as it is called.
using ActionSource = std::function<ActionPass()>;

/// The actions of an action log, streamed in memory of O(one row), or of a check-in file (a CSV whose header has
/// user_id), which is read at once: O(rows). Throws here and while passing what ActionReader or read_checkins throws.
ActionSource actions_in(const std::string& path);

/// Check-ins as actions, in the order of the table: type "checkin", positions of places but none of users, the offset
/// rounded to minutes. Splits, targets and trajectories have no column in an action log and are left behind.
ActionSource actions_of(CheckinTable table);

}  // namespace chronotope
