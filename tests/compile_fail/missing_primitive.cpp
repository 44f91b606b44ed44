// A third-party backend that lacks one required primitive.
#include "chronotope/backend/any_backend.hpp"
#include "chronotope/backend/primitives_only.hpp"

struct my_backend {
  struct stream {};
  static std::string_view name() { return "mine"; }
  static bool supports(chronotope::DType) { return true; }
  static void* allocate(stream&, std::size_t);
  static void deallocate(stream&, void*) noexcept;
  static void upload(stream&, void*, const void*, std::size_t);
  static void download(stream&, void*, const void*, std::size_t);
  static void synchronize(stream&);
  static void fill(stream&, const chronotope::View&, double);
  static void copy(stream&, const chronotope::View&, const chronotope::View&);
  static void unary(stream&, chronotope::Unary, const chronotope::View&, const chronotope::View&);
  static void binary(stream&, chronotope::Binary, const chronotope::View&, const chronotope::View&,
                     const chronotope::View&);
  static void select(stream&, const chronotope::View&, const chronotope::View&, const chronotope::View&,
                     const chronotope::View&);
  static void matmul(stream&, const chronotope::View&, const chronotope::View&, const chronotope::View&, double);
  static void reduce(stream&, chronotope::Reduction, const chronotope::View&, const chronotope::View&);
#ifdef CORRECTED
  static void cumsum(stream&, const chronotope::View&, const chronotope::View&, int);
#endif
  static void gather(stream&, const chronotope::View&, const chronotope::View&, const chronotope::View&);
  static void scatter_add(stream&, const chronotope::View&, const chronotope::View&, const chronotope::View&);
  static void topk(stream&, const chronotope::View&, const chronotope::View&, const chronotope::View&);
  static void uniform(stream&, const chronotope::View&, std::uint64_t, std::uint64_t);
};

void use() { auto stream = chronotope::any_stream<my_backend>(); }
