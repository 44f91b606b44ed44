// Optimizers against torch.optim (tests/golden/generate.py): five steps on given gradients.

#include "chronotope/ops/shape.hpp"
#include "chronotope/train/optimizer.hpp"
#include "golden/golden_file.hpp"

using namespace chronotope;
using golden::File;

namespace {

const File& file() {
  static const File loaded("operations");
  return loaded;
}

// Five steps, each of a handful of roundings.
double tolerance(DType dtype) { return 5 * 8 * golden::unit_roundoff(dtype); }

template <Backend B> struct Optimized {
  Parameter<B> p;
  AdamW<B> optimizer;
  Optimized(Tensor<B> start, const AdamOptions& options) : p(std::move(start)), optimizer({{"p", p}}, options) {}
};

/// Slice i of the first axis of a golden tensor.
template <Backend B> Tensor<B> step_of(Context<B>& context, const std::string& name, std::int64_t i, DType dtype) {
  return select(file().tensor(context, name, dtype), 0, i);
}

}  // namespace

TEST_CASE_TEMPLATE("golden Adam and AdamW", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  for (const std::string name : {"adam", "adamw"}) {
    CAPTURE(name);
    auto context = Setup::context();
    AdamOptions options;
    options.weight_decay = name == "adamw" ? 0.1 : 0;
    Optimized<typename Setup::backend> run(file().tensor(context, "adam.p", Setup::dtype), options);
    const auto rates = file().numbers("adam.rates"), norms = file().numbers(name + ".norms");
    for (std::size_t i = 0; i < rates.size(); ++i) {
      run.p.gradient().dense = dense(step_of(context, "adam.g", static_cast<std::int64_t>(i), Setup::dtype));
      const double norm = run.optimizer.step(rates[i], 1, name == "adamw" ? 1.0 : 0.0);
      CHECK(std::abs(norm - norms[i]) <= tolerance(Setup::dtype) * norms[i]);
    }
    CHECK(golden::worst(golden::numbers(run.p.value()), file().numbers(name + ".after")) <= tolerance(Setup::dtype));
  }
}

TEST_CASE_TEMPLATE("golden Adam on looked-up rows is torch's SparseAdam", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  using B = typename Setup::backend;
  auto context = Setup::context();
  AdamOptions options;
  options.eps = 1e-30;
  options.rows = RowUpdates::lazy;
  Optimized<B> run(file().tensor(context, "adam_rows.p", Setup::dtype), options);
  const auto rates = file().numbers("adam.rates");
  const HostTensor& host_ids = file().at("adam_rows.ids");
  const auto ids = Tensor<B>::from_host(context, host_ids.values<std::int32_t>(), host_ids.shape);
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const auto step = static_cast<std::int64_t>(i);
    const auto rows = step_of(context, "adam_rows.g", step, Setup::dtype);
    run.p.gradient().rows.push_back({dense(select(ids, 0, step)), dense(rows)});
    run.optimizer.step(rates[i]);
  }
  CHECK(golden::worst(golden::numbers(run.p.value()), file().numbers("adam_rows.after")) <= tolerance(Setup::dtype));
}
