#pragma once
// Processes that train together: what they need of a connection, whatever makes it.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "chronotope/tensor/tensor.hpp"

namespace chronotope {

/// Something on its way between processes.
class Transfer {
 public:
  virtual ~Transfer() = default;
  /// Lets it go on where nothing else does; never waits.
  virtual void advance() {}
  /// What is queued on the tensor's stream afterwards sees the result. Throws Error when the connection is lost.
  virtual void wait() = 0;
};

/// C connects processes whose tensors live on B. The same program runs in all; what follows after size() is called by all, in the same order.
///   rank(), size()            which process this is, and of how many
///   sum(values)               starts to replace a dense floating tensor by its sum over all processes, in place, behind what is queued on its
///                             stream. All get the same bits. The memory must stay until the transfer was waited for
///   gather(values, lengths)   the vectors of all processes, in the order of their ranks; `lengths` are theirs, known to all
///   gather(text)              a few bytes of each, on the host
template <class C, class B>
concept Communicator = Backend<B> && requires(C& c, const C& known, const Tensor<B>& values, std::span<const std::int64_t> lengths, const std::string& text) {
  { known.rank() } -> std::same_as<int>;
  { known.size() } -> std::same_as<int>;
  { c.sum(values) } -> std::same_as<std::unique_ptr<Transfer>>;
  { c.gather(values, lengths) } -> std::same_as<std::vector<Tensor<B>>>;
  { c.gather(text) } -> std::same_as<std::vector<std::string>>;
};

/// One process alone.
struct SingleProcess {
  struct Done : Transfer {
    void wait() override {}
  };
  int rank() const { return 0; }
  int size() const { return 1; }
  template <Backend B> std::unique_ptr<Transfer> sum(const Tensor<B>&) { return std::make_unique<Done>(); }
  template <Backend B> std::vector<Tensor<B>> gather(const Tensor<B>& values, std::span<const std::int64_t>) { return {values}; }
  std::vector<std::string> gather(const std::string& text) { return {text}; }
};

/// Any communicator, chosen at run time. Copies share it.
template <Backend B> class AnyCommunicator {
 public:
  AnyCommunicator() : AnyCommunicator(std::make_shared<SingleProcess>()) {}
  template <class C>
    requires Communicator<C, B>
  explicit AnyCommunicator(std::shared_ptr<C> held) : held_(std::make_shared<Holder<C>>(std::move(held))) {}

  int rank() const { return held_->rank(); }
  int size() const { return held_->size(); }
  std::unique_ptr<Transfer> sum(const Tensor<B>& values) { return held_->sum(values); }
  std::vector<Tensor<B>> gather(const Tensor<B>& values, std::span<const std::int64_t> lengths) { return held_->gather(values, lengths); }
  std::vector<std::string> gather(const std::string& text) { return held_->gather(text); }

 private:
  struct Held {
    virtual ~Held() = default;
    virtual int rank() const = 0;
    virtual int size() const = 0;
    virtual std::unique_ptr<Transfer> sum(const Tensor<B>& values) = 0;
    virtual std::vector<Tensor<B>> gather(const Tensor<B>& values, std::span<const std::int64_t> lengths) = 0;
    virtual std::vector<std::string> gather(const std::string& text) = 0;
  };
  template <class C> struct Holder final : Held {
    explicit Holder(std::shared_ptr<C> held) : c(std::move(held)) {}
    int rank() const override { return c->rank(); }
    int size() const override { return c->size(); }
    std::unique_ptr<Transfer> sum(const Tensor<B>& values) override { return c->sum(values); }
    std::vector<Tensor<B>> gather(const Tensor<B>& values, std::span<const std::int64_t> lengths) override { return c->gather(values, lengths); }
    std::vector<std::string> gather(const std::string& text) override { return c->gather(text); }
    std::shared_ptr<C> c;
  };

  std::shared_ptr<Held> held_;
};

}  // namespace chronotope
