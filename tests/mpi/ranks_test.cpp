// Runs in every process of an MPI job, of any size.

#include "chronotope/ops/elementwise.hpp"
#include "chronotope/ops/index.hpp"
#include "chronotope/ops/matmul.hpp"
#include "chronotope/ops/reduce.hpp"
#include "chronotope/train/gradient_exchange.hpp"
#include "chronotope/train/mpi_communicator.hpp"
#include "train/ranks_agree.hpp"
#include "train/tiny.hpp"

using namespace chronotope;

namespace {

using B = any_backend;

const std::shared_ptr<MpiCommunicator>& job() {
  static const auto made = std::make_shared<MpiCommunicator>();
  return made;
}

/// Value i of a process.
template <class T> std::vector<T> values(int rank, std::size_t n) {
  std::vector<T> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<T>(2 * philox_uniform(static_cast<std::uint64_t>(rank), 1, i) - 1);
  return v;
}

template <class T> void check_sum(Context<B>& c, std::size_t n) {
  const Tensor<B> mine = Tensor<B>::from_host(c, values<T>(job()->rank(), n), {static_cast<std::int64_t>(n)});
  job()->sum(mine)->wait();
  const std::vector<T> sum = mine.to_host<T>();
  // Sums of `size` numbers below 1 in some order: each of size - 1 roundings is below eps / 2 times the size of a partial sum.
  const double size = job()->size(), tolerance = size * size * std::numeric_limits<T>::epsilon() / 2;
  double worst = 0;
  for (std::size_t i = 0; i < n; ++i) {
    double expected = 0;
    for (int r = 0; r < job()->size(); ++r) expected += values<T>(r, n)[i];
    worst = std::max(worst, std::abs(sum[i] - expected));
  }
  CHECK(worst <= tolerance);
  const std::string bytes(reinterpret_cast<const char*>(sum.data()), sum.size() * sizeof(T));
  for (const std::string& other : job()->gather(bytes)) CHECK(other == bytes);  // the same bits everywhere
}

}  // namespace

TEST_SUITE_BEGIN("ranks");

TEST_CASE("a job knows its processes") {
  CHECK(job()->rank() >= 0);
  CHECK(job()->rank() < job()->size());
  CHECK(job()->here() == job()->size());
  const std::vector<std::string> all = job()->gather(std::to_string(job()->rank()));
  REQUIRE(all.size() == static_cast<std::size_t>(job()->size()));
  for (std::size_t r = 0; r < all.size(); ++r) CHECK(all[r] == std::to_string(r));
}

TEST_CASE("sums are those of all processes, to the same bit in each") {
  for (const std::string& backend : tiny::backends()) {
    Context<B> c(tiny::stream(backend));
    for (const std::size_t n : {0, 1, 7, 1000}) check_sum<float>(c, n), check_sum<double>(c, n);
    CHECK_THROWS_AS(job()->sum(Tensor<B>::from_host(c, std::vector<std::int32_t>{1}, {1})), DTypeError);
  }
}

TEST_CASE("several sums are on their way together") {
  Context<B> c(tiny::stream(tiny::backends().front()));
  std::vector<Tensor<B>> all;
  std::vector<std::unique_ptr<Transfer>> sums;
  for (int i = 0; i < 5; ++i) all.push_back(full<B>(c, {200'000}, i + 1)), sums.push_back(job()->sum(all.back()));
  for (auto& sum : sums) sum->advance();
  const std::vector<std::string> texts = job()->gather("beside them");
  CHECK(texts.back() == "beside them");
  for (std::size_t i = 5; i-- > 0;) {
    sums[i]->wait();
    const std::vector<float> values = all[i].to_host<float>();
    CHECK(std::all_of(values.begin(), values.end(), [&](float x) { return x == static_cast<float>(i + 1) * static_cast<float>(job()->size()); }));
  }
}

TEST_CASE("texts and vectors of every length come in the order of ranks") {
  Context<B> c(tiny::stream(tiny::backends().front()));
  const auto length = [](int rank, int shift) { return static_cast<std::size_t>((rank + shift) % 3 * 5); };
  for (int shift = 0; shift < 3; ++shift) {
    const std::vector<std::string> texts = job()->gather(std::string(length(job()->rank(), shift), static_cast<char>('a' + job()->rank())));
    std::vector<std::int64_t> lengths;
    for (int r = 0; r < job()->size(); ++r) lengths.push_back(static_cast<std::int64_t>(length(r, shift)));
    const std::vector<float> own = values<float>(job()->rank(), length(job()->rank(), shift));
    const std::vector<Tensor<B>> vectors = job()->gather(Tensor<B>::from_host(c, own, {static_cast<std::int64_t>(own.size())}), lengths);
    REQUIRE(vectors.size() == lengths.size());
    for (int r = 0; r < job()->size(); ++r) {
      CHECK(texts[static_cast<std::size_t>(r)] == std::string(length(r, shift), static_cast<char>('a' + r)));
      CHECK(vectors[static_cast<std::size_t>(r)].to_host<float>() == values<float>(r, length(r, shift)));
    }
  }
}

TEST_CASE("gradients of shares of the samples become that of all samples") {
  // A table and a layer; process r looks up r + 1 rows, the last none, and whole numbers make sums exact.
  for (const std::string& backend : tiny::backends()) {
    Context<B> c(tiny::stream(backend));
    const auto net = [&] { return std::pair(Parameter<B>(full<B>(c, {6, 2}, 1)), Parameter<B>(full<B>(c, {2, 3}, 2))); };
    const auto ids_of = [](int rank) {
      std::vector<std::int32_t> ids;
      for (int i = 0; i <= rank && (rank == 0 || rank + 1 < job()->size()); ++i) ids.push_back((i + 2 * rank) % 6);
      return ids;
    };
    const auto loss = [&](const auto& p, const std::vector<std::int32_t>& ids) {
      return sum(matmul(gather(p.first(), Tensor<B>::from_host(c, ids, {static_cast<std::int64_t>(ids.size())})), p.second()));
    };
    const auto whole = net(), mine = net();
    GradientExchange<B> exchange(AnyCommunicator<B>(job()), {{"table", mine.first}, {"layer", mine.second}});
    for (int step = 0; step < 3; ++step) {
      for (const auto* p : {&whole, &mine}) p->first.zero_grad(), p->second.zero_grad();
      for (int r = 0; r < job()->size(); ++r)
        if (!ids_of(r).empty()) backward(loss(whole, ids_of(r)));
      if (const auto ids = ids_of(job()->rank()); !ids.empty()) {
        const Tensor<B> own = loss(mine, ids);
        exchange.watch(own);
        backward(own);
      }
      exchange.finish();
      CHECK(mine.second.gradient().dense.to_host<float>() == whole.second.gradient().dense.to_host<float>());
      const auto rows = merged_rows(mine.first.gradient(), mine.first.value()), expected = merged_rows(whole.first.gradient(), whole.first.value());
      CHECK(rows.ids.to_host<std::int32_t>() == expected.ids.to_host<std::int32_t>());
      CHECK(rows.rows.to_host<float>() == expected.rows.to_host<float>());
    }
  }
}

TEST_CASE("processes that differ are named in all of them") {
  if (job()->size() == 1) return;
  AnyCommunicator<B> ranks(job());
  CHECK_NOTHROW(check_same_weights(ranks, 5));
  CHECK_THROWS_WITH_AS(check_same_weights(ranks, job()->rank() == 1 ? 6 : 5), doctest::Contains("process 1 of this training has other weights"), Error);
}

TEST_SUITE_END();
