#pragma once
// NVIDIA GPUs: cuBLASLt and cuBLAS for contractions of floats, own kernels for the rest. No CUDA header is needed to use it.

#include <functional>
#include <memory>

#include "chronotope/backend/concepts.hpp"
#include "chronotope/backend/fused.hpp"

namespace chronotope {

/// How products of f32 are multiplied: by matmul and by the hooks around products (linear layers, with and without cross entropy, interest
/// units). Tensors stay f32, sums too; f64, attention and whatever else kernels of our own compute stay as they are. A product that neither
/// cuBLASLt nor cuBLAS takes (neither rows nor columns dense, in tf32 or of the result) is computed in IEEE arithmetic.
enum class MathMode : std::uint8_t {
  ieee,  ///< as f32 are
  tf32,  ///< operands rounded to 10 bits behind the point, by tensor cores
  bf16   ///< operands rounded to bf16, 7 bits, for each product, into scratch memory of 2 bytes an element; by tensor cores
};

struct cuda_backend {
  /// A queue of work on one device, with the handles and the scratch memory that the work needs. Calls return before
  /// their work is done; only download and synchronize wait, and upload when 16 MiB of earlier uploads are under way.
  /// One stream serves one host thread at a time; streams do not disturb one another, whatever their devices. The calling thread's
  /// current device is left as it was. Results are equal to the bit from run to run.
  ///
  /// An id outside a table is found by the kernel, which leaves its row out; the next download or synchronize throws
  /// ShapeError with the id, its position and the operation.
  class stream {
   public:
    /// A new stream of the device. Throws BackendError when there is no such device or it cannot be used.
    explicit stream(int device = 0, MathMode math = MathMode::ieee);
    /// The user's cudaStream_t of the device: not destroyed, and to outlive this one. Throws BackendError for the legacy
    /// default stream (null).
    static stream wrap(void* user_stream, int device);
    /// Waits for the work that is queued.
    ~stream();
    stream(stream&&) noexcept;
    stream& operator=(stream&&) noexcept;

    int device() const;
    MathMode math() const;
    /// For the calls that follow.
    void set_math(MathMode);
    /// The cudaStream_t.
    void* native() const;
    struct Impl;
    Impl& impl() { return *impl_; }

   private:
    explicit stream(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
  };

  /// What as_graph has instantiated for a caller, the eight that were used last.
  class graph {
   public:
    graph();
    ~graph();
    graph(graph&&) noexcept;
    graph& operator=(graph&&) noexcept;
    /// How often a graph could not be had by giving new arguments to one of before.
    std::size_t instantiated() const;
    struct Impl;
    Impl& impl() { return *impl_; }

   private:
    std::unique_ptr<Impl> impl_;
  };

  static std::string_view name();
  static bool supports(DType);

  /// Devices that can be used; 0 also where there is no driver.
  static int device_count();

  static void* allocate(stream&, std::size_t bytes);
  static void deallocate(stream&, void*) noexcept;
  static void trim(stream&) noexcept;
  static void upload(stream&, void* device, const void* host, std::size_t bytes);
  static void download(stream&, void* host, const void* device, std::size_t bytes);
  static void synchronize(stream&);

  /// backend/graphs.hpp. What `work` queues on this stream is recorded and launched at once. Under memory pressure as several graphs: what was
  /// given back is free only when what used it has been launched.
  static bool has_graphs(const stream&) { return true; }
  static void as_graph(stream&, graph&, const std::function<void()>& work);

  static void fill(stream&, const View& out, double value);
  static void copy(stream&, const View& out, const View& in);
  static void unary(stream&, Unary, const View& out, const View& in);
  static void binary(stream&, Binary, const View& out, const View& a, const View& b);
  static void select(stream&, const View& out, const View& cond, const View& a, const View& b);

  static void matmul(stream&, const View& out, const View& a, const View& b, double beta);
  static void reduce(stream&, Reduction, const View& out, const View& in);
  static void cumsum(stream&, const View& out, const View& in, int axis);

  static void gather(stream&, const View& out, const View& table, const View& ids);
  /// Repeated ids add up in ascending order of rows, as on CPUs.
  static void scatter_add(stream&, const View& table, const View& ids, const View& rows);
  static void topk(stream&, const View& values, const View& indices, const View& in);

  static void uniform(stream&, const View& out, std::uint64_t seed, std::uint64_t counter);

  // Hooks of fused.hpp, for f32 and f64 whose last axis is dense. A position or an id outside its table is told as gather
  // tells it: the row is left out, and the next wait throws.
  static bool try_softmax(stream&, const View& y, const View& x);
  static bool try_softmax_backward(stream&, const View& dx, const View& dy, const View& y);
  static bool try_rms_norm(stream&, const View& y, const View& inv, const View& x, const View& w, double eps);
  static bool try_rms_norm_backward(stream&, const View& dx, const View& dw, const View& dy, const View& x, const View& w, const View& inv);
  static bool try_layer_norm(stream&, const View& y, const View& mean, const View& inv, const View& x, const View& w, const View& b, double eps);
  static bool try_layer_norm_backward(stream&, const View& dx, const View& dw, const View& db, const View& dy, const View& x, const View& w,
                                      const View& mean, const View& inv);
  static bool try_swiglu(stream&, const View& y, const View& gate_up);
  static bool try_swiglu_backward(stream&, const View& dgate_up, const View& dy, const View& gate_up);
  static bool try_rope(stream&, const View& y, const View& x, const View& position, const View& cos, const View& sin, bool inverse);
  static bool try_attention(stream&, const View& out, const View& lse, const View& q, const View& k, const View& v, const AttentionLayout& layout,
                            double scale);
  static bool try_attention_backward(stream&, const View& dq, const View& dk, const View& dv, const View& dout, const View& q, const View& k,
                                     const View& v, const View& out, const View& lse, const AttentionLayout& layout, double scale);
  /// Logits are made block by block, in 64 MiB at most (beside what bf16 converts of them and of their weights); a row whose target has no
  /// class adds nothing to the gradients.
  static bool try_linear_cross_entropy(stream&, const View& nll, const View& lse, const View& h, const View& w, const View& target);
  static bool try_linear_cross_entropy_backward(stream&, const View& dh, const View& dw, const View& dnll, const View& h, const View& w,
                                                const View& target, const View& lse);
  /// Declined without a bias: cuBLAS chooses its kernel by the number of rows, so it cannot promise a row bits of its own. For the
  /// same reason a row's bits may depend on how many there are where there is a bias.
  static bool try_linear(stream&, const View& y, const View& x, const View& w, const View& bias, bool relu);
  static bool try_linear_backward(stream&, const View& dx, const View& dw, const View& db, const View& dy, const View& x, const View& w,
                                  const View& y, bool relu);
  static bool try_linear_grouped(stream&, const View& y, const View& x, const View& w, const View& bias, const View& group);
  static bool try_forgetting_mask(stream&, const View& mask, const ReviewViews& points, const CurveConstants& constants, const CurveShape& shape);
  static bool try_forgetting_mask_backward(stream&, const CurveConstants& gradients, const View& dmask, const ReviewViews& points,
                                           const CurveConstants& constants, const CurveShape& shape);
  static bool try_hmin(stream&, const View& out, const HminViews& inputs);
  static bool try_hmin_backward(stream&, const HminViews& gradients, const View& dout, const HminViews& inputs);
  /// Declined for more than 8 relations, or tables of more than 2048 numbers together.
  static bool try_pointer_scores(stream&, const View& out, const View& content, std::span<const RelationViews> relations, double scale, double bias_scale);
  static bool try_pointer_scores_backward(stream&, const View& dcontent, const View& dout, std::span<const RelationViews> gradients, double scale,
                                          double bias_scale);
  static bool try_dropout(stream&, const View& y, const View& x, double p, std::uint64_t seed, std::uint64_t counter);
  static bool try_sum_squares(stream&, const View& out, const View& x);
  static bool try_adamw(stream&, const View& p, const View& m, const View& v, const View& g, const AdamStep& step);
  static bool try_adamw_many(stream&, std::span<const AdamViews> all, const AdamStep& step);
  static bool try_adamw_rows(stream&, const View& p, const View& m, const View& v, const View& ids, const View& g, const AdamStep& step);
};

}  // namespace chronotope
