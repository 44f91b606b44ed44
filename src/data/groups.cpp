#include "chronotope/data/groups.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <span>
#include <utility>

#include "chronotope/core/error.hpp"
#include "geohash_letters.hpp"
#include "split_text.hpp"

namespace chronotope {
namespace {

constexpr std::array<std::string_view, 7> weekday_names{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr int letters = 32;

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

/// What the values of a material are called, and how a piece of a group is read.
struct Material {
  const char* name;
  const char* how;  // to write a piece
  std::string (*value_name)(int value);
  bool (*mark)(std::string_view piece, std::span<std::uint8_t> in);  // false: cannot be read
};

int read_hour(std::string_view text) {
  int hour = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hour);
  return error == std::errc() && end == text.data() + text.size() && hour < 24 ? hour : -1;
}

int read_weekday(std::string_view text) {
  const auto found = std::find(weekday_names.begin(), weekday_names.end(), text);
  return found == weekday_names.end() ? -1 : static_cast<int>(found - weekday_names.begin());
}

/// "a" or "a-b" round a circle.
template <int (*read)(std::string_view)> bool mark_circle(std::string_view piece, std::span<std::uint8_t> in) {
  const std::size_t dash = piece.find('-');
  const int first = read(piece.substr(0, dash)), last = dash == piece.npos ? first : read(piece.substr(dash + 1));
  if (first < 0 || last < 0) return false;
  for (std::size_t i = static_cast<std::size_t>(first);; i = (i + 1) % in.size()) {
    in[i] = 1;
    if (i == static_cast<std::size_t>(last)) return true;
  }
}

int letter(std::string_view text, std::size_t at) { return geohash_values[static_cast<unsigned char>(text[at])]; }

/// The codes (first letter x 32 + second) of "d", "9-d", "dr", "w0-j"; empty when it is none of these.
std::pair<int, int> codes_of(std::string_view piece) {
  const std::size_t size = piece.size(), dash = piece.find('-');
  const bool whole = dash == piece.npos;
  if (size == 0 || letter(piece, 0) < 0 || letter(piece, size - 1) < 0) return {0, 0};
  const int first = letter(piece, 0), last = letter(piece, size - 1);
  if (whole && size == 1) return {letters * first, letters * (first + 1)};
  if (whole && size == 2) return {letters * first + last, letters * first + last + 1};
  if (size == 3 && dash == 1) return {letters * first, letters * (last + 1)};
  if (size == 4 && dash == 2 && letter(piece, 1) >= 0) return {letters * first + letter(piece, 1), letters * first + last + 1};
  return {0, 0};
}

bool mark_geohash(std::string_view piece, std::span<std::uint8_t> in) {
  const bool others = piece.starts_with('!');
  if (others) piece.remove_prefix(1);
  const auto [begin, end] = codes_of(piece);
  for (int code = 0; code < letters * letters && begin < end; ++code)
    if ((code >= begin && code < end) != others) in[static_cast<std::size_t>(code)] = 1;
  return begin < end;
}

std::string letters_of(int code) {
  return quoted(std::string{geohash_letters[static_cast<std::size_t>(code / letters)], geohash_letters[static_cast<std::size_t>(code % letters)]});
}

constexpr Material hours{"hours", "write an hour (12) or a range (17-2), 0 to 23", [](int v) { return std::to_string(v); }, mark_circle<read_hour>};
constexpr Material weekdays{"weekdays", "write a day (sat) or a range (fri-mon), of mon tue wed thu fri sat sun",
                            [](int v) { return std::string(weekday_names[static_cast<std::size_t>(v)]); }, mark_circle<read_weekday>};
constexpr Material places{"geohash",
                          "write a letter (d), a range of letters (9-d), two letters (dr) or a letter with a range of second letters "
                          "(w0-j), in the order 0123456789bcdefghjkmnpqrstuvwxyz, with ! in front for all others",
                          letters_of, mark_geohash};

/// Fills the table of one material and returns the number of groups.
class Reader {
 public:
  Reader(const Material& material, std::string_view text, std::span<std::int16_t> table) : material_(material), text_(text), table_(table) {
    std::fill(table_.begin(), table_.end(), std::int16_t{-1});
  }

  int read() {
    if (text_ == "none") return 0;
    if (text_ == "identical") {
      std::iota(table_.begin(), table_.end(), std::int16_t{0});
      return static_cast<int>(table_.size());
    }
    for (const std::string_view group : split_text(text_, ' '))
      if (!group.empty()) add(group);
    const auto gap = std::find(table_.begin(), table_.end(), -1);
    if (gap == table_.end()) return static_cast<int>(groups_.size());
    fail(material_.value_name(static_cast<int>(gap - table_.begin())) + " lies in no group");
  }

 private:
  [[noreturn]] void fail(const std::string& rule) const {
    throw ConfigError(std::string("groups, ") + material_.name + " " + quoted(text_) + ": " + rule);
  }

  void add(std::string_view group) {
    std::vector<std::uint8_t> in(table_.size());
    for (const std::string_view piece : split_text(group, ','))
      if (!material_.mark(piece, in)) fail(quoted(piece) + " of group " + quoted(group) + " cannot be read; " + material_.how);
    for (std::size_t value = 0; value < in.size(); ++value) {
      if (!in[value]) continue;
      if (table_[value] >= 0)
        fail(material_.value_name(static_cast<int>(value)) + " lies in both " + quoted(groups_[static_cast<std::size_t>(table_[value])]) + " and " + quoted(group));
      table_[value] = static_cast<std::int16_t>(groups_.size());
    }
    groups_.push_back(group);
  }

  const Material& material_;
  std::string_view text_;
  std::span<std::int16_t> table_;
  std::vector<std::string_view> groups_;
};

}  // namespace

GroupTable::GroupTable(GroupTexts texts) : texts_(std::move(texts)), whole_geohash_(texts_.geohash == "identical") {
  counts_ = {Reader(hours, texts_.hours, hours_).read(), Reader(weekdays, texts_.weekdays, weekdays_).read(), Reader(places, texts_.geohash, geohash_).read()};
}

}  // namespace chronotope
