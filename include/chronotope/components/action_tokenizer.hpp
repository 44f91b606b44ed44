#pragma once
// Logged actions to the tokens of a model, by an index of places and a vocabulary.

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chronotope/components/token_batch.hpp"
#include "chronotope/components/text_tokenizer.hpp"
#include "chronotope/components/tokenizer.hpp"
#include "chronotope/data/action_log.hpp"
#include "chronotope/data/place_catalogue.hpp"

namespace chronotope {

/// What the ids of a model of actions mean; kept in its checkpoint.
struct ActionVocabulary {
  std::uint64_t index = 0;               ///< fingerprint of the index of places
  std::vector<std::string> categories;   ///< ascending; category i has id i + 1
  std::vector<std::string> types;        ///< of actions; likewise
  GeoCells cells = GeoCells::geohash;
  std::int32_t geo_rows = 2048;          ///< rows of a geo table; one more stands for "no position"
  std::int64_t validation_from = 0, test_from = 0;  ///< UTC seconds at which these splits begin
  TextTokenizer profiles;                ///< of users

  /// As JSON text and back; parse throws FormatError.
  std::string to_json() const;
  static ActionVocabulary parse(const std::string& json);
};

/// A place as models read it.
struct SeenPlace {
  static constexpr float nowhere = std::numeric_limits<float>::quiet_NaN();
  std::uint32_t place = 0;                          ///< number in the catalogue; 0: not in the index
  std::int32_t category = 0;                        ///< id of the vocabulary
  float latitude = nowhere, longitude = nowhere;    ///< degrees
  bool placed() const { return latitude == latitude; }  // not NaN
};

/// An action of a user as models read it.
struct PastAction : SeenPlace {
  std::int32_t type = 0;                            ///< id of the vocabulary
  float user_latitude = nowhere, user_longitude = nowhere;
  std::int64_t utc = 0, local = 0;                  ///< seconds
  bool interest = true;                             ///< interest-based: what a model learns to predict
  bool user_placed() const { return user_latitude == user_latitude; }
};

/// UTC seconds to the wall clock: by the offset in minutes, else by the meridian of `at`, else UTC.
std::int64_t local_time(std::int64_t utc, const std::optional<int>& offset, const std::optional<GeoPosition>& at);

/// Where and when something is asked.
struct RequestContext {
  std::int64_t local = 0;  ///< wall clock, seconds
  std::optional<GeoPosition> position;
};

/// Holds index and vocabulary; copies share them.
class ActionTokenizer {
 public:
  /// Throws DataError when the vocabulary was made for another version of the index.
  ActionTokenizer(PlaceCatalogue places, ActionVocabulary vocabulary);

  const PlaceCatalogue& places() const { return parts_->places; }
  const ActionVocabulary& vocabulary() const { return parts_->vocabulary; }

  /// Position and category are the index's where it knows the place, else those given.
  SeenPlace seen(std::string_view place, const std::optional<GeoPosition>& position, std::string_view category) const;
  /// A place of the catalogue.
  SeenPlace seen(std::uint32_t place) const;
  /// Without an offset local time is that of the meridian: UTC + 1 h for every 15 degrees of longitude. Throws DataError for a
  /// position or time out of range.
  PastAction past(const LoggedAction& action) const;

  /// 0 for a name that is not known, and for "".
  std::int32_t category(std::string_view name) const;
  std::int32_t type(std::string_view name) const;

  ContextInput context(const PastAction& action) const;
  ContextInput context(const RequestContext& request) const;
  /// A place's tokens. One that is not in the index has the block it lies in and inner 0.
  std::int32_t block(const SeenPlace& place) const;
  InnerInput inner(const SeenPlace& place) const;

 private:
  struct Parts {
    PlaceCatalogue places;
    ActionVocabulary vocabulary;
  };
  std::array<std::int32_t, geo_parts> where(double latitude, double longitude) const;

  std::shared_ptr<const Parts> parts_;
};

}  // namespace chronotope
