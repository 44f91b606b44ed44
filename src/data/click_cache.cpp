#include "chronotope/data/click_cache.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"
#include "click_layout.hpp"
#include "core/mapped_file.hpp"

namespace chronotope {
namespace {

using Json = nlohmann::json;
using clicks::Column;
using clicks::Extent;

constexpr std::uint64_t longest_head = 1 << 22;

/// Reads the head of a mapped file. Nothing in it is trusted.
class Opener {
 public:
  Opener(const std::string& path, std::span<const std::byte> bytes) : path_(path), bytes_(bytes) {}

  ClickLog open() {
    try {
      const Json head = parse(head_text());
      const Extent extent{clicks::count_from_json(head, "samples"), clicks::count_from_json(head, "behaviours"),
                          semi_synthetic(head)};
      std::vector<Column> columns =
          clicks::columns_from_json(head.contains("columns") ? head["columns"] : Json(), true);
      place(extent, columns);
      return assemble(extent, columns);
    } catch (const std::string& rule) {
      fail(rule);
    }
  }

 private:
  [[noreturn]] void fail(const std::string& rule) const {
    throw FormatError(path_ + " is not a sound click cache: " + rule + "; make it anew");
  }

  template <class T> T value_at(std::size_t offset) const {
    T value;
    std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }

  std::string_view head_text() {
    if (bytes_.size() < clicks::cache_prefix)
      throw "it has " + std::to_string(bytes_.size()) + " bytes, fewer than its head takes";
    const char* const text = reinterpret_cast<const char*>(bytes_.data());
    if (std::string_view(text, 8) != clicks::cache_magic) throw std::string("it does not begin with \"CHRCLICK\"");
    const auto version = value_at<std::uint32_t>(8);
    if (version != clicks::cache_version)
      throw "it is of version " + std::to_string(version) + ", this program reads version " +
          std::to_string(clicks::cache_version);
    const auto length = value_at<std::uint64_t>(16);
    if (length > longest_head || length > bytes_.size() - clicks::cache_prefix)
      throw "a head of " + std::to_string(length) + " bytes does not fit a file of " + std::to_string(bytes_.size());
    data_begin_ = clicks::cache_prefix + length;
    const std::string_view head(text + clicks::cache_prefix, length);
    if (clicks::checksum(head) != value_at<std::uint64_t>(24))
      throw std::string("the checksum of its head does not fit; the file is damaged");
    return head;
  }

  static Json parse(std::string_view text) {
    const auto shallow = [](int depth, Json::parse_event_t, Json&) {
      if (depth > 4) throw std::string("its head nests too deeply");
      return true;
    };
    Json head;
    try {
      head = Json::parse(text, shallow);
    } catch (const Json::exception& e) {
      throw std::string("its head is not JSON (") + e.what() + ")";
    }
    if (!head.is_object()) throw std::string("its head is not a JSON object");
    return head;
  }

  static bool semi_synthetic(const Json& head) {
    if (!head.contains("semi_synthetic") || !head["semi_synthetic"].is_boolean())
      throw std::string("\"semi_synthetic\" is missing or not true or false");
    return head["semi_synthetic"].get<bool>();
  }

  /// Gives every column its bytes: inside the file, aligned, none shared.
  void place(const Extent& extent, std::vector<Column>& columns) const {
    std::vector<const Column*> order;
    for (Column& c : columns) {
      const std::uint64_t rows = extent.rows_of(c);
      if (c.offset % clicks::cache_alignment != 0) throw c.title() + ": its place is not a multiple of 64";
      if (c.offset < data_begin_ || c.offset > bytes_.size() ||
          rows > (bytes_.size() - c.offset) / clicks::role_bytes(c.role))
        throw c.title() + ": " + std::to_string(rows) + " values at byte " + std::to_string(c.offset) +
            " lie outside the file of " + std::to_string(bytes_.size()) + " bytes";
      c.bytes = bytes_.subspan(c.offset, extent.bytes_of(c));
      order.push_back(&c);
    }
    std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) {
      return std::pair(a->offset, a->bytes.size()) < std::pair(b->offset, b->bytes.size());
    });
    if (order.empty()) throw std::string("it names no columns");
    const std::uint64_t end = order.back()->offset + order.back()->bytes.size();
    if (end != bytes_.size())
      throw "its columns end at byte " + std::to_string(end) + " of " + std::to_string(bytes_.size());
    for (std::size_t i = 1; i < order.size(); ++i)
      if (order[i]->offset < order[i - 1]->offset + order[i - 1]->bytes.size())
        throw order[i]->title() + ": it overlaps " + order[i - 1]->title();
  }

  static ClickLog assemble(const Extent& extent, const std::vector<Column>& columns) {
    ClickLog log;
    log.semi_synthetic = extent.semi_synthetic;
    for (const Column& c : columns) clicks::put_column(log, c);
    need(extent, columns);
    return log;
  }

  /// The columns that every log has; their lengths follow from the counts of the head.
  static void need(const Extent& extent, const std::vector<Column>& columns) {
    using clicks::Role;
    const auto check = [&](bool of_behaviours, Role role, const char* name) {
      const auto same = [&](const Column& c) {
        return c.of_behaviours == of_behaviours && c.role == role && c.name == name;
      };
      Column missing;
      missing.of_behaviours = of_behaviours, missing.role = role, missing.name = name;
      if (std::none_of(columns.begin(), columns.end(), same)) throw missing.title() + ": the column is missing";
    };
    if (extent.samples == 0) throw std::string("it holds no samples");
    for (const Role role : {Role::click, Role::split, Role::first, Role::last}) check(false, role, "");
    for (const bool of_behaviours : {false, true}) {
      for (const Role role : {Role::time, Role::hour, Role::weekday, Role::geohash}) check(of_behaviours, role, "");
      for (const char* name : {"item", "category"}) check(of_behaviours, Role::id, name);
    }
    check(false, Role::id, "user");
  }

  const std::string& path_;
  std::span<const std::byte> bytes_;
  std::size_t data_begin_ = 0;
};

void pad(AtomicFile& file, std::uint64_t& at, std::uint64_t to) {
  constexpr char zeros[clicks::cache_alignment] = {};
  file.write(zeros, to - at);
  at = to;
}

}  // namespace

void write_click_cache(const ClickLog& log, const std::string& path) {
  check_click_log(log);
  if (log.size() == 0) throw DataError(path + ": a click log without samples is not written");
  std::vector<Column> columns = clicks::columns_of(log);
  const std::string head = clicks::make_head({log.size(), log.behaviours.size(), log.semi_synthetic}, columns);
  AtomicFile file(path);
  file.write(head);
  std::uint64_t at = head.size();
  for (const Column& c : columns) {
    pad(file, at, c.offset);
    if (!c.bytes.empty()) file.write(c.bytes.data(), c.bytes.size());
    at += c.bytes.size();
  }
  file.commit();
}

ClickLog open_click_cache(const std::string& path, CacheCheck check) {
  const auto mapping = std::make_shared<const MappedFile>(path);
  ClickLog log = Opener(path, mapping->bytes()).open();
  log.memory = mapping;
  if (check == CacheCheck::head) return log;
  try {
    check_click_log(log);
  } catch (const DataError& error) {
    throw FormatError(path + " is not a sound click cache: " + error.what() + "; make it anew");
  }
  return log;
}

}  // namespace chronotope
