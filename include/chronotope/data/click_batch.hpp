#pragma once
// Samples of a click log as a model takes them in: columns of B requests, and of the k behaviours that the search kept of
// each. Host memory only.

#include <string>
#include <vector>

#include "chronotope/data/clicks.hpp"

namespace chronotope {

/// The columns of a log without their values: what a model is made for.
struct ClickSchema {
  struct Ids {
    std::string name, table;
    FeaturePart part = FeaturePart::context;
    std::int32_t rows = 1;  ///< of the table
    bool operator==(const Ids&) const = default;
  };
  struct Numbers {
    std::string name;
    FeaturePart part = FeaturePart::context;
    bool operator==(const Numbers&) const = default;
  };
  std::vector<Ids> ids, behaviour_ids;
  std::vector<Numbers> numbers, behaviour_numbers;
  bool conversion = false;  ///< whether conversions are recorded
  bool operator==(const ClickSchema&) const = default;
};

ClickSchema schema_of(const ClickLog& log);

/// The schema as JSON, as it stands in checkpoints, and back. parse_schema throws FormatError, saying where, for text that is
/// not JSON or no schema.
std::string schema_json(const ClickSchema& schema);
ClickSchema parse_schema(const std::string& json);

/// Whether a model made for `schema` can take the log: it must have every column of the schema, of the same part, table and
/// rows, and conversions if the schema has. Other columns, and the order, do not matter. Throws DataError naming the first
/// column of the schema that is missing or differs, and how. O(columns^2).
void check_schema(const ClickSchema& schema, const ClickLog& log);

/// B samples. Behaviours run from the oldest to the newest with padding in front; what stands in padding is 0.
struct ClickBatch {
  std::int64_t samples = 0, kept = 0, materials = 0;      ///< B, k, M
  std::vector<float> click, conversion;                   ///< [B] 0 or 1; conversion is empty where not recorded
  std::vector<std::int32_t> hour, weekday;                ///< [B] of the request
  std::vector<float> holiday;                             ///< [B] 1 on a holiday
  std::vector<std::vector<std::int32_t>> ids;             ///< one a column of ClickSchema::ids, [B]
  std::vector<float> numbers;                             ///< [B, columns of ClickSchema::numbers]
  std::vector<std::uint8_t> valid;                        ///< [B, k] 0 in padding
  std::vector<std::int32_t> behaviour_hour, behaviour_weekday;  ///< [B, k]
  std::vector<std::vector<std::int32_t>> behaviour_ids;   ///< one a column of ClickSchema::behaviour_ids, [B, k]
  std::vector<float> behaviour_numbers;                   ///< [B, k, columns of ClickSchema::behaviour_numbers]
  std::vector<float> age;                                 ///< [B, k] days from the behaviour to the request
  std::vector<std::uint8_t> review;                       ///< [B, M, k] 1 where the behaviour lies in the request's group
};

}  // namespace chronotope
