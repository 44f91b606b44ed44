#pragma once
// Reference backend: any CPU, every dtype, f64 for gradient checks. Contractions by Eigen, which stays private to
// backends/eigen; everything else by the portable loops of backends/cpu.

#include "chronotope/backend/concepts.hpp"

namespace chronotope {

struct eigen_backend {
  /// Host memory, no queue: every call is complete when it returns. `threads` is used by the contractions.
  struct stream {
    int threads = 1;
  };

  static std::string_view name();
  static bool supports(DType);

  static void* allocate(stream&, std::size_t bytes);
  static void deallocate(stream&, void*) noexcept;
  static void upload(stream&, void* device, const void* host, std::size_t bytes);
  static void download(stream&, void* host, const void* device, std::size_t bytes);
  static void synchronize(stream&);

  static void fill(stream&, const View& out, double value);
  static void copy(stream&, const View& out, const View& in);
  static void unary(stream&, Unary, const View& out, const View& in);
  static void binary(stream&, Binary, const View& out, const View& a, const View& b);
  static void select(stream&, const View& out, const View& cond, const View& a, const View& b);

  static void matmul(stream&, const View& out, const View& a, const View& b, double beta);
  static void reduce(stream&, Reduction, const View& out, const View& in);
  static void cumsum(stream&, const View& out, const View& in, int axis);

  static void gather(stream&, const View& out, const View& table, const View& ids);
  static void scatter_add(stream&, const View& table, const View& ids, const View& rows);
  static void topk(stream&, const View& values, const View& indices, const View& in);

  static void uniform(stream&, const View& out, std::uint64_t seed, std::uint64_t counter);
};

}  // namespace chronotope
