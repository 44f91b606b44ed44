#include "parity/rows.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"

namespace chronotope::parity {

namespace {

using Json = nlohmann::json;

// JSON has no NaN.
Json number(double x) { return std::isfinite(x) ? Json(x) : Json(nullptr); }
double number(const Json& x) { return x.is_null() ? NAN : x.get<double>(); }

DType dtype_named(const std::string& name) {
  for (const DType t : {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8})
    if (to_string(t) == name) return t;
  throw FormatError("no dtype is called '" + name + "'");
}

}  // namespace

void Measured::add(const Measured& more) {
  rows.insert(rows.end(), more.rows.begin(), more.rows.end());
  left_out.insert(left_out.end(), more.left_out.begin(), more.left_out.end());
}

bool Measured::in_parity() const {
  return !rows.empty() && std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.share <= 1; });
}

Measured read(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw FileError(path + ": cannot be read");
  try {
    const Json all = Json::parse(file);
    Measured measured;
    for (const Json& row : all.at("rows"))
      measured.rows.push_back({row.at("operation"), row.at("backend"), dtype_named(row.at("dtype")), row.at("compared"), number(row.at("share")),
                               row.at("hook"), row.at("composed")});
    measured.left_out = all.at("left_out").get<std::vector<std::string>>();
    return measured;
  } catch (const std::exception& e) {
    throw FormatError(path + ": " + e.what());
  }
}

void write(const std::string& path, const Measured& measured) {
  Json rows = Json::array();
  for (const Row& row : measured.rows)
    rows.push_back({{"operation", row.operation}, {"backend", row.backend}, {"dtype", to_string(row.dtype)}, {"compared", row.compared},
                    {"share", number(row.share)}, {"hook", row.hook}, {"composed", row.composed}});
  write_file_atomically(path, Json{{"rows", rows}, {"left_out", measured.left_out}}.dump(1) + "\n");
}

}  // namespace chronotope::parity
