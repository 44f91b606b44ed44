// Losses of embedding fine-tuning and alignment against PyTorch (tests/golden/generate_alignment.py).

#include "chronotope/components/alignment_losses.hpp"
#include "chronotope/autograd/backward.hpp"
#include "chronotope/autograd/parameter.hpp"
#include "chronotope/ops/ops.hpp"
#include "golden/golden_file.hpp"

using namespace chronotope;
using golden::File;

namespace {

double tolerance(DType dtype) { return dtype == DType::f64 ? 1e-10 : 1e-4; }

CandidateLabels labels_of(const File& f) { return {f.values<std::int32_t>("counts"), f.values<std::uint8_t>("clicked")}; }

/// f of a parameter with the file's values: the value, and the gradient of its sum, against the file's.
template <class Setup, class G> void check(const File& f, const char* input, const std::string& name, G loss) {
  CAPTURE(name);
  auto context = Setup::context();
  const Parameter<typename Setup::backend> x(f.tensor(context, input, Setup::dtype));
  const auto y = loss(context, x());
  CHECK(golden::worst(golden::numbers(y), f.numbers(name)) <= tolerance(Setup::dtype));
  backward(y.rank() ? sum(y) : y);
  CHECK(golden::worst(golden::numbers(x.gradient().dense), f.numbers(name + ".gradient")) <= tolerance(Setup::dtype));
}

}  // namespace

TEST_CASE_TEMPLATE("golden losses of embedding fine-tuning and alignment", Setup, CHRONOTOPE_GOLDEN_SETUPS) {
  const File f("alignment");
  const CandidateLabels labels = labels_of(f);
  check<Setup>(f, "similarity", "nce", [&](auto&, const auto& s) { return info_nce(s, labels, f.number("temperature")); });
  for (const PreferenceForm form : {PreferenceForm::pairs, PreferenceForm::softmax})
    check<Setup>(f, "policy", form == PreferenceForm::pairs ? "dpo" : "s_dpo", [&](auto& context, const auto& policy) {
      const auto loss = preference_loss(policy, f.tensor(context, "reference", Setup::dtype), labels, {f.number("beta"), form});
      CHECK(golden::worst(golden::numbers(loss.margins), f.numbers("margins")) <= tolerance(Setup::dtype));
      return loss.sum;
    });
}
