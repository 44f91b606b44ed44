#pragma once
// CPU speed: oneDNN for contractions, Highway kernels with run-time dispatch for the fused hooks, OpenMP threads.
// f32 is fast; the other dtypes take the portable loops of backends/cpu.

#include <memory>

#include "chronotope/backend/concepts.hpp"
#include "chronotope/backend/fused.hpp"

namespace chronotope {

struct onednn_backend {
  /// Host memory and a team of OpenMP threads; calls are complete when they return. Holds the cache of oneDNN primitives
  /// and scratch memory, so one stream serves one host thread at a time. Results are equal to the bit from run to run
  /// for a fixed number of threads.
  class stream {
   public:
    /// 0 threads: as many as the process may use. Throws BackendError when oneDNN cannot start.
    explicit stream(int threads = 0);
    ~stream();
    stream(stream&&) noexcept;
    stream& operator=(stream&&) noexcept;
    int threads() const;
    struct Impl;
    Impl& impl() { return *impl_; }

   private:
    std::unique_ptr<Impl> impl_;
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

#define CHRONOTOPE_UNPACK(...) __VA_OPT__(, ) __VA_ARGS__
#define CHRONOTOPE_ENTRY(hook, parameters, arguments) static bool try_##hook(stream& CHRONOTOPE_UNPACK parameters);
  CHRONOTOPE_FUSED_HOOKS(CHRONOTOPE_ENTRY)
#undef CHRONOTOPE_ENTRY
#undef CHRONOTOPE_UNPACK
};

}  // namespace chronotope
