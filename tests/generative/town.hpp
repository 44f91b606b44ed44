#pragma once
// A generated world of a dozen people in memory, cleansed by its own truth, and an index of most of its places in a folder.

#include "chronotope/data/geo_index_folder.hpp"
#include "chronotope/data/world.hpp"
#include "chronotope/models/make_generative_model.hpp"
#include "chronotope/train/request_histories.hpp"
#include "data/scratch.hpp"

namespace chronotope::test {

/// Rows one after another, as often as wanted. Keeps a reference.
template <class Row> std::function<bool(Row&)> pass_over(const std::vector<Row>& rows) {
  return [&rows, next = std::size_t{0}](Row& row) mutable {
    if (next == rows.size()) return false;
    row = rows[next++];
    return true;
  };
}
inline ActionSource source_of(const std::vector<LoggedAction>& actions) {
  return [&actions] { return pass_over(actions); };
}

struct Town {
  scratch::Folder folder;
  std::vector<LoggedAction> actions;
  std::vector<LoggedRequest> requests;

  explicit Town(std::uint64_t seed = 5) {
    WorldOptions o;
    o.users = 12, o.places = 200, o.cities = 2, o.days = 28, o.actions_per_user = 20, o.requests_per_user = 4, o.travellers_percent = 70, o.seed = seed;
    const World world(o);
    for (std::uint32_t u = 0; u < 12; ++u) {
      const WorldUser user = world.user(u);
      for (const WorldAction& a : user.actions) {
        actions.push_back(a.action);
        actions.back().interest = a.truth.interest;
      }
      for (const WorldRequest& r : user.requests) requests.push_back(r.request);
    }
    PlaceList places;
    for (std::uint32_t n = 0; n < world.places(); ++n) {
      const WorldPlace p = world.place(n);
      if (n % 10 != 3) places.add({p.id, p.position.latitude, p.position.longitude, p.popularity, p.category});
    }
    GeoIndexFolder::create(index(), places);
  }

  std::string index() const { return folder.file("index"); }
  ActionSource source() const { return source_of(actions); }
  PlaceCatalogue catalogue(PlaceCodes codes = PlaceCodes::hierarchical) const { return {GeoIndexFolder(index()).open(), codes}; }
  ActionTokenizer tokenizer(PlaceCodes codes = PlaceCodes::hierarchical) const {
    PlaceCatalogue places = catalogue(codes);
    ActionVocabulary v = make_vocabulary(source(), places, {GeoCells::geohash, 16, 300, 0.1, 0.1});
    return {std::move(places), std::move(v)};
  }

  /// A training on this world in a second or less.
  Config config() const {
    Config c;
    c.system = "actions", c.seed = 7;
    c.model.layers = 1, c.model.width = 24, c.model.heads = 2, c.model.feed_forward = 24, c.model.length = 6, c.model.geo_rows = 16;
    c.actions.index = index(), c.actions.profile_tokens = 4, c.actions.profile_pieces = 300, c.actions.embedding = 8;
    c.training.learning_rate = 1e-2, c.training.min_learning_rate = 1e-3, c.training.warmup_steps = 3, c.training.epochs = 1, c.training.batch = 4;
    c.training.checkpoint_seconds = 1e9;
    c.evaluation.batch = 8, c.evaluation.targets = 10;
    return c;
  }
};

inline const Town& town() {
  static const Town made;
  return made;
}

/// The town's tokenizer and histories.
struct TownHistories {
  ActionTokenizer tokenizer;
  ActionHistories histories;
  explicit TownHistories(const Town& town, PlaceCodes codes = PlaceCodes::hierarchical) : tokenizer(town.tokenizer(codes)), histories(town.source(), tokenizer, 50) {}
  std::int64_t until() const { return tokenizer.vocabulary().validation_from; }
};

}  // namespace chronotope::test
