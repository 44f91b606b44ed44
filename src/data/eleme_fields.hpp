#pragma once
// The 39 fields of an Ele.me row, in their order.

#include <array>
#include <cstddef>

namespace chronotope::eleme {

enum Field : std::size_t {
  label, user_id, gender, visit_city, avg_price, is_supervip, ctr_30, ord_30, total_amt_30,
  shop_id, item_id, city_id, district_id, shop_aoi_id, shop_geohash_6, shop_geohash_12, brand_id, category_1_id,
  merge_standard_food_id, rank_7, rank_30, rank_90,
  shop_id_list, item_id_list, category_1_id_list, merge_standard_food_id_list, brand_id_list, price_list,
  shop_aoi_id_list, shop_geohash6_list, timediff_list, hours_list, time_type_list, weekdays_list,
  times, hours, time_type, weekdays, geohash12,
  field_count
};

inline constexpr std::array<const char*, field_count> names{
    "label", "user_id", "gender", "visit_city", "avg_price", "is_supervip", "ctr_30", "ord_30", "total_amt_30",
    "shop_id", "item_id", "city_id", "district_id", "shop_aoi_id", "shop_geohash_6", "shop_geohash_12", "brand_id",
    "category_1_id", "merge_standard_food_id", "rank_7", "rank_30", "rank_90",
    "shop_id_list", "item_id_list", "category_1_id_list", "merge_standard_food_id_list", "brand_id_list", "price_list",
    "shop_aoi_id_list", "shop_geohash6_list", "timediff_list", "hours_list", "time_type_list", "weekdays_list",
    "times", "hours", "time_type", "weekdays", "geohash12"};

inline constexpr std::array<const char*, 5> time_types{"breakfast", "lunch", "tea", "dinner", "night"};

}  // namespace chronotope::eleme
