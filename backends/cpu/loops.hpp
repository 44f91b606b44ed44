#pragma once
// Portable strided loops for host memory: every primitive of backend/concepts.hpp, every dtype, no third-party code.
// Backends whose memory the host can read take from here what they do not do better themselves.
//
// Where concepts.hpp leaves a result open: integers wrap around; an integer divided by 0 is 0; a float outside the
// range of an integer goes to the nearest end, NaN to 0; the maximum of an empty set of floats is -inf.

#include "chronotope/backend/concepts.hpp"

namespace chronotope::cpu {

void fill(const View& out, double value);
void copy(const View& out, const View& in);
/// Throws DTypeError for integers unless the operation is neg or abs of a signed one.
void unary(Unary op, const View& out, const View& in);
void binary(Binary op, const View& out, const View& a, const View& b);
void select(const View& out, const View& cond, const View& a, const View& b);

/// Any dtype and strides, not fast. Floats are summed in double; for integers beta is first converted to the dtype.
void matmul(const View& out, const View& a, const View& b, double beta);
/// Floats are summed in double, doubles with compensation, so the error does not grow with the number of terms.
void reduce(Reduction op, const View& out, const View& in);
void cumsum(const View& out, const View& in, int axis);

/// Ids are all checked before anything is written; a bad one throws ShapeError naming it and the extent.
void gather(const View& out, const View& table, const View& ids);
void scatter_add(const View& table, const View& ids, const View& rows);
/// Throws ShapeError when k exceeds the number of columns.
void topk(const View& values, const View& indices, const View& in);

/// Throws DTypeError unless out is floating.
void uniform(const View& out, std::uint64_t seed, std::uint64_t counter);

}  // namespace chronotope::cpu
