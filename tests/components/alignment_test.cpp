// Losses over the candidates of requests: by hand, gradients, and what must not matter.

#include "chronotope/components/alignment_losses.hpp"
#include "components/tiny.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

const CandidateLabels two_requests{{3, 0, 2, 2}, {1, 0, 1, 0, 1, 0, 0}};  // the last has no click, the second no candidate

double softplus(double x) { return std::log1p(std::exp(x)); }

}  // namespace

TEST_CASE("rows of candidates: requests of one class are left out, short ones padded") {
  const CandidateRows all = request_rows(two_requests, -1);
  CHECK(all.rows == 2);
  CHECK(all.width == 3);
  CHECK(all.candidate == std::vector<std::int32_t>{0, 1, 2, 3, 4, 0});
  CHECK(all.there == std::vector<std::uint8_t>{1, 1, 1, 1, 1, 0});
  const Preferences p = preferences(two_requests);
  CHECK(p.chosen == std::vector<std::int32_t>{0, 2, 4});
  CHECK(p.rejected.width == 1);
  CHECK(p.rejected.candidate == std::vector<std::int32_t>{1, 1, 3});
  CHECK(error_text<DataError>([] { request_rows({{2}, {1}}, -1); }).find("1 labels are left") != std::string::npos);
  CHECK(error_text<DataError>([] { request_rows({{-1}, {}}, -1); }).find("-1") != std::string::npos);
  CHECK(error_text<DataError>([] { request_rows({{1}, {1, 0}}, -1); }).find("there are 2 labels") != std::string::npos);
  CHECK(error_text<DataError>([] { request_rows({{2}, {1, 2}}, -1); }).find("0 or 1") != std::string::npos);
}

TEST_CASE("InfoNCE by hand, and its gradient") {
  const T s = of({0.5, -0.2, 0.9, 0.1, 0.3, 7, 7});
  const auto e = [](double x) { return std::exp(x / 0.5); };
  check_values(info_nce(s, two_requests, 0.5), {-std::log((e(0.5) + e(0.9)) / (e(0.5) + e(-0.2) + e(0.9))), -std::log(e(0.3) / (e(0.1) + e(0.3)))}, {2}, 1e-12);
  check_gradients("info_nce", {random({7}, 3)}, [](const Inputs& x) { return info_nce(x[0], two_requests, 0.5); });
  CHECK_THROWS_AS(info_nce(s, two_requests, 0.0), ConfigError);
  CHECK(error_text<DataError>([&] { info_nce(of({1}), {{1}, {1}}); }).find("no request") != std::string::npos);
}

TEST_CASE("preference losses by hand, their margins and gradients") {
  const T policy = of({-1, -2, -3, -4, -5, 0, 0}), reference = of({-2, -2.5, -1, -3, -5.5, 0, 0});
  const double beta = 2, r[] = {2, 1, -4, -2, 1};
  const auto loss = preference_loss(policy, reference, two_requests, {beta, PreferenceForm::pairs});
  check_values(loss.sum, {softplus(r[1] - r[0]) + softplus(r[1] - r[2]) + softplus(r[3] - r[4])}, {}, 1e-12);
  CHECK(loss.terms == 3);
  check_values(loss.margins, {r[0] - r[1], r[2] - r[1], r[4] - r[3]}, {3}, 1e-12);
  for (const PreferenceForm form : {PreferenceForm::pairs, PreferenceForm::softmax})
    check_gradients("preference", {random({9}, 3)}, [&](const Inputs& x) {
      return preference_loss(x[0], random({9}, 4), {{4, 5}, {1, 0, 1, 0, 0, 0, 1, 0, 0}}, {1.5, form}).sum;
    });
}

TEST_CASE("with one unclicked candidate S-DPO is DPO, with several it is below their sum and above the hardest") {
  const T policy = random({6}, 1), reference = random({6}, 2);
  const auto sum_of = [&](const CandidateLabels& labels, PreferenceForm form) {
    return preference_loss(slice(policy, 0, 0, std::ssize(labels.clicked)), slice(reference, 0, 0, std::ssize(labels.clicked)), labels, {1, form}).sum.to_host<double>()[0];
  };
  const CandidateLabels one{{3}, {1, 0, 1}};
  CHECK(sum_of(one, PreferenceForm::softmax) == doctest::Approx(sum_of(one, PreferenceForm::pairs)).epsilon(1e-12));
  const CandidateLabels several{{6}, {0, 0, 1, 0, 0, 0}};
  CHECK(sum_of(several, PreferenceForm::softmax) < sum_of(several, PreferenceForm::pairs));
  const T reward = policy - reference;
  const std::vector<double> values = reward.to_host<double>();
  double hardest = -1e9;
  for (const std::size_t i : {0, 1, 3, 4, 5}) hardest = std::max(hardest, values[i]);
  CHECK(sum_of(several, PreferenceForm::softmax) > softplus(hardest - values[2]));
}

TEST_CASE("the reference gets no gradient, rewards beyond any exponent stay finite") {
  const Parameter<Reference> policy(of({400, -400, 3})), reference(of({0, 0, 1}));
  for (const PreferenceForm form : {PreferenceForm::pairs, PreferenceForm::softmax})
    for (const std::vector<std::uint8_t>& clicked : {std::vector<std::uint8_t>{1, 0, 0}, {0, 1, 0}}) {
      const auto loss = preference_loss(policy(), reference(), {{3}, clicked}, {10, form});
      CHECK(std::isfinite(loss.sum.to_host<double>()[0]));
      backward(loss.sum);
      for (const double g : policy.gradient().dense.to_host<double>()) CHECK(std::isfinite(g));
      CHECK_FALSE(reference.gradient().dense.defined());
    }
  CHECK_THROWS_AS(preference_loss(policy(), reference(), {{3}, {1, 0, 0}}, {0}), ConfigError);
  CHECK(error_text<DataError>([&] { preference_loss(policy(), reference(), {{3}, {1, 1, 1}}); }).find("no request") != std::string::npos);
}
