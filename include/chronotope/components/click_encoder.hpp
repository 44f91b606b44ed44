#pragma once
// Embeddings of click samples: what every click model shares, whatever reads the behaviours.

#include <map>

#include "chronotope/components/click_concepts.hpp"
#include "chronotope/nn/layers.hpp"

namespace chronotope {

struct ClickEncoderOptions {
  std::int64_t embedding = 16;  ///< width of an embedded id
  std::int64_t key = 32;        ///< d_k
  std::int64_t kept = 50;       ///< k
  double deviation = 0.05;      ///< of initial embeddings
  DType dtype = DType::f32;
};

/// One table for each IdColumn::table of the schema, one for hours and one for weekdays.
///   hour, week   of the request
///   item         all id columns of part item
///   location     id columns of part context whose table behaviours use too: where the request is
///   others       all other id columns, then the numbers
///   keys         a layer over all columns of a behaviour, its hour and weekday and its numbers; what it makes of the 168
///                hours of a week is computed once a batch
template <Backend B> class ClickEncoder {
 public:
  using backend = B;

  /// Throws ConfigError when the schema lacks a part that queries need, and for widths below 1.
  ClickEncoder(Context<B>& context, const ClickSchema& schema, const ClickEncoderOptions& o)
      : schema_(schema), options_(checked(o)), key(context, key_inputs(schema, o), o.key, true, o.dtype, 1 / std::sqrt(static_cast<double>(key_inputs(schema, o)))) {
    for (const auto& columns : {schema.ids, schema.behaviour_ids})
      for (const auto& column : columns)
        if (!table_of_.contains(column.table)) add(context, column.table, column.rows);
    add(context, hours, 24), add(context, weekdays, 7);
    for (std::size_t i = 0; i < schema.ids.size(); ++i) part_of(schema.ids[i]).push_back(i);
    for (const auto& [name, columns] : {std::pair{"item", &item_}, std::pair{"context column of a table of behaviours", &location_}})
      if (columns->empty()) throw ConfigError(std::string("a click model needs an id column of the ") + name);
  }

  ClickWidths widths() const {
    const std::int64_t e = options_.embedding;
    const auto n = [](const auto& columns) { return static_cast<std::int64_t>(columns.size()); };
    return {e, e, e * n(location_), e * n(item_), options_.key, options_.kept};
  }
  /// Of EncodedClicks::others.
  std::int64_t others() const {
    return options_.embedding * static_cast<std::int64_t>(others_.size()) + static_cast<std::int64_t>(schema_.numbers.size());
  }

  EncodedClicks<B> encode(Context<B>& context, const ClickBatch& batch) const {
    const ModuleScope scope("click_encoder");
    const Shape rows{batch.samples}, all{batch.samples * batch.kept};
    const auto of = [&](const std::vector<std::size_t>& columns) { return embedded(context, batch, columns, rows); };
    const Tensor<B> holiday = numbers(context, batch.holiday, {batch.samples, 1});
    RequestParts<B> request{gather(table(hours), upload(context, batch.hour, rows)), gather(table(weekdays), upload(context, batch.weekday, rows)),
                            of(location_), of(item_), holiday};
    const Tensor<B> keys = reshape(linear_grouped(behaviours(context, batch, all), key_weight(), key_biases(), upload(context, hours_of_week(batch), all)),
                                   {batch.samples, batch.kept, options_.key});
    std::vector<Tensor<B>> rest;
    if (!others_.empty()) rest.push_back(of(others_));
    if (!schema_.numbers.empty()) rest.push_back(numbers(context, batch.numbers, {batch.samples, static_cast<std::int64_t>(schema_.numbers.size())}));
    const Tensor<B> others = rest.empty() ? full<B>(context, {batch.samples, 0}, 0, options_.dtype) : concat(rest, 1);
    const Tensor<B> valid = Tensor<B>::from_host(context, batch.valid, {batch.samples, batch.kept});
    return {{batch, std::move(request), keys, valid}, others};
  }

  template <class V> void visit(V&& v) {
    for (auto& [name, number] : table_of_) v("table." + name, tables[number]);
    v("key", key);
  }

 private:
  static constexpr const char* hours = "hour of day";
  static constexpr const char* weekdays = "weekday";

  static const ClickEncoderOptions& checked(const ClickEncoderOptions& o) {
    if (o.embedding < 1 || o.key < 1 || o.kept < 1) throw ConfigError("a click encoder needs an embedding, a key width and a number of behaviours of at least 1");
    return o;
  }
  static std::int64_t key_inputs(const ClickSchema& schema, const ClickEncoderOptions& o) {
    return o.embedding * static_cast<std::int64_t>(schema.behaviour_ids.size() + 2) + static_cast<std::int64_t>(schema.behaviour_numbers.size());
  }
  void add(Context<B>& context, const std::string& name, std::int64_t rows) {
    table_of_.emplace(name, tables.size());
    tables.emplace_back(context, rows, options_.embedding, options_.dtype, options_.deviation);
  }
  std::vector<std::size_t>& part_of(const ClickSchema::Ids& column) {
    if (column.part == FeaturePart::item) return item_;
    const auto shares = [&](const ClickSchema::Ids& b) { return b.table == column.table; };
    const bool where = column.part == FeaturePart::context && std::any_of(schema_.behaviour_ids.begin(), schema_.behaviour_ids.end(), shares);
    return where ? location_ : others_;
  }

  Tensor<B> table(const std::string& name) const { return tables[table_of_.at(name)].weight(); }
  static Tensor<B> upload(Context<B>& context, const std::vector<std::int32_t>& ids, const Shape& shape) { return Tensor<B>::from_host(context, ids, shape); }
  Tensor<B> numbers(Context<B>& context, const std::vector<float>& values, const Shape& shape) const {
    return cast(Tensor<B>::from_host(context, values, shape), options_.dtype);
  }
  Tensor<B> embedded(Context<B>& context, const ClickBatch& batch, const std::vector<std::size_t>& columns, const Shape& rows) const {
    std::vector<Tensor<B>> from, ids;
    for (std::size_t i : columns) from.push_back(table(schema_.ids[i].table)), ids.push_back(upload(context, batch.ids[i], rows));
    return gather_concat(from, ids);
  }
  /// [B k, inputs of the key layer but for hour and weekday]
  Tensor<B> behaviours(Context<B>& context, const ClickBatch& batch, const Shape& all) const {
    std::vector<Tensor<B>> from, ids;
    for (std::size_t i = 0; i < schema_.behaviour_ids.size(); ++i)
      from.push_back(table(schema_.behaviour_ids[i].table)), ids.push_back(upload(context, batch.behaviour_ids[i], all));
    const Tensor<B> x = gather_concat(from, ids);
    const auto n = static_cast<std::int64_t>(schema_.behaviour_numbers.size());
    return n ? concat(std::vector<Tensor<B>>{x, numbers(context, batch.behaviour_numbers, {all[0], n})}, 1) : x;
  }
  /// The key layer's columns for behaviours(): all but those of the hour's and the weekday's embedding, which follow the ids'.
  Tensor<B> key_weight() const {
    const Tensor<B> w = key.weight();
    const std::int64_t ids = options_.embedding * static_cast<std::int64_t>(schema_.behaviour_ids.size()), rest = ids + 2 * options_.embedding;
    return concat(std::vector<Tensor<B>>{slice(w, 1, 0, ids), slice(w, 1, rest, w.size(1))}, 1);
  }
  /// What the key layer makes of each hour of the week, and its bias: [7 24, d_k].
  Tensor<B> key_biases() const {
    const std::int64_t e = options_.embedding, ids = e * static_cast<std::int64_t>(schema_.behaviour_ids.size());
    const Tensor<B> hour = linear(table(hours), slice(key.weight(), 1, ids, ids + e)), weekday = linear(table(weekdays), slice(key.weight(), 1, ids + e, ids + 2 * e));
    return reshape(unsqueeze(weekday, 1) + unsqueeze(hour + (*key.bias)(), 0), {7 * 24, options_.key});
  }
  /// [B k] 24 x weekday + hour. Throws DataError for what is no hour or weekday.
  static std::vector<std::int32_t> hours_of_week(const ClickBatch& batch) {
    std::vector<std::int32_t> hours(batch.behaviour_hour.size());
    for (std::size_t i = 0; i < hours.size(); ++i) {
      const std::int32_t hour = batch.behaviour_hour[i], weekday = batch.behaviour_weekday[i];
      if (hour < 0 || hour >= 24 || weekday < 0 || weekday >= 7)
        throw DataError("a click batch has a behaviour at hour " + std::to_string(hour) + " of weekday " + std::to_string(weekday) + "; 0 to 23 and 0 to 6 are possible");
      hours[i] = 24 * weekday + hour;
    }
    return hours;
  }

  ClickSchema schema_;
  ClickEncoderOptions options_;
  std::map<std::string, std::size_t> table_of_;
  std::vector<std::size_t> item_, location_, others_;  ///< columns of the schema

 public:
  Linear<B> key;                      ///< of all that is embedded of a behaviour -> d_k
  std::vector<Embedding<B>> tables;
};

}  // namespace chronotope
