// Operations against PyTorch (tests/golden/generate.py): values and gradients.

#include "chronotope/autograd/parameter.hpp"
#include "chronotope/ops/ops.hpp"
#include "golden/golden_file.hpp"

using namespace chronotope;
using golden::File;

namespace {

const File& file() {
  static const File loaded("operations");
  return loaded;
}

/// Runs one case: y = f(inputs by name), then backward with the case's dy. Compares y and every gradient within
/// 8 u (sqrt(terms) + 1) of the value and the rms of the terms added up. The tensor's rms stands for that, unless more
/// is known: `size`, for results that are differences.
template <class Setup> class Case {
 public:
  using B = typename Setup::backend;
  using Inputs = std::vector<std::string>;

  Case(std::string name, double terms, double size = 0)
      : context_(Setup::context()),
        name_(std::move(name)),
        tolerance_(8 * golden::unit_roundoff(Setup::dtype) * (std::sqrt(terms) + 1)),
        size_(size) {}

  Context<B>& context() { return context_; }
  Tensor<B> ids(const std::string& name) {
    return Tensor<B>::from_host(context_, file().values<std::int32_t>(name), file().at(name).shape);
  }

  template <class F> void run(const Inputs& names, F&& f) {
    std::vector<Parameter<B>> inputs;
    for (const std::string& input : names)
      inputs.emplace_back(file().tensor(context_, name_ + "." + input, Setup::dtype));
    const Tensor<B> y = f(inputs);
    compare("y", y);
    backward(y, file().tensor(context_, name_ + ".dy", Setup::dtype));
    for (std::size_t i = 0; i < names.size(); ++i) compare("d" + names[i], inputs[i].gradient().dense);
  }

 private:
  void compare(const std::string& what, const Tensor<B>& x) {
    CAPTURE(what);
    REQUIRE(x.defined());
    CHECK(x.shape() == file().at(name_ + "." + what).shape);
    CHECK(golden::worst(golden::numbers(x), file().numbers(name_ + "." + what), size_) <= tolerance_);
  }

  Context<B> context_;
  std::string name_;
  double tolerance_, size_;
};

}  // namespace

TEST_CASE_TEMPLATE("golden rms_norm", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  Case<Setup>("rms_norm", 24).run({"x", "w"}, [](auto& in) { return rms_norm(in[0](), in[1]()); });
}

TEST_CASE_TEMPLATE("golden layer_norm", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  Case<Setup>("layer_norm", 24).run({"x", "w", "b"}, [](auto& in) { return layer_norm(in[0](), in[1](), in[2]()); });
}

TEST_CASE_TEMPLATE("golden swiglu", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  Case<Setup>("swiglu", 1).run({"x"}, [](auto& in) { return swiglu(in[0]()); });
}

TEST_CASE_TEMPLATE("golden gelu", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  Case<Setup>("gelu", 1).run({"x"}, [](auto& in) { return gelu(in[0]()); });
}

TEST_CASE_TEMPLATE("golden rope", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  Case<Setup> c("rope", 2);
  const RopeTables<typename Setup::backend> tables(c.context(), 31, 12, 10000, Setup::dtype);
  c.run({"x"}, [&](auto& in) { return rope(in[0](), c.ids("rope.position"), tables); });
}

TEST_CASE_TEMPLATE("golden attention", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  for (const std::string name : {"attention.some", "attention.all"}) {
    CAPTURE(name);
    const auto head = static_cast<double>(file().at(name + ".k").shape[2]);
    // A query with one key gets dy v - dy v: nothing but the rounding of products of standard normal inputs.
    Case<Setup> c(name, head, 1);
    const Packing<typename Setup::backend> packing(c.context(), file().values<std::int32_t>("attention.lengths"));
    const auto rows = c.ids(name + ".rows");
    c.run({"q", "k", "v"},
          [&](auto& in) { return attention(in[0](), in[1](), in[2](), packing, rows, 1 / std::sqrt(head)); });
  }
}

TEST_CASE_TEMPLATE("golden linear_cross_entropy", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  Case<Setup> c("linear_cross_entropy", 13);
  const auto target = c.ids("linear_cross_entropy.target");
  c.run({"h", "w"}, [&](auto& in) { return linear_cross_entropy(in[0](), in[1](), target); });
}
