#include "chronotope/data/place_list.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "checkin_builder.hpp"
#include "checkin_rules.hpp"
#include "chronotope/core/error.hpp"
#include "csv_fields.hpp"
#include "earth.hpp"

namespace chronotope {
namespace {

constexpr std::size_t chunk_places = std::size_t{1} << 16, chunk_text = std::size_t{1} << 20;

struct StoredPlace {
  double latitude, longitude, popularity;
  const char* id;
  std::int32_t category;
  std::uint32_t id_bytes;
};

}  // namespace

// Chunks, as a vector that doubles holds everything twice for a while.
class PlaceList::State {
 public:
  explicit State(std::string source) : source_(std::move(source)) { categories_.add(""); }

  void add(const IndexedPlace& p) {
    check(p);
    if (size_ % chunk_places == 0) drafts_.push_back(std::make_unique<StoredPlace[]>(chunk_places));
    drafts_.back()[size_ % chunk_places] = {p.latitude,
                                            p.longitude,
                                            p.popularity,
                                            keep(p.id),
                                            categories_.add(p.category),
                                            static_cast<std::uint32_t>(p.id.size())};
    ++size_;
  }

  std::size_t size() const { return size_; }

  IndexedPlace at(std::size_t place) const {
    const StoredPlace& d = drafts_[place / chunk_places][place % chunk_places];
    return {{d.id, d.id_bytes}, d.latitude, d.longitude, d.popularity, categories_.text(d.category)};
  }

  std::string title(std::size_t place) const {
    return source_.empty() ? "place " + std::to_string(place + 1) : source_ + ": row " + std::to_string(place + 2);
  }

 private:
  void check(const IndexedPlace& p) const {
    const auto fail = [&](const std::string& rule) { throw DataError(title(size_) + ": " + rule); };
    if (p.id.empty()) fail("the place has no id; every place needs one");
    if (p.id.size() > most_place_text)
      fail("the id " + shown(p.id) + " has " + std::to_string(p.id.size()) + " bytes; at most 1,024 are allowed");
    if (p.category.size() > most_place_text)
      fail("the category " + shown(p.category) + " has " + std::to_string(p.category.size()) +
           " bytes; at most 1,024 are allowed");
    if (!is_on_earth(p.latitude, p.longitude))
      fail(shown(p.id) + " lies at (" + std::to_string(p.latitude) + ", " + std::to_string(p.longitude) +
           "), outside the world: latitude lies between -90 and 90, longitude between -180 and 180 degrees");
    if (!(p.popularity >= 0 && std::isfinite(p.popularity)))
      fail(shown(p.id) + " has the popularity " + std::to_string(p.popularity) + "; it counts actions: 0 or more");
    if (size_ >= std::numeric_limits<std::uint32_t>::max() / 2)
      fail("more than 2,147,483,647 places; make several indexes");
  }

  const char* keep(std::string_view text) {
    if (texts_.empty() || used_ + text.size() > chunk_text)
      texts_.push_back(std::make_unique<char[]>(chunk_text)), used_ = 0;
    char* const to = texts_.back().get() + used_;
    std::memcpy(to, text.data(), text.size());
    used_ += text.size();
    return to;
  }

  std::string source_;
  std::size_t size_ = 0, used_ = 0;
  std::vector<std::unique_ptr<StoredPlace[]>> drafts_;
  std::vector<std::unique_ptr<char[]>> texts_;
  Interner categories_;
};

PlaceList::PlaceList(std::string source) : state_(std::make_unique<State>(std::move(source))) {}
PlaceList::~PlaceList() = default;
PlaceList::PlaceList(PlaceList&&) noexcept = default;
PlaceList& PlaceList::operator=(PlaceList&&) noexcept = default;
void PlaceList::add(const IndexedPlace& place) { state_->add(place); }
std::size_t PlaceList::size() const { return state_->size(); }
IndexedPlace PlaceList::operator[](std::size_t place) const { return state_->at(place); }
std::string PlaceList::title(std::size_t place) const { return state_->title(place); }

namespace {

std::size_t needed_column(const CsvReader& csv, std::string_view name) {
  const std::size_t found = find_column(csv, name);
  if (found == no_column)
    throw FormatError(csv.path() + ": row 1: the column " + std::string(name) +
                      " is missing; a file of places needs place, latitude and longitude (docs/data.md)");
  return found;
}

double popularity_field(const CsvReader& csv, std::size_t column) {
  const auto value = parse_field<double>(csv, column);
  if (!value || !(*value >= 0 && std::isfinite(*value)))
    reject_field(csv, column, "is no popularity; write how many actions the place has had: 0 or more");
  return *value;
}

std::string_view short_text(const CsvReader& csv, std::size_t column) {
  if (csv.field(column).size() > most_place_text)
    reject_field(csv, column, "has " + std::to_string(csv.field(column).size()) + " bytes; at most 1,024 are allowed");
  return csv.field(column);
}

}  // namespace

PlaceList read_places(const std::string& path) {
  CsvReader csv(path);
  const std::size_t id = needed_column(csv, "place"), latitude = needed_column(csv, "latitude"),
                    longitude = needed_column(csv, "longitude"), popularity = find_column(csv, "popularity"),
                    category = find_column(csv, "category");
  PlaceList list(path);
  while (csv.next()) {
    IndexedPlace place;
    required_field(csv, id);
    place.id = short_text(csv, id);
    place.latitude = degrees_field(csv, latitude, most_latitude);
    place.longitude = degrees_field(csv, longitude, most_longitude);
    if (popularity != no_column) place.popularity = popularity_field(csv, popularity);
    if (category != no_column) place.category = short_text(csv, category);
    list.add(place);
  }
  if (list.size() == 0) throw DataError(path + ": no rows: there is only a header; add at least one place");
  return list;
}

PlaceList places_of(const CheckinTable& table) {
  struct Seen {
    const Checkin* first = nullptr;
    std::uint64_t training = 0;
  };
  std::vector<Seen> seen(table.places.size());
  for (const Checkin& row : table.rows) {
    Seen& place = seen[static_cast<std::size_t>(row.place)];
    const bool training = row.split == Split::train;
    if (!place.first || (training && place.training == 0)) place.first = &row;
    place.training += training;
  }
  PlaceList list;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (!seen[i].first) continue;
    const Checkin& row = *seen[i].first;
    list.add({table.places[i], row.latitude, row.longitude, static_cast<double>(seen[i].training),
              table.categories[static_cast<std::size_t>(row.category)]});
  }
  return list;
}

}  // namespace chronotope
