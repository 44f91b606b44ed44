#pragma once
// Tables of aligned columns for a terminal.

#include <string>
#include <vector>

namespace chronotope::text_table {

using Row = std::vector<std::string>;

/// Independent of the process's locale; "-" for a number that is not finite.
std::string fixed(double value, int digits = 4);
/// fixed() with its sign: "+0.0123", "-0.0123".
std::string with_sign(double value, int digits = 4);

/// The first column to the left, the others to the right, two blanks between them. Widths are those of the widest cell
/// in code points, which is the width on a terminal for all but double-width scripts. Rows may be shorter than the first.
std::string align(const std::vector<Row>& rows);

}  // namespace chronotope::text_table
