#include "geo_index_write.hpp"

#include <algorithm>
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
    write(zeros, offset - at_);
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
    if (text_.size() >= std::uint64_t{1} << 32) throw DataError("the names of categories take more than 4 GiB; leave categories out");
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
    for (std::uint32_t i = 0; i < by_key_.size(); ++i) by_key_[i] = i;
    std::sort(by_key_.begin(), by_key_.end(), [&](auto a, auto b) { return plan_.keys[a] < plan_.keys[b]; });
    place_records();
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
    section(at.units, units_);
    out.pad_to(at.records);
    write_records(out);
    section(at.slots, slots_);
    section(at.category_ends, categories_.ends());
    out.pad_to(at.category_text);
    out.write(categories_.text().data(), categories_.text().size());
    out.seal(at.seal);
  }

 private:
  bool is_new(std::uint32_t source) const { return source >= old_rows_; }
  IndexedPlace added(std::uint32_t source) const { return (*draft_.places)[source - old_rows_]; }
  View::Entry former(std::uint32_t source) const { return draft_.old->entry(draft_.old->unit(source)); }
  bool retired(std::uint32_t source, const View::Entry& entry) const {
    return entry.record.retired || (!draft_.retire.empty() && draft_.retire[source]);
  }

  std::string_view id_of(std::size_t row) const {
    const std::uint32_t source = plan_.source[row];
    return is_new(source) ? added(source).id : former(source).id;
  }

  /// Finds each row its record and each place its slot.
  void place_records() {
    const std::size_t rows = plan_.source.size();
    slots_.resize(slots_for(rows - count_retired()));
    units_.reserve(rows);
    for (std::size_t row = 0; row < rows; ++row) {
      const std::uint32_t source = plan_.source[row];
      const bool live = is_new(source) || !retired(source, former(source));
      const std::string_view id = id_of(row);
      units_.push_back(static_cast<std::uint32_t>(record_bytes_ / unit_bytes));
      record_bytes_ += record_size(id.size());
      if (record_bytes_ > most_record_bytes) throw DataError("the places take more than 32 GiB; make several indexes, or shorten the ids");
      if (live) insert(id, row);
    }
  }

  std::uint64_t count_retired() {
    for (std::uint32_t row = 0; row < old_rows_; ++row) {
      const View::Entry entry = former(row);
      retired_ += retired(row, entry);
      removed_ += retired(row, entry) && !entry.record.retired;
    }
    return retired_;
  }

  void insert(std::string_view id, std::size_t row) {
    const std::uint64_t hash = id_hash(id);
    const auto tag = static_cast<std::uint32_t>(hash);
    std::uint64_t at = first_slot(hash, slots_.size());
    for (; slots_[at].unit != 0; at = at + 1 == slots_.size() ? 0 : at + 1)
      if (slots_[at].tag == tag) refuse_same(id, slots_[at].unit - 1, row);
    slots_[at] = {tag, units_[row] + 1};
  }

  void refuse_same(std::string_view id, std::uint32_t unit, std::size_t row) const {
    const auto earlier = static_cast<std::size_t>(std::lower_bound(units_.begin(), units_.end(), unit) - units_.begin());
    if (id_of(earlier) != id) return;
    std::uint32_t one = plan_.source[earlier], other = plan_.source[row];
    if (one > other) std::swap(one, other);
    if (!is_new(other)) draft_.old->fail("the id " + shown(id) + " stands twice in it");
    const std::string title = draft_.places->title(other - old_rows_) + ": the id " + shown(id);
    if (is_new(one)) throw DataError(title + " stands twice, first at " + draft_.places->title(one - old_rows_) + "; every place needs an id of its own");
    const Record& record = former(one).record;
    throw DataError(title + " is in the index already: block " + std::to_string(record.block) + ", inner id " + std::to_string(record.inner) +
                    "; leave the place out, or remove the old one first");
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
    h.added = h.rows - old_rows_, h.removed = removed_;
    h.record_bytes = record_bytes_, h.slots = slots_.size();
    h.categories = categories_.ends().size(), h.category_bytes = categories_.text().size();
    h.checksum = checksum_of(h);
    return h;
  }

  void write_records(Out& out) const {
    for (std::uint32_t block = 0; block < plan_.keys.size(); ++block)
      for (std::uint32_t row = plan_.first[block]; row < plan_.first[block + 1]; ++row)
        write_record(out, plan_.source[row], {block + 1, row - plan_.first[block] + 1});
  }

  void write_record(Out& out, std::uint32_t source, PlaceCode code) const {
    Record r{};
    std::string_view id;
    if (is_new(source)) {
      const IndexedPlace p = added(source);
      r = {p.latitude, p.longitude, p.popularity, categories_.number(p.category), code.block, code.inner, static_cast<std::uint16_t>(p.id.size()), 0};
      id = p.id;
    } else {
      const View::Entry entry = former(source);
      if (entry.record.category >= categories_.ends().size()) draft_.old->fail("a place has an impossible category");
      r = entry.record, r.block = code.block, r.inner = code.inner, r.retired = retired(source, entry);
      id = entry.id;
    }
    constexpr char zeros[unit_bytes] = {};
    out.write(&r, sizeof r);
    out.write(id.data(), id.size());
    out.write(zeros, record_size(id.size()) - sizeof r - id.size());
  }

  const Draft& draft_;
  const Plan& plan_;
  const std::uint64_t old_rows_;
  const Categories categories_;
  std::vector<std::uint32_t> by_key_, units_;
  std::vector<Slot> slots_;
  std::uint64_t record_bytes_ = 0, retired_ = 0, removed_ = 0;
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
