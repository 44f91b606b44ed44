#include "geo_index_write.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "chronotope/core/atomic_file.hpp"
#include "chronotope/core/error.hpp"
#include "geo_index_names.hpp"

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

/// The categories of an index. Those of the former version keep their numbers, further ones follow in their order as
/// text.
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
    if (ends_.size() > most_categories)
      throw DataError("there are " + std::to_string(ends_.size()) +
                      " categories; at most 1,048,576 are allowed: group them, or leave them out");
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
      : draft_(draft),
        plan_(draft.plan),
        rows_(draft),
        categories_(draft.old, draft.places),
        names_(rows_),
        by_key_(plan_.keys.size()) {
    std::iota(by_key_.begin(), by_key_.end(), 0);
    std::sort(by_key_.begin(), by_key_.end(), [&](auto a, auto b) { return plan_.keys[a] < plan_.keys[b]; });
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
    for (std::uint32_t row = 0; row < rows_.size(); ++row) {
      const Record r = record_of(row);
      out.write(&r, sizeof r);
    }
    section(at.buckets, names_.buckets());
    write_names(out, at.names);
    section(at.category_ends, categories_.ends());
    out.pad_to(at.category_text);
    out.write(categories_.text().data(), categories_.text().size());
    out.seal(at.seal);
  }

 private:
  Head make_head() const {
    Head h{};
    std::memcpy(h.magic, magic, sizeof magic);
    h.format = format_version, h.bytes = sizeof h;
    h.version = draft_.version;
    if (draft_.old) h.parent = draft_.old->head().version, h.parent_fingerprint = draft_.old->seal();
    h.block_km = draft_.options.block_km, h.most_inner = draft_.options.most_inner;
    h.grid = GeoGrid(draft_.options.block_km).fingerprint();
    h.blocks = static_cast<std::uint32_t>(plan_.keys.size()), h.new_blocks = plan_.new_blocks;
    for (std::size_t b = 0; b < plan_.keys.size(); ++b)
      h.largest_block = std::max(h.largest_block, plan_.first[b + 1] - plan_.first[b]);
    h.rows = rows_.size(), h.retired = rows_.retired();
    h.added = rows_.added(), h.removed = h.retired - (draft_.old ? draft_.old->head().retired : 0);
    h.buckets = names_.buckets().size() - 1, h.name_bytes = names_.bytes();
    h.categories = categories_.ends().size(), h.category_bytes = categories_.text().size();
    h.checksum = checksum_of(h);
    return h;
  }

  Record record_of(std::uint32_t row) const {
    if (rows_.is_new(row)) {
      const IndexedPlace p = (*draft_.places)[rows_.place(row)];
      return {p.latitude, p.longitude, p.popularity, names_.unit(row),
              pack(categories_.number(p.category), p.id.size())};
    }
    Record r = rows_.record(row);
    r.name = names_.unit(row);
    if (rows_.is_retired(row)) r.packed = retired_pack;
    return r;
  }

  void write_names(Out& out, std::uint64_t begin) const {
    for (const std::uint32_t row : names_.rows_in_order()) {
      const std::string_view id = rows_.id(row);
      const PlaceCode code = rows_.code(row);
      const Name name{code.block, code.inner, static_cast<std::uint32_t>(id.size())};
      out.pad_to(begin + std::uint64_t{names_.unit(row)} * unit_bytes);
      out.write(&name, sizeof name);
      out.write(id.data(), id.size());
    }
    out.pad_to(begin + names_.bytes());
  }

  const Draft& draft_;
  const Plan& plan_;
  const Rows rows_;
  const Categories categories_;
  const NameTable names_;
  std::vector<std::uint32_t> by_key_;  // [blocks] by rising key
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
