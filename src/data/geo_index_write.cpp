#include "geo_index_write.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"
#include "csv.hpp"

namespace chronotope::geo {
namespace {

/// An AtomicFile that gathers what is written and keeps the fingerprint of it.
class Out {
 public:
  explicit Out(const std::string& path) : file_(path) { buffer_.reserve(capacity); }

  void write(const void* data, std::size_t size) {
    if (buffer_.size() + size > capacity || size > capacity / 2) flush();
    const auto* const bytes = static_cast<const std::byte*>(data);
    if (size > capacity / 2) put({bytes, size});
    else buffer_.insert(buffer_.end(), bytes, bytes + size);
    at_ += size;
  }
  template <class T> void write(const std::vector<T>& values) { write(values.data(), values.size() * sizeof(T)); }

  void pad_to(std::uint64_t offset) {
    constexpr std::byte zeros[alignment] = {};
    while (at_ < offset) write(zeros, std::min<std::uint64_t>(offset - at_, alignment));
  }

  void seal(std::uint64_t offset) {
    pad_to(offset);
    flush();
    const std::uint64_t value = hash_.value();
    file_.write(&value, sizeof value);
    file_.commit();
  }

 private:
  static constexpr std::size_t capacity = std::size_t{1} << 20;

  void flush() {
    put(buffer_);
    buffer_.clear();
  }
  void put(std::span<const std::byte> bytes) {
    hash_.add(bytes);
    file_.write(bytes.data(), bytes.size());
  }

  AtomicFile file_;
  ContentHash hash_;
  std::vector<std::byte> buffer_;
  std::uint64_t at_ = 0;
};

/// The categories of an index. Those of the former version keep their numbers, further ones follow in their order as text.
class Categories {
 public:
  Categories(const View* old, const PlaceList* places) {
    if (old)
      for (std::uint64_t i = 0; i < old->head().categories; ++i) add(old->category(i));
    else add("");
    std::vector<std::string_view> fresh;
    for (std::size_t i = 0; places && i < places->size(); ++i) {
      const std::string_view name = (*places)[i].category;
      if (numbers_.try_emplace(name, 0).second) fresh.push_back(name);
    }
    std::sort(fresh.begin(), fresh.end());
    for (const std::string_view name : fresh) add(name);
    if (ends_.size() > most_categories) throw DataError("there are " + std::to_string(ends_.size()) + " categories; at most 1,048,576 are allowed: group them, or leave them out");
  }

  std::uint32_t number(std::string_view name) const { return numbers_.at(name); }
  const std::vector<std::uint32_t>& ends() const { return ends_; }
  const std::string& text() const { return text_; }

 private:
  void add(std::string_view name) {
    numbers_[name] = static_cast<std::uint32_t>(ends_.size());
    text_ += name;
    ends_.push_back(static_cast<std::uint32_t>(text_.size()));
  }

  std::unordered_map<std::string_view, std::uint32_t> numbers_;  // keys are views into the former version and the list
  std::vector<std::uint32_t> ends_;
  std::string text_;
};

class Writer {
 public:
  explicit Writer(const Draft& draft)
      : draft_(draft), plan_(draft.plan), old_rows_(draft.old ? draft.old->head().rows : 0), categories_(draft.old, draft.places) {
    by_key_.resize(plan_.keys.size());
    std::iota(by_key_.begin(), by_key_.end(), 0);
    std::sort(by_key_.begin(), by_key_.end(), [&](auto a, auto b) { return plan_.keys[a] < plan_.keys[b]; });
    count_retired();
    place_names();
  }

  void write(const std::string& path) const {
    const Head head = make_head();
    const Sections at = sections_of(head);
    Out out(path);
    out.write(&head, sizeof head);
    const auto section = [&](std::uint64_t begin, const auto& values) { out.pad_to(begin), out.write(values); };
    section(at.first, plan_.first);
    section(at.keys, plan_.keys);
    section(at.by_key, by_key_);
    out.pad_to(at.records);
    write_records(out);
    section(at.buckets, buckets_);
    write_names(out, at.names);
    section(at.category_ends, categories_.ends());
    out.pad_to(at.category_text);
    out.write(categories_.text().data(), categories_.text().size());
    out.seal(at.seal);
  }

 private:
  static std::uint32_t units(std::uint64_t bytes) { return static_cast<std::uint32_t>(bytes / unit_bytes); }
  bool is_new(std::uint32_t source) const { return source >= old_rows_; }
  IndexedPlace added(std::uint32_t source) const { return (*draft_.places)[source - old_rows_]; }
  bool retired(std::uint32_t source) const {
    return !is_new(source) && (draft_.old->record(source).retired() || (!draft_.retire.empty() && draft_.retire[source]));
  }
  std::string_view id_of(std::uint32_t row) const {
    const std::uint32_t source = plan_.source[row];
    return is_new(source) ? added(source).id : draft_.old->id_of(draft_.old->record(source));
  }

  void count_retired() {
    for (std::uint32_t row = 0; row < old_rows_; ++row) retired_ += retired(row);
  }

  /// by_bucket_: the rows of places that are there, in the order of their buckets (a counting sort). Returns where each
  /// bucket begins.
  std::vector<std::uint32_t> fill_buckets() {
    const auto rows = static_cast<std::uint32_t>(plan_.source.size());
    const std::uint64_t live = rows - retired_, buckets = buckets_for(live);
    std::vector<std::uint32_t> bucket(rows), begin(buckets + 2);
    for (std::uint32_t row = 0; row < rows; ++row) {
      if (retired(plan_.source[row])) continue;
      bucket[row] = bucket_of(id_hash(id_of(row)), buckets);
      ++begin[bucket[row] + 2];
    }
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    by_bucket_.resize(live);
    for (std::uint32_t row = 0; row < rows; ++row)
      if (!retired(plan_.source[row])) by_bucket_[begin[bucket[row] + 1]++] = row;  // moves to where the next bucket begins
    begin.pop_back();
    return begin;
  }

  void place_names() {
    const std::vector<std::uint32_t> begin = fill_buckets();
    names_.resize(plan_.source.size());
    for (std::size_t bucket = 0; bucket + 1 < begin.size(); ++bucket) {
      place_bucket(std::span(by_bucket_).subspan(begin[bucket], begin[bucket + 1] - begin[bucket]));
      if (name_bytes_ >= most_name_bytes) throw DataError("the ids take more than 16 GiB; make several indexes, or shorten the ids");
    }
    buckets_.push_back({units(name_bytes_)});
  }

  /// Puts the rows of a bucket in the order in which their names lie, and refuses an id that stands twice.
  void place_bucket(std::span<std::uint32_t> rows) {
    members_.clear();
    for (const std::uint32_t row : rows) members_.push_back({id_of(row), row});
    std::sort(members_.begin(), members_.end(), [](const Member& a, const Member& b) { return a.id < b.id; });
    for (std::size_t i = 1; i < members_.size(); ++i)
      if (members_[i - 1].id == members_[i].id) refuse_same(members_[i].id, members_[i - 1].row, members_[i].row);
    const Bucket bucket = seeded_bucket();
    buckets_.push_back(bucket);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i] = members_[i].row;
      names_[rows[i]] = units(name_bytes_);
      name_bytes_ += bucket.stride ? bucket.stride * unit_bytes : name_size(members_[i].id.size());
    }
  }

  /// Finds a seed and puts the members in its order, if there is one.
  Bucket seeded_bucket() {
    Bucket bucket{units(name_bytes_)};
    std::uint64_t longest = 0;
    for (const Member& m : members_) longest = std::max(longest, name_size(m.id.size()) / unit_bytes);
    const auto names = static_cast<std::uint32_t>(members_.size());
    if (names == 0 || names > most_seeded || longest > most_stride) return bucket;
    for (Member& m : members_) m.hash = id_hash(m.id);
    std::uint32_t seed = 0;
    while (seed < seeds && !is_perfect(seed)) ++seed;
    if (seed == seeds) return bucket;
    std::sort(members_.begin(), members_.end(), [&](const Member& a, const Member& b) {
      return place_in_bucket(a.hash, seed, names) < place_in_bucket(b.hash, seed, names);
    });
    bucket.seed = static_cast<std::uint16_t>(seed), bucket.names = static_cast<std::uint8_t>(names), bucket.stride = static_cast<std::uint8_t>(longest);
    return bucket;
  }

  bool is_perfect(std::uint32_t seed) const {
    std::uint32_t taken = 0;
    for (const Member& m : members_) {
      const std::uint32_t place = 1u << place_in_bucket(m.hash, seed, static_cast<std::uint32_t>(members_.size()));
      if (taken & place) return false;
      taken |= place;
    }
    return true;
  }

  [[noreturn]] void refuse_same(std::string_view id, std::uint32_t row, std::uint32_t other_row) const {
    std::uint32_t one = plan_.source[row], other = plan_.source[other_row];
    if (one > other) std::swap(one, other);
    if (!is_new(other)) draft_.old->fail("the id " + shown(id) + " stands twice in it");
    const std::string title = draft_.places->title(other - old_rows_) + ": the id " + shown(id);
    if (is_new(one)) throw DataError(title + " stands twice, first at " + draft_.places->title(one - old_rows_) + "; every place needs an id of its own");
    const PlaceCode code = code_of(plan_.source[row] == one ? row : other_row);
    throw DataError(title + " is in the index already: block " + std::to_string(code.block) + ", inner id " + std::to_string(code.inner) +
                    "; leave the place out, or remove the old one first");
  }

  PlaceCode code_of(std::uint32_t row) const {
    const auto next = std::upper_bound(plan_.first.begin(), plan_.first.end(), row);
    return {static_cast<std::uint32_t>(next - plan_.first.begin()), row - *(next - 1) + 1};
  }

  Head make_head() const {
    Head h{};
    std::memcpy(h.magic, magic, sizeof magic);
    h.format = format_version, h.bytes = sizeof h;
    h.version = draft_.version, h.parent = draft_.old ? draft_.old->head().version : 0;
    h.parent_fingerprint = draft_.old ? draft_.old->seal() : 0;
    h.block_km = draft_.options.block_km, h.most_inner = draft_.options.most_inner;
    h.grid = GeoGrid(draft_.options.block_km).fingerprint();
    h.blocks = static_cast<std::uint32_t>(plan_.keys.size()), h.new_blocks = plan_.new_blocks;
    for (std::size_t b = 0; b < plan_.keys.size(); ++b) h.largest_block = std::max(h.largest_block, plan_.first[b + 1] - plan_.first[b]);
    h.rows = plan_.source.size(), h.retired = retired_;
    h.added = h.rows - old_rows_, h.removed = retired_ - (draft_.old ? draft_.old->head().retired : 0);
    h.buckets = buckets_.size() - 1, h.name_bytes = name_bytes_;
    h.categories = categories_.ends().size(), h.category_bytes = categories_.text().size();
    h.checksum = checksum_of(h);
    return h;
  }

  void write_records(Out& out) const {
    for (std::uint32_t row = 0; row < plan_.source.size(); ++row) {
      const Record r = record_of(row);
      out.write(&r, sizeof r);
    }
  }

  Record record_of(std::uint32_t row) const {
    const std::uint32_t source = plan_.source[row];
    if (is_new(source)) {
      const IndexedPlace p = added(source);
      return {p.latitude, p.longitude, p.popularity, names_[row], pack(categories_.number(p.category), p.id.size())};
    }
    Record r = draft_.old->record(source);
    r.name = names_[row];
    if (retired(source)) r.packed = retired_pack;
    return r;
  }

  void write_names(Out& out, std::uint64_t begin) const {
    for (const std::uint32_t row : by_bucket_) {
      const std::string_view id = id_of(row);
      const PlaceCode code = code_of(row);
      const Name name{code.block, code.inner, static_cast<std::uint32_t>(id.size())};
      out.pad_to(begin + std::uint64_t{names_[row]} * unit_bytes);
      out.write(&name, sizeof name);
      out.write(id.data(), id.size());
    }
    out.pad_to(begin + name_bytes_);
  }

  struct Member {
    std::string_view id;
    std::uint32_t row = 0;
    std::uint64_t hash = 0;
  };

  const Draft& draft_;
  const Plan& plan_;
  const std::uint64_t old_rows_;
  const Categories categories_;
  std::uint64_t retired_ = 0, name_bytes_ = 0;
  std::vector<std::uint32_t> by_key_;     // [blocks] by rising key
  std::vector<Bucket> buckets_;           // [buckets + 1]
  std::vector<Member> members_;           // of the bucket that is being placed
  std::vector<std::uint32_t> by_bucket_;  // [places] rows in the order of their names
  std::vector<std::uint32_t> names_;      // [rows] where each name lies, in units; 0 for removed places
};

}  // namespace

void write_index(const Draft& draft, const std::string& path) { Writer(draft).write(path); }

}  // namespace chronotope::geo

namespace chronotope {

void build_geo_index(const PlaceList& places, const std::string& path, const GeoIndexOptions& options) {
  if (places.size() == 0) throw DataError(path + ": an index without places is not written; add at least one");
  geo::Draft draft;
  draft.places = &places;
  draft.options = options;
  draft.plan = geo::plan_index(nullptr, GeoGrid(options.block_km), places, options.most_inner);
  geo::write_index(draft, path);
}

}  // namespace chronotope
