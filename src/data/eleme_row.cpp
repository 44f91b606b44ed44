#include "eleme_row.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "checkin_rules.hpp"
#include "chronotope/data/calendar.hpp"
#include "chronotope/data/geohash.hpp"
#include "eleme_values.hpp"

namespace chronotope::eleme {
namespace {


/// How the text of a field becomes an id.
enum class Coding : std::uint8_t { hashed, counted, time_type, geohash };

struct IdField {
  const char* name;
  const char* table;
  Field field;
  FeaturePart part;
  Coding coding;
  std::int32_t ElemeTables::*rows;  // null: small_table
};

using T = ElemeTables;
constexpr IdField sample_ids[] = {
    {"user", "user", user_id, FeaturePart::user, Coding::hashed, &T::user},
    {"gender", "gender", gender, FeaturePart::user, Coding::counted, nullptr},
    {"visit_city", "city", visit_city, FeaturePart::user, Coding::hashed, &T::city},
    {"supervip", "supervip", is_supervip, FeaturePart::user, Coding::counted, nullptr},
    {"shop", "shop", shop_id, FeaturePart::item, Coding::hashed, &T::shop},
    {"item", "item", item_id, FeaturePart::item, Coding::hashed, &T::item},
    {"city", "city", city_id, FeaturePart::item, Coding::hashed, &T::city},
    {"district", "district", district_id, FeaturePart::item, Coding::hashed, &T::district},
    {"aoi", "aoi", shop_aoi_id, FeaturePart::item, Coding::hashed, &T::aoi},
    {"geohash", "geohash", shop_geohash_6, FeaturePart::item, Coding::geohash, &T::geohash},
    {"brand", "brand", brand_id, FeaturePart::item, Coding::hashed, &T::brand},
    {"category", "category", category_1_id, FeaturePart::item, Coding::hashed, &T::category},
    {"food", "food", merge_standard_food_id, FeaturePart::item, Coding::hashed, &T::food},
    {"time_type", "time_type", time_type, FeaturePart::context, Coding::time_type, nullptr},
    {"request_geohash", "geohash", geohash12, FeaturePart::context, Coding::geohash, &T::geohash},
};
constexpr IdField behaviour_ids[] = {
    {"shop", "shop", shop_id_list, FeaturePart::item, Coding::hashed, &T::shop},
    {"item", "item", item_id_list, FeaturePart::item, Coding::hashed, &T::item},
    {"category", "category", category_1_id_list, FeaturePart::item, Coding::hashed, &T::category},
    {"food", "food", merge_standard_food_id_list, FeaturePart::item, Coding::hashed, &T::food},
    {"brand", "brand", brand_id_list, FeaturePart::item, Coding::hashed, &T::brand},
    {"aoi", "aoi", shop_aoi_id_list, FeaturePart::item, Coding::hashed, &T::aoi},
    {"geohash", "geohash", shop_geohash6_list, FeaturePart::item, Coding::geohash, &T::geohash},
    {"time_type", "time_type", time_type_list, FeaturePart::context, Coding::time_type, nullptr},
};

struct NumberField {
  const char* name;
  Field field;
  FeaturePart part;
};
constexpr NumberField sample_numbers[] = {
    {"avg_price", avg_price, FeaturePart::user}, {"ctr_30", ctr_30, FeaturePart::user},
    {"ord_30", ord_30, FeaturePart::user},       {"total_amt_30", total_amt_30, FeaturePart::user},
    {"rank_7", rank_7, FeaturePart::item},       {"rank_30", rank_30, FeaturePart::item},
    {"rank_90", rank_90, FeaturePart::item},     {"distance", geohash12, FeaturePart::context},
};
constexpr std::size_t number_count = std::size(sample_numbers), distance_index = number_count - 1;

std::int32_t rows_of(const IdField& column, const ElemeTables& tables) {
  return column.rows ? tables.*column.rows : small_table;
}

std::int32_t id_of(const IdField& column, std::string_view text, std::int32_t rows) {
  switch (column.coding) {
    case Coding::counted: return counted_id(column.field, text);
    case Coding::time_type: return time_type_id(text);
    case Coding::geohash: return geohash_id(geohash_of(column.field, text), rows);
    case Coding::hashed: break;
  }
  return is_empty(text) ? 0 : hashed_id(hash(text), rows);
}

template <class Columns> void cut_values(Columns& columns, std::size_t size) {
  for (auto& column : columns) column.values.resize(std::min(size, column.values.size()));
}

void cut_times(ClickColumns::Times& at, std::size_t size) {
  at.time.resize(std::min(size, at.time.size()));
  at.hour.resize(std::min(size, at.hour.size()));
  at.weekday.resize(std::min(size, at.weekday.size()));
  at.geohash.resize(std::min(size, at.geohash.size()));
}

}  // namespace

RowParser::RowParser(const ElemeOptions& options) : options_(options) {
  for (const IdField& c : sample_ids) columns_.ids.push_back({c.name, c.table, c.part, rows_of(c, options.tables), {}});
  for (const IdField& c : behaviour_ids)
    columns_.behaviour_ids.push_back({c.name, c.table, c.part, rows_of(c, options.tables), {}});
  for (const NumberField& n : sample_numbers) {
    columns_.numbers.push_back({n.name, n.part, {}});
    const std::string bucket = std::string(n.name) + "_bucket";
    if (options.number_buckets > 0) columns_.ids.push_back({bucket, bucket, n.part, options.number_buckets + 1, {}});
  }
  columns_.behaviour_numbers.push_back({"price", FeaturePart::item, {}});
}

void RowParser::add(std::string_view row, Split split) {
  const std::size_t samples = columns_.click.size(), behaviours = columns_.behaviours_at.time.size();
  const RowCounts counts = counts_;
  try {
    split_fields(row);
    add_sample(split);
  } catch (const RowFault&) {
    cut(samples, behaviours);
    counts_ = counts;
    throw;
  }
}

void RowParser::split_fields(std::string_view row) {
  const char* at = row.data();
  const char* const end = at + row.size();
  std::size_t count = 0;
  for (;; ++count) {
    const void* const comma = at == end ? nullptr : std::memchr(at, ',', static_cast<std::size_t>(end - at));
    const char* const stop = comma ? static_cast<const char*>(comma) : end;
    if (count < field_count) fields_[count] = {at, static_cast<std::size_t>(stop - at)};
    if (!comma) break;
    at = stop + 1;
  }
  if (count + 1 != field_count)
    throw RowFault{field_count, true,
                   "has " + std::to_string(count + 1) +
                       " comma-separated field(s) where there must be 39; correct or remove the row"};
}

void RowParser::add_sample(Split split) {
  const std::string_view click = fields_[label];
  if (click != "0" && click != "1") fail(label, click, "is not a label; it must be 0 (no click) or 1 (click)");
  columns_.click.push_back(click == "1");
  const Request request = add_request();
  if (options_.split_of_input.empty()) {
    const auto since = [&](std::int64_t from) { return from != 0 && request.time >= from; };
    split = since(options_.test_from)         ? Split::test
            : since(options_.validation_from) ? Split::validation
                                              : Split::train;
  }
  columns_.split.push_back(split);
  add_sample_ids(request);
  add_sample_numbers();
  columns_.first.push_back(columns_.behaviours_at.time.size());
  add_behaviours(request);
  columns_.last.push_back(columns_.behaviours_at.time.size());
}

RowParser::Request RowParser::add_request() {
  const auto utc =
      number<std::int64_t>(times, fields_[times], "is not a time; times are whole seconds since 1970-01-01 UTC");
  if (!is_utc_time(utc)) fail(times, fields_[times], "is not a time between the years 1970 and 2200");
  const Request request{utc + 60 * options_.utc_offset_minutes, geohash_of(geohash12, fields_[geohash12])};
  const int hour = hour_of(hours, fields_[hours]), day = weekday_of(weekdays, fields_[weekdays], options_.monday);
  const CalendarFields clock = calendar_fields(request.time);
  counts_.hour_differs += hour != clock.hour;
  counts_.weekday_differs += day != clock.weekday;
  columns_.at.add(request.time, hour, day, request.geohash);
  return request;
}

void RowParser::add_sample_ids(const Request& request) {
  for (std::size_t i = 0; i < std::size(sample_ids); ++i) {
    auto& column = columns_.ids[i];
    const IdField& source = sample_ids[i];
    column.values.push_back(source.field == geohash12 ? geohash_id(request.geohash, column.rows)
                                                      : id_of(source, fields_[source.field], column.rows));
  }
}

void RowParser::add_sample_numbers() {
  for (std::size_t i = 0; i < distance_index; ++i) add_number(i, sample_numbers[i].field);
  const bool known = geohash_of(shop_geohash_12, fields_[shop_geohash_12]) && geohash_of(geohash12, fields_[geohash12]);
  double km = 0;
  if (known) {
    const auto shop = geohash_centre(fields_[shop_geohash_12]), asked = geohash_centre(fields_[geohash12]);
    km = distance_km(shop[0], shop[1], asked[0], asked[1]);
  }
  add_number_value(distance_index, km, known);
}

void RowParser::add_number(std::size_t index, std::size_t field) {
  double value;
  const bool known = known_number(field, fields_[field], value);
  add_number_value(index, value, known);
}

void RowParser::add_number_value(std::size_t index, double value, bool known) {
  columns_.numbers[index].values.push_back(static_cast<float>(std::log1p(value) / (index == distance_index ? 1 : 4)));
  if (options_.number_buckets == 0) return;
  const double step = std::min(std::floor(2 * std::log2(1 + value)), options_.number_buckets - 1.0);
  columns_.ids[std::size(sample_ids) + index].values.push_back(known ? 1 + static_cast<std::int32_t>(step) : 0);
}

void RowParser::add_behaviours(const Request& request) {
  const std::size_t count = read_ages();
  order_ages();
  add_behaviour_moments(request, count);
  add_behaviour_ids(count);
  split_list(price_list, count);
  auto& prices = columns_.behaviour_numbers[0].values;
  for (const std::uint32_t i : order_) {
    double price;
    known_number(price_list, entries_[i], price);
    prices.push_back(static_cast<float>(std::log1p(price) / 4));
  }
}

/// Seconds before the request; their number is that of all lists.
std::size_t RowParser::read_ages() {
  split_list(timediff_list, 0);
  ages_.clear();
  for (const std::string_view entry : entries_) {
    const double age = options_.timediff_seconds *
                       number<double>(timediff_list, entry, "is not a number; every behaviour needs its time");
    if (!(age >= 0)) fail(timediff_list, entry, "lies after the request; only what came before may be in the lists");
    if (age > year_2200) fail(timediff_list, entry, "lies more than two centuries back; see timediff_seconds");
    ages_.push_back(std::llround(age));
  }
  return ages_.size();
}

void RowParser::order_ages() {
  const bool rising = std::is_sorted(ages_.begin(), ages_.end());
  const bool falling = std::is_sorted(ages_.rbegin(), ages_.rend());
  counts_.newest_first += rising && !falling;
  counts_.oldest_first += falling && !rising;
  const ListOrder wanted = options_.order;
  const bool fits = wanted == ListOrder::sort || (wanted == ListOrder::newest_first && rising) ||
                    (wanted == ListOrder::oldest_first && falling) ||
                    (wanted == ListOrder::detect && (rising || falling));
  if (!fits)
    throw RowFault{timediff_list, false,
                   wanted == ListOrder::detect ? "is neither rising nor falling; ListOrder::sort accepts any order"
                                               : "does not run in the order that was set; see ListOrder"};
  order_.resize(ages_.size());
  std::iota(order_.begin(), order_.end(), 0u);
  const bool oldest_first = wanted == ListOrder::oldest_first || (wanted == ListOrder::detect && !rising);
  if (!oldest_first) std::reverse(order_.begin(), order_.end());
  if (wanted == ListOrder::sort)
    std::stable_sort(order_.begin(), order_.end(), [&](auto a, auto b) { return ages_[a] > ages_[b]; });
}

/// Entries of a list field. Nothing is an empty list, or the one unknown entry of lists of one.
void RowParser::split_list(std::size_t field, std::size_t count) {
  const std::string_view text = fields_[field];
  entries_.clear();
  if (!text.empty()) {
    const char* begin = text.data();
    const char* const end = begin + text.size();
    for (const char* at = begin; at != end; ++at) {
      if (*at != ';') continue;
      entries_.emplace_back(begin, static_cast<std::size_t>(at - begin));
      begin = at + 1;
    }
    entries_.emplace_back(begin, static_cast<std::size_t>(end - begin));
  } else if (field != timediff_list && count == 1) {
    entries_.emplace_back();
  }
  if (field == timediff_list || entries_.size() == count) return;
  throw RowFault{field, false,
                 "has " + std::to_string(entries_.size()) + " entries where timediff_list has " +
                     std::to_string(count) + "; all lists of a row must be equally long"};
}

/// Where hour or weekday is empty, the clock says it.
void RowParser::add_behaviour_moments(const Request& request, std::size_t count) {
  auto& at = columns_.behaviours_at;
  for (const std::uint32_t i : order_) at.time.push_back(request.time - ages_[i]);
  split_list(hours_list, count);
  for (const std::uint32_t i : order_) {
    const std::string_view entry = entries_[i];
    const int hour = is_empty(entry) ? calendar_fields(request.time - ages_[i]).hour : hour_of(hours_list, entry);
    at.hour.push_back(static_cast<std::uint8_t>(hour));
  }
  split_list(weekdays_list, count);
  for (const std::uint32_t i : order_) {
    const std::string_view entry = entries_[i];
    const int day =
        is_empty(entry) ? calendar_fields(request.time - ages_[i]).weekday : weekday_of(weekdays_list, entry, options_.monday);
    at.weekday.push_back(static_cast<std::uint8_t>(day));
  }
}

void RowParser::add_behaviour_ids(std::size_t count) {
  for (std::size_t c = 0; c < std::size(behaviour_ids); ++c) {
    const IdField& source = behaviour_ids[c];
    auto& column = columns_.behaviour_ids[c];
    split_list(source.field, count);
    if (source.coding != Coding::geohash) {
      for (const std::uint32_t i : order_) column.values.push_back(id_of(source, entries_[i], column.rows));
      continue;
    }
    for (const std::uint32_t i : order_) {
      const std::uint32_t packed = geohash_of(source.field, entries_[i]);
      columns_.behaviours_at.geohash.push_back(packed);
      column.values.push_back(geohash_id(packed, column.rows));
    }
  }
}

void RowParser::clear() {
  cut(0, 0);
  counts_ = {};
}

void RowParser::cut(std::size_t samples, std::size_t behaviours) {
  columns_.click.resize(samples);
  columns_.split.resize(std::min(samples, columns_.split.size()));
  columns_.first.resize(std::min(samples, columns_.first.size()));
  columns_.last.resize(std::min(samples, columns_.last.size()));
  cut_times(columns_.at, samples);
  cut_values(columns_.ids, samples);
  cut_values(columns_.numbers, samples);
  cut_times(columns_.behaviours_at, behaviours);
  cut_values(columns_.behaviour_ids, behaviours);
  cut_values(columns_.behaviour_numbers, behaviours);
}

}  // namespace chronotope::eleme
