#include <memory>

#include "chronotope/backend/any_backend.hpp"
#include "ops/support.hpp"

using namespace chronotope;
using namespace chronotope::test;

TEST_CASE_TEMPLATE("values go to the device and back, every type", V, float, double, std::int32_t, std::int64_t, std::uint8_t) {
  const std::vector<V> values{1, 2, 3, 4, 5, 6};
  const T x = T::from_host(context(), values, {2, 3});
  CHECK(x.dtype() == dtype_of<V>);
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.elements() == 6);
  CHECK(x.size(-1) == 3);
  CHECK(x.to_host<V>() == values);
  CHECK(select(select(x, 0, 1), 0, 2).template item<V>() == V{6});
  CHECK(T::from_host(context(), std::vector<V>{}, {0, 3}).template to_host<V>().empty());
  CHECK(T::from_host(context(), std::vector<V>{7}, {}).template item<V>() == V{7});
}

TEST_CASE("reading refuses the wrong type, size and axis") {
  const T x = of({1, 2});
  CHECK(error_text<DTypeError>([&] { x.to_host<float>(); }) == "[to_host] tensor holds f64, asked for f32");
  CHECK(error_text<ShapeError>([&] { x.item<double>(); }) == "[item] needs one element, shape is [2]");
  CHECK(error_text<ShapeError>([&] { of({1, 2, 3}, {2, 2}); }) == "[from_host] 3 values for shape [2, 2]");
  CHECK_THROWS_AS(x.size(1), ShapeError);
  CHECK_FALSE(T().defined());
}

TEST_CASE("an alias is read through its strides") {
  const T x = of({0, 1, 2, 3, 4, 5}, {2, 3});
  CHECK(x.alias({3, 2}, {1, 3}).to_host<double>() == std::vector<double>{0, 3, 1, 4, 2, 5});
  CHECK(x.alias({2, 2}, {3, 2}).to_host<double>() == std::vector<double>{0, 2, 3, 5});
  CHECK(x.alias({2, 2}, {0, 1}, 4).to_host<double>() == std::vector<double>{4, 5, 4, 5});
  CHECK(x.alias({}, {}, 5).item<double>() == 5);
  CHECK(dense(x).view().data == x.view().data);
  CHECK(dense(x.alias({3, 2}, {1, 3})).view().contiguous());
}

TEST_CASE("foreign memory is used in place and handed back once, after the last tensor") {
  int released = 0;
  auto memory = std::make_unique<double[]>(6);
  for (int i = 0; i < 6; ++i) memory[static_cast<std::size_t>(i)] = i;
  void* given = nullptr;
  {
    T view;
    {
      const T x = T::wrap(context(), memory.get(), {2, 3}, DType::f64, [&](void* p) { ++released, given = p; });
      view = slice(x, 1, 1, 2);
    }
    CHECK(released == 0);
    memory[4] = 40;
    CHECK(view.to_host<double>() == std::vector<double>{1, 40});
  }
  CHECK(released == 1);
  CHECK(given == memory.get());
}

TEST_CASE("foreign memory without a deleter stays the caller's and never enters the allocator") {
  Context<Reference> c;
  alignas(64) double memory[8] = {3};
  { const T x = T::wrap(c, memory, {8}, DType::f64, nullptr); }
  CHECK(c.memory().cached == 0);
  { const T y = T::wrap(c, memory, {8}, DType::f64); }
  CHECK(c.memory().cached == 0);
  CHECK(memory[0] == 3);
}

TEST_CASE("copies to other contexts and backends keep values, shape and type") {
  Context<Reference> other;
  const T x = transpose(of({0, 1, 2, 3, 4, 5}, {2, 3}), 0, 1);
  const T y = x.copy_to(other);
  CHECK(y.state() == other.state());
  CHECK(y.to_host<double>() == x.to_host<double>());
  Context<any_backend> any(any_stream<Reference>());
  const Tensor<any_backend> z = ids({5, 6}).copy_to(any);
  CHECK(z.to_host<std::int32_t>() == std::vector<std::int32_t>{5, 6});
  CHECK((z + z).copy_to(other).to_host<std::int32_t>() == std::vector<std::int32_t>{10, 12});
}

TEST_CASE("memory is reused, counted and given back") {
  Context<Reference> c;
  const void* first = nullptr;
  {
    const T x(c, {100}, DType::f64);
    first = x.view().data;
    CHECK(c.memory().in_use >= 800);
    CHECK(reinterpret_cast<std::uintptr_t>(first) % 64 == 0);
  }
  CHECK(c.memory().in_use == 0);
  CHECK(c.memory().cached >= 800);
  const std::size_t cached = c.memory().cached;
  {
    const T x(c, {99}, DType::f64);  // of the same size class
    CHECK(x.view().data == first);
    CHECK(c.memory().cached == 0);
  }
  CHECK(c.memory().cached == cached);
  c.trim();
  CHECK(c.memory().cached == 0);
  CHECK(c.memory().peak == cached);
  CHECK(T(c, {0}).view().data == nullptr);
}

TEST_CASE("a block serves smaller sizes where they do not stay, down to half of it, the best fitting first") {
  Context<Reference> c;
  const void *larger = nullptr, *smaller = nullptr;
  {
    const T x(c, {1536}, DType::f64), y(c, {1024}, DType::f64);
    larger = x.view().data, smaller = y.view().data;
  }
  const std::size_t cached = c.memory().cached;
  {
    const detail::LooseFit<Reference> loose_fit(c.state());
    const T x(c, {512}, DType::f64);
    CHECK(x.view().data == smaller);
    CHECK(c.memory().in_use == 1024 * 8);  // the block as it is
    const T y(c, {512}, DType::f64);
    CHECK(y.view().data != larger);  // two thirds of it would lie idle
    const T z(c, {1100}, DType::f64);
    CHECK(z.view().data == larger);
    CHECK(c.memory().in_use == (1024 + 512 + 1536) * 8);
    CHECK(c.memory().cached == 0);
  }
  CHECK(c.memory().in_use == 0);
  CHECK(c.memory().cached == cached + 512 * 8);
  const T stays(c, {900}, DType::f64);
  CHECK(stays.view().data != smaller);
}

TEST_CASE("sizes that keep changing do not pile up") {
  Context<Reference> c;
  for (std::int64_t n = 1; n < 200; ++n) { const T x(c, {n * 1000}); }
  CHECK(c.memory().cached <= 3 * c.memory().peak);
  CHECK(c.memory().in_use == 0);
}

TEST_CASE("tensors and parameters outlive their context") {
  T x;
  Parameter<Reference> p;
  {
    Context<Reference> c;
    x = full<Reference>(c, {3}, 2, DType::f64);
    p = Parameter<Reference>(x);
  }
  backward(p() * x);
  CHECK((x + x).to_host<double>() == std::vector<double>{4, 4, 4});
  CHECK(p.gradient().dense.to_host<double>() == std::vector<double>{2, 2, 2});
}

TEST_CASE("a context can be moved, its tensors go on working") {
  Context<Reference> a({}, 7);
  const T x = full<Reference>(a, {2}, 1, DType::f64);
  Context<Reference> b = std::move(a);
  CHECK(b.random().seed == 7);
  CHECK((x + full<Reference>(b, {2}, 1, DType::f64)).to_host<double>() == std::vector<double>{2, 2});
}

TEST_CASE("random numbers depend on seed and counter, which advances by one a draw") {
  Context<Reference> a({}, 7), b({}, 7);
  const T x = uniform(a, {2, 3}), y = uniform(a, {2, 3});
  CHECK(a.random().counter == 2);
  CHECK(x.to_host<float>() != y.to_host<float>());
  CHECK(uniform(b, {3, 2}).to_host<float>() == x.to_host<float>());
  b.random() = {7, 1};
  CHECK(uniform(b, {6}).to_host<float>() == y.to_host<float>());
  const auto values = x.to_host<float>();
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == philox_uniform(7, 0, i));
  CHECK(uniform(b, {4}, DType::f64).to_host<double>()[1] == static_cast<double>(philox_uniform(7, 2, 1)));
  const std::uint64_t before = a.random().counter;
  CHECK_THROWS_AS(uniform(a, {4}, DType::i32), DTypeError);
  CHECK(a.random().counter == before);
}
