// Beams against every place there is.

#include <cmath>
#include <map>

#include "generative/tiny.hpp"

using namespace chronotope;
using namespace chronotope::test;

namespace {

struct World {
  scratch::Folder folder;
  PlaceCatalogue places;
  std::int64_t blocks, inners;

  explicit World(PlaceCodes codes, std::size_t count = 60) : places(make(folder, count), codes), blocks(places.block_rows()), inners(places.inner_rows()) {}

  static GeoIndex make(const scratch::Folder& folder, std::size_t count) {
    std::mt19937_64 random(3);
    std::vector<geo_places::Place> all;
    for (std::size_t i = 0; i < count; ++i)
      all.push_back({"p" + std::to_string(i), 40 + 0.04 * static_cast<double>(random() % 5), 3 + 0.05 * static_cast<double>(random() % 4), static_cast<double>(random() % 9), i % 3 ? "Cafe" : "Park"});
    auto index = GeoIndexFolder::create(folder.file("index"), geo_places::list_of(all));
    const std::string gone[] = {"p7", "p20"};
    index.remove(gone);
    return index.open();
  }
};

/// A user's rows, encoded, and the state of u.
template <class Model> struct Asked {
  Encoded<Reference> encoded;
  Prefix seen;
  T h;
  explicit Asked(const Model& model, const TinyShape& shape) {
    TokenMaker make(4, shape);
    TokenBatch batch;
    batch.sequence();
    for (int i = 0; i < 3; ++i) make.action(batch, false);
    const std::int32_t u = batch.context(make.context());
    batch.ask(u, Question::block);
    seen = {0, u + 1};
    h = encoded.add(context(), model, batch);
  }
};

/// log P(block) + log P(inner | block) of every place, one block after another.
template <class Model> std::map<std::uint32_t, double> exhaustive(const Model& model, const PlaceCatalogue& places, Asked<Model>& asked) {
  std::map<std::uint32_t, double> all;
  const std::vector<std::int32_t> u{asked.seen.end - 1}, behind{asked.seen.end};
  const auto scores = places.block_rows() ? model.head.block_scores(asked.h, asked.encoded.contexts(), u).template to_host<double>() : std::vector<double>{0};
  for (std::uint32_t block = places.block_rows() ? 1 : 0; block < scores.size(); ++block) {
    T h = asked.h;
    const auto mark = asked.encoded.mark();
    if (places.block_rows()) {
      TokenBatch branch;
      branch.branch(asked.seen);
      branch.ask(branch.block(static_cast<std::int32_t>(block)), Question::inner);
      h = asked.encoded.add(context(), model, branch);
    }
    const auto inner = model.head.inner_scores(h, asked.encoded.contexts(), places.block_rows() ? behind : u).template to_host<double>();
    asked.encoded.keep(mark);
    for (std::uint32_t i = 1; i <= places.inners(block); ++i) {
      const std::uint32_t number = places.number(PlaceCode{block, i});
      if (places.place(number)) all[number] = scores[block] + inner[i];
    }
  }
  return all;
}

void check_best(const std::vector<GeneratedPlace>& found, const std::map<std::uint32_t, double>& all, std::size_t top) {
  std::vector<double> wanted;
  for (const auto& [place, score] : all) wanted.push_back(score);
  std::sort(wanted.rbegin(), wanted.rend());
  REQUIRE(found.size() == std::min(top, wanted.size()));
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].log_probability == doctest::Approx(wanted[i]).epsilon(1e-6));
    REQUIRE(all.contains(found[i].place));
    CHECK(all.at(found[i].place) == doctest::Approx(found[i].log_probability).epsilon(1e-6));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("beams that cover everything, and exact ones of any width, are exhaustive search", Head, TypedHead<Reference>, TokenPointerHead<Reference>) {
  for (const PlaceCodes codes : {PlaceCodes::hierarchical, PlaceCodes::hashed, PlaceCodes::single}) {
    const World world(codes);
    const TinyShape shape{world.blocks, world.inners};
    auto model = tiny_generative<LlamaDecoder<Reference>, Head>(shape);
    stir(model);
    Asked asked(model, shape);
    const auto all = exhaustive(model, world.places, asked);
    CHECK(all.size() == 58);  // 60, two removed
    const auto generate = [&](const BeamOptions& options) { return generate_places(context(), model, world.places, asked.encoded, asked.h, std::span(&asked.seen, 1), {}, options)[0]; };
    check_best(generate({world.blocks, world.inners, 100}), all, 100);
    for (const std::int64_t top : {1, 5, 100}) check_best(generate({2, 1, top, true}), all, static_cast<std::size_t>(top));
  }
}

TEST_CASE("limits act inside the beams: the best of the allowed places, however improbable") {
  const World world(PlaceCodes::hierarchical);
  const TinyShape shape{world.blocks, world.inners};
  auto model = tiny_generative(shape);
  stir(model);
  Asked asked(model, shape);
  auto all = exhaustive(model, world.places, asked);
  const auto is_park = [&](std::uint32_t place) { return world.places.place(place)->category == "Park"; };
  std::erase_if(all, [&](const auto& entry) { return !is_park(entry.first); });
  PlaceLimits parks;
  parks.place = is_park;
  const auto generate = [&](const PlaceLimits& limits, const BeamOptions& options) { return generate_places(context(), model, world.places, asked.encoded, asked.h, std::span(&asked.seen, 1), limits, options)[0]; };
  check_best(generate(parks, {1, 1, 4, true}), all, 4);

  PlaceLimits one_block;
  one_block.block = [](std::uint32_t block) { return block == 2; };
  const auto found = generate(one_block, {10, 100, 100});
  CHECK(!found.empty());
  for (const GeneratedPlace& g : found) CHECK(world.places.tokens(g.place).block == 2);

  PlaceLimits nothing;
  nothing.place = [](std::uint32_t) { return false; };
  CHECK(generate(nothing, {10, 10, 100, true}).empty());
}

TEST_CASE("a catalogue's numbers and tokens belong to each other, whatever the codes") {
  for (const PlaceCodes codes : {PlaceCodes::hierarchical, PlaceCodes::hashed, PlaceCodes::single}) {
    const World world(codes, 200);
    CHECK(world.places.places() == 200);
    CHECK(world.places.number("p3") != 0);
    CHECK(world.places.number("p7") == 0);
    CHECK(world.places.number("nobody") == 0);
    std::map<std::pair<std::uint32_t, std::uint32_t>, int> seen;
    for (std::uint32_t n = 1; n <= 200; ++n) {
      const PlaceCode tokens = world.places.tokens(n);
      CHECK(world.places.number(tokens) == n);
      CHECK(tokens.inner >= 1);
      CHECK(tokens.inner < world.places.inner_rows());
      CHECK(++seen[{tokens.block, tokens.inner}] == 1);
      if (const auto place = world.places.place(n)) CHECK(world.places.number(place->id) == n);
    }
    CHECK(world.places.number(PlaceCode{1, 9999}) == 0);
    CHECK(world.places.number(PlaceCode{9999, 1}) == 0);
    CHECK(world.places.tokens(201) == PlaceCode{});
    CHECK(!world.places.place(0));
  }
}
